#include "base/zero_tensors.h"

#include <fmt/format.h>

#include <cstring>
#include <functional>
#include <numeric>

#include "base/name_patterns.h"
#include "sluice/amounts.h"

namespace sluice {

bool all_zero(std::span<const std::byte> bytes) noexcept {
  return bytes.empty() ||
         (bytes[0] == std::byte{} && std::memcmp(bytes.data(), &bytes[1], bytes.size() - 1) == 0);
}

void ZeroTensors::add(const std::string& name, std::span<const std::uint64_t> shape, bool zero) {
  const std::uint64_t weights =
      std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
  weights_ += weights;
  const bool may_be_zero = weights == shape.front() && !name.ends_with("norm.weight");
  if (!zero || weights == 0 || may_be_zero) return;
  names_.push_back(name);
  zeros_ += weights;
}

std::string ZeroTensors::note() const {
  if (names_.empty()) return {};
  return fmt::format(
      "{} ({:.1f} % of the weights) with nothing but zeros, as after a download that was broken "
      "off: {}",
      counted(names_.size(), "tensor"),
      100 * static_cast<double>(zeros_) / static_cast<double>(weights_), name_patterns(names_));
}

}  // namespace sluice
