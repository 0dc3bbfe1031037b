#pragma once

// What is made when it is first wanted, is the same for all, and stays.

#include <atomic>
#include <exception>

namespace sluice::inline SLUICE_ISA {

/// Thing has make(), which returns a new one, or null where there is no memory for it. One in static
/// storage would be charged to every process, of each instruction set's copy.
template <typename Thing>
class MadeOnce {
 public:
  /// Makes it unless it is there; false: there is no memory for it.
  bool prepare() noexcept {
    if (thing_.load(std::memory_order_acquire) != nullptr) return true;
    const Thing* const made = Thing::make();
    if (made == nullptr) return false;
    const Thing* none = nullptr;
    // Another thread's may be there by now.
    if (!thing_.compare_exchange_strong(none, made, std::memory_order_acq_rel)) delete made;
    return true;
  }
  /// Ends the program where it is not there and cannot be made.
  const Thing& get() noexcept {
    if (!prepare()) std::terminate();
    return *thing_.load(std::memory_order_acquire);
  }

 private:
  std::atomic<const Thing*> thing_ = nullptr;
};

}  // namespace sluice::inline SLUICE_ISA
