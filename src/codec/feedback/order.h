#pragma once

// The order in which a sub-block's columns are searched, where a type's groups are not columns side by
// side: such a type says kOrder, the column at each place.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/feedback/frame.h"

namespace sluice::inline SLUICE_ISA::ldlq {

template <std::size_t kSize>
using Order = std::array<std::uint8_t, kSize>;

template <typename Type>
inline constexpr bool kReordered = requires {
  Type::kOrder;
};

template <typename Type>
constexpr Order<Type::kSubBlock> order_of() noexcept {
  if constexpr (kReordered<Type>) {
    return Type::kOrder;
  } else {
    Order<Type::kSubBlock> order{};
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint8_t>(i);
    return order;
  }
}

/// To the type's order.
template <typename Type>
void reorder(Floats (&columns)[Type::kSubBlock]) noexcept {
  if constexpr (kReordered<Type>) {
    Floats before[Type::kSubBlock];
    std::copy_n(columns, Type::kSubBlock, before);
    for (std::size_t i = 0; i < Type::kSubBlock; ++i) columns[i] = before[Type::kOrder[i]];
  }
}

/// From it.
template <typename Type>
void restore_order(Floats (&columns)[Type::kSubBlock]) noexcept {
  if constexpr (kReordered<Type>) {
    Floats before[Type::kSubBlock];
    std::copy_n(columns, Type::kSubBlock, before);
    for (std::size_t i = 0; i < Type::kSubBlock; ++i) columns[Type::kOrder[i]] = before[i];
  }
}

}  // namespace sluice::inline SLUICE_ISA::ldlq
