// Numbers that a file cannot mean, one at a time, where a file has a count, a length or an extent: the
// program does not take memory by them.

#include <cstring>
#include <filesystem>

#include "trials.h"

namespace sluice::trials {
namespace {

namespace fs = std::filesystem;

/// Places of what may be a count: 32 or 64 bits with a small number that is not 0.
std::vector<std::size_t> places_of_counts(const Bytes& bytes, std::size_t size) {
  constexpr std::uint64_t kSmall = 5000;
  constexpr std::size_t kHeader = 1200;
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at + 8 <= std::min(bytes.size(), kHeader); ++at) {
    std::uint64_t number = 0;
    std::memcpy(&number, &bytes[at], size);
    if (number > 0 && number < kSmall) places.push_back(at);
  }
  return places;
}

void try_counts(Case& one) {
  const std::string out = one.folder / "out";
  fs::create_directory(out);
  const bool dat = one.chance(30);
  const bool matrix = dat || one.chance(30);
  Bytes bytes = dat ? small_matrix_dat() : matrix ? small_matrix_gguf() : small_model();
  const std::size_t size = dat || one.chance(30) ? 4 : 8;
  // Just beyond what there is, what fits only just, or what cannot be.
  const std::uint64_t absurd[] = {
      bytes.size(),           std::uint64_t{1} << 20,       0x7fffffff,         0xffffffff,
      std::uint64_t{1} << 40, (std::uint64_t{1} << 61) + 1, 0x7fffffffffffffff, 0xffffffffffffffff};
  const std::uint64_t number = one.pick(absurd);
  std::memcpy(&bytes[one.pick(places_of_counts(bytes, size))], &number, size);
  write_file(one.folder / "model", matrix ? small_model() : bytes);
  write_file(one.folder / "matrix", matrix ? bytes : small_matrix_gguf());
  const Words words =
      one.chance(20)
          ? Words{"inspect", one.folder / (matrix && !dat ? "matrix" : "model")}
          : Words{"quantize",           "--memory",      "64M",  "--imatrix", one.folder / "matrix",
                  one.folder / "model", out + "/m.gguf", "IQ1_M"};
  const Finished done = orderly(words, limited_to(std::uint64_t{384} << 20));
  expect(done.errors.find("out of memory") == std::string::npos, "memory by the file's number",
         done);
  if (done.status != 0) expect(files_in(out).empty(), "something is left", done);
  one.happened(done.status == 0 ? "accepted" : "refused");
}

}  // namespace

const Trial& counts() {
  static const Trial trial{"counts", 1000, 50, {"refused"}, try_counts};
  return trial;
}

}  // namespace sluice::trials
