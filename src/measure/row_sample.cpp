#include "measure/row_sample.h"

#include <algorithm>

namespace sluice::measure {
namespace {

// A tensor's rows together give its relative error to 1 %, its error to some percent (bench/notes/measuring.md); an
// expert's share of them may be few.
constexpr std::uint64_t kRowsOfTensor = 192;
constexpr std::uint64_t kRowsOfMatrix = 64;

// Rows of all heads, and few enough places that a disk or a server is not kept for long.
constexpr std::uint64_t kRunsOfTensor = 16;
constexpr std::uint64_t kRunsOfMatrix = 2;
constexpr std::uint64_t kRunBytes = std::uint64_t{256} << 10;

// Experts that lie across: so many that a tensor's error is known to some percent, and that most of a large
// model is not read.
constexpr std::uint64_t kWholeMatrices = 16;

}  // namespace

std::vector<std::uint64_t> sampled_matrices(std::uint64_t matrices, bool read_whole) {
  const std::uint64_t count = read_whole ? std::min(matrices, kWholeMatrices) : matrices;
  std::vector<std::uint64_t> sampled;
  for (std::uint64_t i = 0; i < count; ++i) sampled.push_back((2 * i + 1) * matrices / (2 * count));
  return sampled;
}

std::vector<RowRun> sampled_rows(std::uint64_t rows, std::uint64_t matrices,
                                 std::uint64_t row_bytes) {
  const std::uint64_t wanted = std::min(rows, std::max(kRowsOfMatrix, kRowsOfTensor / matrices));
  const std::uint64_t runs_wanted = std::max(kRunsOfMatrix, kRunsOfTensor / matrices);
  const std::uint64_t most = std::max<std::uint64_t>(1, kRunBytes / row_bytes);
  const std::uint64_t longest = std::clamp<std::uint64_t>(wanted / runs_wanted, 1, most);
  const std::uint64_t count = (wanted + longest - 1) / longest;
  const std::uint64_t length = (wanted + count - 1) / count;
  std::vector<RowRun> runs;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t begin = rows * i / count;
    const std::uint64_t end = rows * (i + 1) / count;
    const std::uint64_t size = std::min(length, end - begin);
    runs.push_back({begin + (end - begin - size) / 2, size});
  }
  return runs;
}

}  // namespace sluice::measure
