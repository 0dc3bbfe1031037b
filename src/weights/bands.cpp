#include "weights/bands.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "weights/box.h"
#include "weights/stored_bands.h"

namespace sluice::weights {
namespace {

/// All views of the wanted tensors, in the order of the files.
std::vector<Use> uses_of(const Weights& weights, std::span<const Wanted> wanted) {
  std::vector<Use> uses;
  for (std::uint32_t index = 0; index < wanted.size(); ++index) {
    const std::vector<View>& views = wanted[index].source->views;
    std::uint64_t elements = 0;
    for (std::uint32_t i = 0; i < views.size(); ++i) {
      uses.push_back({views[i].stored, index, i, elements / wanted[index].row_elements});
      elements += Box{0, views[i].axes}.elements();
    }
  }
  std::ranges::sort(uses, {}, [&](const Use& use) {
    const Place& place = weights.stored[use.stored].place;
    return std::tuple(place.part, place.offset, use.stored, use.wanted, use.view);
  });
  return uses;
}

/// Those of the stored tensor that the first is of.
std::span<const Use> uses_of_first(std::span<const Use> uses) {
  std::size_t count = 0;
  while (count < uses.size() && uses[count].stored == uses.front().stored) ++count;
  return uses.first(count);
}

BandNeeds needs_of(const Weights& weights, std::span<const Wanted> wanted) {
  const std::vector<Use> uses = uses_of(weights, wanted);
  std::map<std::vector<std::uint64_t>, BandNeeds> known;  // most tensors are one of few kinds
  BandNeeds all;
  for (std::span<const Use> rest = uses; !rest.empty();) {
    const std::span<const Use> group = uses_of_first(rest);
    rest = rest.subspan(group.size());
    StoredBands bands(weights, group.front().stored, wanted, group);
    const auto [entry, is_new] = known.try_emplace(bands.signature());
    BandNeeds& needs = entry->second;
    if (is_new) needs = bands.needs();
    all.smallest_bytes = std::max(all.smallest_bytes, needs.smallest_bytes);
    all.total_bytes += needs.total_bytes;
    all.matrix_bytes = std::max(all.matrix_bytes, needs.matrix_bytes);
  }
  return all;
}

}  // namespace

bool Piece::in_order() const {
  const Box box = merged({first, axes});
  return box.axes.size() == 1 && box.axes.front().stride == 1;
}

BandCursor::BandCursor(const Weights& weights, std::span<const Wanted> wanted,
                       std::uint64_t most_bytes)
    : weights_(weights),
      wanted_(wanted),
      most_bytes_(most_bytes),
      uses_(uses_of(weights, wanted)) {}

BandCursor::~BandCursor() = default;

std::optional<Band> BandCursor::next() {
  if (std::optional<Band> band = next_values()) return band;
  for (;;) {
    if (bands_) {
      if (std::optional<Band> band = bands_->next(most_bytes_)) {
        if (band->matrix) band->matrix->number += matrices_;
        return band;
      }
      matrices_ += bands_->matrices();
      bands_.reset();
    }
    if (next_use_ == uses_.size()) return std::nullopt;
    const std::span<const Use> group = uses_of_first(std::span(uses_).subspan(next_use_));
    next_use_ += group.size();
    bands_ = std::make_unique<StoredBands>(weights_, group.front().stored, wanted_, group);
  }
}

std::optional<Band> BandCursor::next_values() {
  while (next_wanted_ < wanted_.size()) {
    const std::uint32_t index = static_cast<std::uint32_t>(next_wanted_++);
    const Wanted& tensor = wanted_[index];
    if (!tensor.source->views.empty()) continue;
    const std::uint64_t elements = tensor.source->values.size();
    Band band;
    band.elements = elements;
    band.pieces.push_back({.wanted = index,
                           .rows = elements / tensor.row_elements,
                           .columns = tensor.row_elements,
                           .axes = {{elements, 1}}});
    return band;
  }
  return std::nullopt;
}

std::uint64_t BandCursor::smallest_bytes(const Weights& weights, std::span<const Wanted> wanted) {
  return needs_of(weights, wanted).smallest_bytes;
}

std::uint64_t BandCursor::total_bytes(const Weights& weights, std::span<const Wanted> wanted) {
  return needs_of(weights, wanted).total_bytes;
}

std::uint64_t BandCursor::matrix_bytes(const Weights& weights, std::span<const Wanted> wanted) {
  return needs_of(weights, wanted).matrix_bytes;
}

}  // namespace sluice::weights
