#include "verify/tensor_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

namespace sluice {
namespace {

std::vector<DamagedRun> joined(std::vector<DamagedRun> runs) {
  std::sort(runs.begin(), runs.end(), [](const DamagedRun& a, const DamagedRun& b) {
    return std::tuple(a.fault, a.first_element) < std::tuple(b.fault, b.first_element);
  });
  std::vector<DamagedRun> result;
  for (const DamagedRun& run : runs) {
    if (!result.empty() && result.back().fault == run.fault &&
        result.back().end_element == run.first_element) {
      DamagedRun& last = result.back();
      last.end_element = run.end_element;
      last.certain = last.certain || run.certain;
      if (run.error > last.error) std::tie(last.error, last.limit) = std::tie(run.error, run.limit);
    } else {
      result.push_back(run);
    }
  }
  return result;
}

std::string rows_text(const TensorPair& pair, const DamagedRun& run) {
  const auto row_text = [&](std::uint64_t row) {
    return pair.experts() == 1 ? fmt::format("{}", row)
                               : fmt::format("{} of expert {}", row % pair.rows_per_expert(),
                                             row / pair.rows_per_expert());
  };
  const std::uint64_t first = run.first_element / pair.row_elements();
  const std::uint64_t last = (run.end_element - 1) / pair.row_elements();
  if (first == last) return fmt::format("row {}", row_text(first));
  if (first / pair.rows_per_expert() == last / pair.rows_per_expert()) {
    return fmt::format("rows {} to {}", first % pair.rows_per_expert(), row_text(last));
  }
  return fmt::format("rows {} to {}", row_text(first), row_text(last));
}

std::string what(const TensorPair& pair, const DamagedRun& run) {
  switch (run.fault) {
    case Fault::scale:
      return "holds a scale or a value that is NaN or infinite";
    case Fault::copy:
      return "is not the copy of its source that its type promises";
    case Fault::source:
      return "cannot be compared: its source holds NaN or infinity";
    default:
      return fmt::format(
          "is not what its source encodes to: the error is {:.3g} of the source's square, where "
          "{} has {:.3g} at most",
          run.error, name(pair.tensor->type), run.limit);
  }
}

}  // namespace

std::uint64_t region_elements(TensorType type) {
  constexpr std::uint64_t kFloats = 256;
  const std::uint64_t block = info(type).block_elements;
  return block > 1 ? block : kFloats;
}

std::uint64_t add_findings(const TensorPair& pair, std::vector<DamagedRun> runs,
                           FindingList& findings) {
  const std::uint64_t region = region_elements(pair.type());
  std::uint64_t regions = 0;
  for (const DamagedRun& run : joined(std::move(runs))) {
    const std::uint64_t elements = run.end_element - run.first_element;
    if (!run.certain && elements <= region) continue;
    regions += (elements + region - 1) / region;
    const std::uint64_t row = run.first_element / pair.row_elements();
    const std::uint64_t last = (run.end_element - 1) / pair.row_elements();
    const std::uint64_t expert = row / pair.rows_per_expert();
    const std::uint64_t offset = pair.offset + pair.bytes_of(run.first_element);
    const std::uint64_t size = pair.bytes_of(run.end_element) - pair.bytes_of(run.first_element);
    findings.add({.fault = run.fault,
                  .file = pair.file->path(),
                  .tensor = pair.tensor->name,
                  .what = fmt::format("{}, bytes {} to {}: {}", rows_text(pair, run), offset,
                                      offset + size - 1, what(pair, run)),
                  .rows = RowRange{.expert = expert,
                                   .first = row - expert * pair.rows_per_expert(),
                                   .last = last - expert * pair.rows_per_expert()},
                  .offset = offset,
                  .size = size,
                  .error = run.error,
                  .limit = run.limit});
  }
  return regions;
}

}  // namespace sluice
