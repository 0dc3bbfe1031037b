#include "calibrate/pairs.h"

#include <algorithm>

namespace sluice::calibrate {

void Pairs::take(const float* x, std::uint64_t position) {
  float* const model = model_.data() + position * columns_;
  if (sequence_ % 2 == 0) {
    std::copy_n(x, columns_, model);
    waits_[position] = true;
    return;
  }
  if (!waits_[position]) return;
  float* const lacking = lacking_.data() + count_ * columns_;
  for (std::size_t i = 0; i < columns_; ++i) lacking[i] = model[i] - x[i];
  std::copy_n(x, columns_, had_.data() + count_ * columns_);
  ++count_;
}

}  // namespace sluice::calibrate
