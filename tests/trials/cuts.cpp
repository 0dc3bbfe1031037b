// Files that end where they should not: inputs, and what a stopped run left. A cut model is never
// quantized as if it were whole, and a run goes on to the same bytes or says that it cannot.

#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "trials.h"

namespace sluice::trials {
namespace {

namespace fs = std::filesystem;

void cut(Case& one, const std::string& path) {
  const std::uint64_t size = fs::file_size(path);
  // Padding may be missing at the end.
  const std::uint64_t end = size - std::min<std::uint64_t>(size, 32);
  // Anywhere, in the first kilobytes, before the last bytes, or at nothing.
  const std::uint64_t places[] = {one.below(end + 1),
                                  one.below(std::min<std::uint64_t>(end, 4096) + 1),
                                  end - one.below(std::min<std::uint64_t>(end, 64) + 1), 0};
  fs::resize_file(path, one.pick(places));
}

void cut_input(Case& one) {
  const std::string out = one.folder / "out";
  fs::create_directory(out);
  write_file(one.folder / "model", small_model());
  write_file(one.folder / "matrix", one.chance(50) ? small_matrix_gguf() : small_matrix_dat());
  const bool model = one.chance(60);
  const std::string path = one.folder / (model ? "model" : "matrix");
  cut(one, path);
  const Finished done = orderly({"quantize", "--imatrix", one.folder / "matrix",
                                 one.folder / "model", out + "/m.gguf", "IQ1_M"});
  expect(done.status == (model ? 3 : 5), "a file cut to " + std::to_string(fs::file_size(path)),
         done);
  expect(done.errors.find(path) != std::string::npos, "the cut file is not named", done);
  expect(files_in(out).empty(), "something is left", done);
  one.happened(model ? "model" : "matrix");
}

void cut_work(Case& one) {
  static const Bytes whole = [] {
    const TempFolder folder;
    const std::string out = folder / "m.gguf";
    const Finished done = sluice({"quantize", "--imatrix", kMatrix, kModel, out, "IQ1_M"});
    expect(done.status == 0, "the whole run fails", done);
    return read_file(out);
  }();
  const std::string out = one.folder / "m.gguf";
  Words words = {"quantize", "--checkpoint", "0", "--imatrix", kMatrix, kModel, out, "IQ1_M"};
  Words stopped = {"timeout", "-s", "KILL", "0.0" + std::to_string(20 + one.below(70)),
                   SLUICE_PROGRAM};
  stopped.insert(stopped.end(), words.begin(), words.end());
  run(stopped);
  // Too early, or done.
  if (!fs::exists(out + ".part") || !fs::exists(out + ".part.journal")) return;
  cut(one, one.chance(50) ? out + ".part" : out + ".part.journal");
  Finished done = orderly(words);
  if (done.status != 0) {
    one.happened("refused");
    words.push_back("--restart");
    done = orderly(words);
    if (done.status != 0) {  // another program's, for all that is known: what helps is to remove it
      expect(done.errors.find("remove it") != std::string::npos, "no cure", done);
      fs::remove(out + ".part");
      fs::remove(out + ".part.journal");
      done = orderly(words);
    }
  }
  expect(done.status == 0, "neither goes on nor begins anew", done);
  expect(read_file(out) == whole, "other bytes");
  one.happened("resumed");
}

void try_cuts(Case& one) {
  one.number % 4 == 0 ? cut_work(one) : cut_input(one);
}

}  // namespace

const Trial& cuts() {
  static const Trial trial{"cuts", 400, 40, {"model", "matrix", "resumed"}, try_cuts};
  return trial;
}

}  // namespace sluice::trials
