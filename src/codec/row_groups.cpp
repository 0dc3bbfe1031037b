#include "codec/row_groups.h"

#include <algorithm>
#include <vector>

namespace sluice {

std::size_t whole_groups(TensorType type, std::size_t rows) noexcept {
  const std::size_t group = info(type).rows;
  return (rows + group - 1) / group * group;
}

void decode_some_rows(const Codec& codec, const std::byte* bytes, std::size_t first,
                      std::size_t count, std::size_t row_elements, float* out) {
  const std::size_t skipped = first % info(codec.type).rows;
  const std::size_t rows = whole_groups(codec.type, skipped + count);
  bytes += (first - skipped) * row_size(codec.type, row_elements);
  if (rows == count) return decode_rows(codec, bytes, count * row_elements, row_elements, out);
  std::vector<float> all(rows * row_elements);
  decode_rows(codec, bytes, all.size(), row_elements, all.data());
  std::copy_n(all.data() + skipped * row_elements, count * row_elements, out);
}

}  // namespace sluice
