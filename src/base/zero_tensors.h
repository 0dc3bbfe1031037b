#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice {

/// Whether there is nothing but zeros. Ends at the first other byte.
bool all_zero(std::span<const std::byte> bytes) noexcept;

/// Collects tensors of nothing but zeros, which a download leaves that was broken off after its
/// file had got its full length.
class ZeroTensors {
 public:
  /// Counts a tensor of a model.
  /// \param shape  row length first
  void add(const std::string& name, std::span<const std::uint64_t> shape, bool zero);

  /// A sentence with their number, share of the weights and names; empty if there are none. Vectors
  /// that are no norms are not told, as biases may well be zeros.
  std::string note() const;

 private:
  std::vector<std::string> names_;
  std::uint64_t zeros_ = 0;
  std::uint64_t weights_ = 0;
};

}  // namespace sluice
