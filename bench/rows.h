#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace sluice::bench {

/// Memory that starts on a page, as the engine's does: stores of whole registers then stay within lines of the cache.
template <typename T>
struct InPages {
  using value_type = T;

  InPages() = default;
  template <typename Other>
  InPages(const InPages<Other>&) noexcept {}

  static T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), kPage));
  }
  static void deallocate(T* memory, std::size_t) noexcept { ::operator delete(memory, kPage); }
  bool operator==(const InPages&) const noexcept { return true; }

 private:
  static constexpr std::align_val_t kPage{4096};
};
template <typename T>
using PageVector = std::vector<T, InPages<T>>;

/// Rows to encode. 512 KB: they stay in a core's cache, as the tiles of a quantization run do.
struct Rows {
  static constexpr std::size_t kRows = 32;
  static constexpr std::size_t kRowElements = 4096;
  static constexpr std::size_t kElements = kRows * kRowElements;

  PageVector<float> values;      ///< [kRows, kRowElements], exact in BF16
  PageVector<float> importance;  ///< [kRowElements]
};

/// The rows of all benchmarks, like those of a model: heavy-tailed (Student's t, 5 degrees of
/// freedom) and each row with a size of its own, importance log-normal. The same in every run.
const Rows& rows();

}  // namespace sluice::bench
