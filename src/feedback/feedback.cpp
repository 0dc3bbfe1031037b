#include "feedback/feedback.h"

#include "feedback/row_encoder.h"

namespace sluice::feedback {

std::uint64_t scratch_bytes(std::size_t n) {
  return RowEncoder::scratch_numbers(n) * sizeof(float);
}

Errors encode_rows(const linear::ConstMatrix& values, const linear::Factor& factor,
                   const Settings& settings, std::byte* scratch, std::byte* out) {
  RowEncoder rows(values, factor, settings, reinterpret_cast<float*>(scratch), out);
  rows.encode();
  for (int sweep = 0; sweep < settings.sweeps; ++sweep) rows.improve();
  const Errors errors = rows.correct_bias();
  rows.bring_rows_together();
  return errors;
}

}  // namespace sluice::feedback
