#include "calibrate/written_weights.h"

#include "codec/row_groups.h"
#include "sluice/tensor_type.h"

namespace sluice::calibrate {

EncodedMatrix::EncodedMatrix(const PlannedTensor& tensor, Isa isa)
    : codec_(*find_codec(tensor.type, isa)),
      rows_(tensor.rows_per_expert()),
      columns_(tensor.row_elements()),
      bytes_(bytes_of(tensor)) {}

void EncodedMatrix::decode(std::size_t first, std::size_t count, float* out) const {
  decode_some_rows(codec_, bytes_.data(), first, count, columns_, out);
}

std::uint64_t EncodedMatrix::bytes_of(const PlannedTensor& tensor) {
  return tensor.rows_per_expert() * row_size(tensor.type, tensor.row_elements());
}

std::shared_ptr<const linear::Rows> WrittenWeights::matrix(std::string_view tensor,
                                                           std::uint64_t number) {
  const auto index = index_.find(tensor);
  if (!index || calibration_.treatments[*index] != Treatment::none) {
    return model_.matrix(tensor, number);
  }
  const PlannedTensor& planned = plan_.tensors[*index];
  const std::uint64_t rows = planned.rows_per_expert();
  auto written = std::make_shared<EncodedMatrix>(planned, isa_);
  output_.read({*index, number * rows, rows}, written->bytes());
  return written;
}

}  // namespace sluice::calibrate
