#include "quantize/encoding_findings.h"

namespace sluice {

void add_errors(std::span<const float> values, std::span<const float> decoded,
                std::span<const float> importance, EncodingErrors& errors) {
  const ErrorSums plain = plain_errors(values, decoded.data());
  errors.plain += plain;
  if (importance.empty()) {
    errors.weighted += plain;
    return;
  }
  for (std::size_t row = 0; row < values.size(); row += importance.size()) {
    errors.weighted +=
        weighted_errors(values.subspan(row, importance.size()), &decoded[row], importance.data());
  }
}

}  // namespace sluice
