#include <fmt/format.h>

#include <algorithm>

#include "checkpoint/families/family.h"

namespace sluice::checkpoint {
namespace {

/// Rotary embeddings turn element i of a head with i + size / 2 in checkpoints, and 2i with 2i + 1
/// in GGUF of some families.
View rotary_view(const Match& match, std::uint64_t heads) {
  const Shape& shape = match.stored.shape;
  if (shape.empty() || shape.size() > 2) match.shape(2);
  const std::uint64_t columns = shape.size() == 2 ? shape[1] : 1;
  const std::uint64_t size = match.part(shape[0], heads);
  const std::uint64_t half = match.part(size, 2);
  std::vector<Axis> axes = {{heads, size * columns}, {half, columns}, {2, half * columns}};
  if (shape.size() == 2) axes.push_back({columns, 1});
  return match.view(0, std::move(axes));
}

View whole_view(const Match& match) {
  const std::uint64_t columns = match.stored.columns();
  const std::uint64_t elements = match.stored.elements();
  if (elements == 0) refuse_tensor(match.stored.name, "it is empty");
  return match.view(0, {{elements / columns, columns}, {columns, 1}});
}

}  // namespace

const Shape& Match::shape(std::size_t extents) const {
  if (stored.shape.size() != extents) {
    refuse_tensor(stored.name, fmt::format("it has {} extents, and {} are expected",
                                           stored.shape.size(), extents));
  }
  elements_of(stored.shape, stored.name);  // none is 0
  return stored.shape;
}

std::uint64_t Match::part(std::uint64_t extent, std::uint64_t parts) const {
  if (parts == 0 || extent == 0 || extent % parts != 0) {
    refuse_tensor(stored.name,
                  fmt::format("an extent of {} should have {} equal parts", extent, parts));
  }
  return extent / parts;
}

bool Match::has_blocks_along_rows() const {
  return stored.coding == Coding::mxfp4 || stored.coding == Coding::nvfp4;
}

View Match::view(std::uint64_t first, std::vector<Axis> axes) const {
  return {index, first, std::move(axes)};
}

void Match::make(Draft& draft, std::string_view word, Shape shape, std::vector<View> views) const {
  std::string name = target;
  if (const std::size_t place = name.find("{}"); place != name.npos) name.replace(place, 2, word);
  draft.add(name, std::move(shape), std::move(views), change);
}

void as_it_is(const Match& match, Draft& draft) {
  match.make(draft, "", match.stored.shape, {whole_view(match)});
}

void expert(const Match& match, Draft& draft) {
  draft.add_expert(match.target, match.expert, match.shape(2), whole_view(match));
}

void rotary_query(const Match& match, Draft& draft) {
  match.make(draft, "", match.stored.shape, {rotary_view(match, head_count(match.config))});
}

void rotary_key(const Match& match, Draft& draft) {
  match.make(draft, "", match.stored.shape, {rotary_view(match, key_head_count(match.config))});
}

void transposed(const Match& match, Draft& draft) {
  const Shape& shape = match.shape(3);
  if (match.has_blocks_along_rows()) return as_it_is(match, draft);
  match.make(
      draft, "", {shape[0], shape[2], shape[1]},
      {match.view(0, {{shape[0], shape[1] * shape[2]}, {shape[2], 1}, {shape[1], shape[2]}})});
}

void gate_and_up_rows(const Match& match, Draft& draft) {
  const Shape& shape = match.shape(3);
  const std::uint64_t rows = match.part(shape[1], 2);
  const std::uint64_t half = rows * shape[2];
  for (const std::uint64_t up : {0, 1}) {
    match.make(draft, up == 0 ? "gate" : "up", {shape[0], rows, shape[2]},
               {match.view(up * half, {{shape[0], 2 * half}, {rows, shape[2]}, {shape[2], 1}})});
  }
}

void gate_and_up_columns(const Match& match, Draft& draft) {
  if (match.has_blocks_along_rows()) return gate_and_up_rows(match, draft);
  const Shape& shape = match.shape(3);
  const std::uint64_t width = shape[2];
  const std::uint64_t rows = match.part(width, 2);
  for (const std::uint64_t up : {0, 1}) {
    match.make(
        draft, up == 0 ? "gate" : "up", {shape[0], rows, shape[1]},
        {match.view(up * rows, {{shape[0], shape[1] * width}, {rows, 1}, {shape[1], width}})});
  }
}

}  // namespace sluice::checkpoint
