// Models, importance matrices and reports with some bytes changed, given to all commands: each run is
// orderly, leaves nothing if it fails, and what it makes is a model.

#include <algorithm>
#include <array>
#include <filesystem>

#include "trials.h"

namespace sluice::trials {
namespace {

namespace fs = std::filesystem;

/// Commands, with @NAME for a file of those below, of which one is changed.
const Words kCommands[] = {
    {"quantize", "--pure", "@model", "@out", "Q4_K"},
    {"quantize", "--imatrix", "@matrix", "@model", "@out", "IQ1_M"},
    {"quantize", "--imatrix", "@dat", "@model", "@out", "IQ2_XXS"},
    {"quantize", "--allow-requantize", "@quantized", "@out", "Q8_0", "--verify"},
    {"quantize", "--pure", "--split-max-tensors", "3", "@model", "@out", "Q8_0"},
    {"plan", "--no-estimate", "--imatrix", "@matrix", "@model", "out", "IQ1_M"},
    {"plan", "--no-estimate", "--json", "@model", "out", "Q4_K"},
    {"verify", "@quantized"},
    {"verify", "@quantized", "--against", "@model", "--imatrix", "@dat"},
    {"compare", "@model", "@quantized"},
    {"inspect", "--full", "@model"},
    {"inspect", "--json", "@matrix"},
    {"inspect", "@quantized"},
    {"report", "@report", "-o", "page.html"},
    {"report", "@choice", "-o", "page.html"},
    {"recipe", "--target-bpw", "6", "--measurements", "@measurements", "@model"},
    {"plan", "--no-estimate", "--tensor-type-file", "@rules", "@model", "out", "Q4_K"},
};

/// The files, sound, by name: made once.
const std::map<std::string, Bytes>& sound_files() {
  static const std::map<std::string, Bytes> files = [] {
    const TempFolder folder;
    const std::string model = folder / "model";
    write_file(model, small_model());
    const Finished done = sluice(
        {"quantize", "--pure", "--report", folder / "report", model, folder / "quantized", "Q4_K"});
    expect(done.status == 0, "the sound model is refused", done);
    for (const std::string made : {"choice", "rules"}) {
      Words words = {
          "recipe", "--target-bpw", "6",          "--measurements", folder / "measurements",
          model,    "-o",           folder / made};
      if (made == "choice") words.push_back("--json");
      const Finished chosen = sluice(words);
      expect(chosen.status == 0, "no types are chosen for the sound model", chosen);
    }
    return std::map<std::string, Bytes>{{"model", small_model()},
                                        {"matrix", small_matrix_gguf()},
                                        {"dat", small_matrix_dat()},
                                        {"quantized", read_file(folder / "quantized")},
                                        {"report", read_file(folder / "report")},
                                        {"choice", read_file(folder / "choice")},
                                        {"rules", read_file(folder / "rules")},
                                        {"measurements", read_file(folder / "measurements")}};
  }();
  return files;
}

/// A number that code may not expect.
std::uint64_t odd_number(Case& one) {
  constexpr std::array<std::uint64_t, 8> kOdd = {
      0, 1, 0x7f, 0xff, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff, 0xffffffffffffffff};
  return one.chance(70) ? one.pick(kOdd) : std::uint64_t{1} << one.below(64);
}

void change(Case& one, Bytes& bytes) {
  if (bytes.empty()) return;
  // The first kilobytes decide what the rest is.
  const std::uint64_t reach =
      one.chance(75) ? std::min<std::uint64_t>(bytes.size(), 2048) : bytes.size();
  const auto at = static_cast<std::ptrdiff_t>(one.below(reach));
  const std::uint64_t left = bytes.size() - static_cast<std::uint64_t>(at);
  const auto length = static_cast<std::ptrdiff_t>(
      std::min<std::uint64_t>(left, 1 + one.below(one.chance(50) ? 8 : 300)));
  switch (one.below(8)) {
    case 0:
      bytes[static_cast<std::size_t>(at)] ^= std::byte{1} << one.below(8);
      break;
    case 1:
      bytes[static_cast<std::size_t>(at)] = static_cast<std::byte>(one.below(256));
      break;
    case 2:
    case 3: {
      const std::uint64_t number = odd_number(one);
      const auto size = std::min<std::uint64_t>(left, one.chance(50) ? 4 : 8);
      std::copy_n(reinterpret_cast<const std::byte*>(&number), size, bytes.begin() + at);
      break;
    }
    case 4:
      bytes.erase(bytes.begin() + at, bytes.begin() + at + length);
      break;
    case 5: {
      const Bytes copy(bytes.begin() + at, bytes.begin() + at + length);
      const auto to = static_cast<std::ptrdiff_t>(one.below(reach));
      Bytes rest(bytes.begin() + to, bytes.end());
      bytes.resize(static_cast<std::size_t>(to));
      put_bytes(bytes, copy.data(), copy.size());
      put_bytes(bytes, rest.data(), rest.size());
      break;
    }
    case 6:
      std::fill_n(bytes.begin() + at, length, static_cast<std::byte>(one.chance(50) ? 0 : 255));
      break;
    default:
      bytes.resize(static_cast<std::size_t>(at));
  }
}

void try_mutations(Case& one) {
  Words words = one.pick(kCommands);
  std::vector<std::string> inputs;
  for (const std::string& word : words) {
    if (word[0] == '@' && word != "@out") inputs.push_back(word.substr(1));
  }
  const std::string changed = one.pick(inputs);
  const std::string out = one.folder / "out";
  fs::create_directory(out);
  for (const std::string& name : inputs) {
    Bytes bytes = sound_files().at(name);
    for (std::uint64_t i = 0, n = 1 + one.below(3); name == changed && i < n; ++i)
      change(one, bytes);
    write_file(one.folder / name, bytes);
  }
  for (std::string& word : words) {
    if (word == "@out") {
      word = out + "/m.gguf";
    } else if (word[0] == '@') {
      word = one.folder / word.substr(1);
    } else if (word == "page.html") {
      word = out + "/" + word;
    }
  }
  const Finished done = orderly(words, limited_to(std::uint64_t{2} << 30));
  one.happened(done.status < 2 ? "accepted" : "refused");
  const std::vector<std::string> made = files_in(out);
  if (done.status >= 2) {
    expect(made.empty(), words[0] + " leaves " + (made.empty() ? "" : made[0]), done);
    return;
  }
  if (words[0] != "quantize") return;
  expect(!made.empty(), "no output", done);
  const Finished seen = orderly({"inspect", out + "/" + made[0]});
  expect(seen.status == 0, "the output is no model", seen);
}

}  // namespace

const Trial& mutations() {
  static const Trial trial{"mutations", 5000, 100, {"accepted", "refused"}, try_mutations};
  return trial;
}

}  // namespace sluice::trials
