#include "imatrix/dat_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "gguf/bytes.h"
#include "sluice/error.h"

namespace sluice::imatrix {
namespace {

constexpr std::size_t kNumber = sizeof(std::int32_t);

// Values that are read and written at once, if a row is not longer.
constexpr std::uint64_t kValuesAtOnce = std::uint64_t{1} << 18;

constexpr const char* kOtherFormat = "Pass --output-format gguf";

void append_number(std::vector<std::byte>& out, std::uint64_t number) {
  append(out, static_cast<std::int32_t>(number));
}

void append_text(std::vector<std::byte>& out, std::string_view text) {
  append_number(out, text.size());
  append_bytes(out, std::as_bytes(std::span(text)));
}

std::uint64_t calls_of(std::span<const float> counts, std::uint64_t chunk_size) {
  const auto most = static_cast<std::uint64_t>(std::ranges::max(counts));
  return (most + chunk_size - 1) / chunk_size;
}

// Makes the values of a matrix of its sums.
void scale(std::span<float> row, float count, std::uint64_t calls, const std::string& tensor) {
  const auto factor = static_cast<float>(calls);
  for (float& value : row) value = (count > 0 ? value / count : 1.0f) * factor;
  const auto bad = std::ranges::find_if_not(row, [](float v) { return std::isfinite(v); });
  if (bad == row.end()) return;
  throw Error(ErrorCode::input_value,
              fmt::format("the mean of squares in column {}, times {}, is more than the older "
                          "format's numbers hold",
                          bad - row.begin(), calls),
              {.tensor = printable(tensor), .cure = kOtherFormat});
}

// As in GGUF's index.
std::string dataset_of(const SumsOrigin& origin) {
  return fmt::format("{}", fmt::join(origin.datasets, ", "));
}

// Appends an entry and hands it on, some rows at a time.
void write_entry(const SumsPlace& place, std::uint64_t chunk_size, std::vector<std::byte>& out,
                 const ReadSums& read, const WriteDat& write) {
  const Summed& tensor = place.tensor;
  std::vector<float> counts(tensor.counts());
  read(place.counts, std::as_writable_bytes(std::span(counts)));
  const std::uint64_t calls = calls_of(counts, chunk_size);
  append_text(out, tensor.name);
  append_number(out, calls);
  append_number(out, tensor.values());
  const std::uint64_t at_once = std::max<std::uint64_t>(1, kValuesAtOnce / tensor.columns);
  std::vector<float> rows;
  for (std::uint64_t first = 0; first < tensor.matrices; first += at_once) {
    rows.resize(std::min(at_once, tensor.matrices - first) * tensor.columns);
    read(place.sums + first * tensor.columns * sizeof(float),
         std::as_writable_bytes(std::span(rows)));
    for (std::size_t at = 0; at < rows.size(); at += tensor.columns) {
      const std::uint64_t matrix = first + at / tensor.columns;
      scale(std::span(rows).subspan(at, tensor.columns), counts[tensor.counts_each ? matrix : 0],
            calls, tensor.name);
    }
    append_bytes(out, std::as_bytes(std::span(rows)));
    write(out);
    out.clear();
  }
}

}  // namespace

std::uint64_t dat_size(const Layout& sums) {
  std::uint64_t size = kNumber;
  for (const auto& [name, place] : sums.places()) {
    const std::uint64_t values = place.tensor.values();
    if (values > std::numeric_limits<std::int32_t>::max()) {
      throw Error(ErrorCode::usage,
                  fmt::format("has {} values, which the older format cannot count", values),
                  {.tensor = printable(name), .cure = kOtherFormat});
    }
    size += kNumber + name.size() + kNumber + kNumber + values * sizeof(float);
  }
  return size + kNumber + kNumber + dataset_of(sums.origin()).size();
}

void write_dat(const Layout& sums, const ReadSums& read, const WriteDat& write) {
  std::vector<std::byte> out;
  append_number(out, sums.places().size());
  for (const auto& [name, place] : sums.places()) {
    write_entry(place, sums.origin().chunk_size, out, read, write);
  }
  append_number(out, sums.origin().chunks);
  append_text(out, dataset_of(sums.origin()));
  write(out);
}

}  // namespace sluice::imatrix
