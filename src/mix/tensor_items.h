#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mix/choose.h"
#include "sluice/mix.h"
#include "sluice/mix_target.h"

// From tensors to items, and back.

namespace sluice::mix {

/// Of each tensor the index of the place that it is in: the first whose pattern matches; "*" has those
/// that no other does. Without places all are in the first.
/// \throws Error (usage) if a tensor is in none, or no tensor is in a place
std::vector<std::size_t> places_of(std::span<const TensorChoice> tensors,
                                   std::span<const PlaceTarget> places);

/// Tensors as items: those of a layer that are tied are one, with the types that all of them can have.
class TensorItems {
 public:
  /// \param tensors    with their types, `chosen` being of no account
  /// \param places     of each of them
  /// \param ties       as MixTarget has them; they leave tensors alone that have one type only
  /// \param alignment  of tensors in the output, whose padding is counted
  /// \throws Error (usage) if tensors that are tied have no type in common, or are in two places;
  ///         (input_value) if a divergence is no number that can be compared
  TensorItems(std::span<const TensorChoice> tensors, std::span<const std::size_t> places,
              std::span<const std::string> ties, std::uint64_t alignment);

  const std::vector<Item>& items() const { return items_; }

  /// Of each tensor the index in its types.
  /// \param candidates  chosen for the items; what follows them is of no account
  std::vector<std::size_t> types_of(std::span<const std::size_t> candidates) const;

 private:
  /// Adds a type to the last item, if all its members can have it.
  void add_candidate(std::span<const TensorChoice> tensors, std::span<const std::size_t> members,
                     TensorType type, std::uint64_t alignment);

  std::vector<Item> items_;
  std::vector<std::vector<std::size_t>> members_;  ///< of each item the tensors
  /// Of each item and candidate the index in each member's types.
  std::vector<std::vector<std::vector<std::size_t>>> types_;
};

}  // namespace sluice::mix
