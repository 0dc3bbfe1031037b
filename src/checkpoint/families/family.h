#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/config.h"
#include "checkpoint/draft.h"
#include "checkpoint/metadata.h"
#include "checkpoint/model.h"

namespace sluice::checkpoint {

/// A stored tensor to which a rule applies.
struct Match {
  const Config& config;
  const Stored& stored;
  std::size_t index;         ///< of the stored tensor
  std::string target;        ///< what is to be made; with {} where it is several
  std::uint64_t expert = 0;  ///< where the rule has one
  Change change = Change::none;

  /// The extents, which must be so many.
  const Shape& shape(std::size_t extents) const;
  /// A part of an extent that has so many parts of one size.
  std::uint64_t part(std::uint64_t extent, std::uint64_t parts) const;
  /// Whether there are blocks of codes along the rows: then a matrix that is else stored transposed
  /// is not, for such blocks are made of weights that are multiplied with one row of inputs.
  bool has_blocks_along_rows() const;
  /// Adds the target, with a word in place of {}, made of views of this tensor.
  void make(Draft& draft, std::string_view word, Shape shape, std::vector<View> views) const;
  /// A view of this tensor.
  View view(std::uint64_t first, std::vector<Axis> axes) const;
};

/// Adds to the draft what becomes of a stored tensor.
using Transform = void (*)(const Match& match, Draft& draft);

/// A row of a table of names. In names N stands for the layer's number, E for the expert's, a `*` at
/// the end for `weight` or `bias`. Stored names are given without `model.` and `language_model.`,
/// and with `mlp` for what some call `feed_forward` or `block_sparse_moe`.
struct Rule {
  std::string_view stored;
  std::string_view target;  ///< empty: the tensor is dropped
  Transform transform;
};

/// What is given to a family's function, which writes metadata and tensors that are not stored.
struct Description {
  const Config& config;
  std::uint64_t layers;  ///< as `block_count` is to be
  Metadata& out;
  Draft& draft;
};

/// What becomes of layers from `num_hidden_layers` on, which guess more than one token.
enum class ExtraLayers { refused, dropped, kept };

/// Models of one kind: how their checkpoints become GGUF.
struct Family {
  std::string_view architecture;          ///< GGUF's name
  std::vector<std::string_view> classes;  ///< names in config.json
  std::vector<Rule> rules = {};           ///< beside the common ones, of which they take precedence
  void (*describe)(const Description& description);
  ExtraLayers extra_layers = ExtraLayers::refused;
  /// Whether a stored tensor is a norm's weight less one.
  bool (*less_one)(std::string_view stored) = nullptr;
  std::string_view dropped_prefix = {};  ///< of stored tensors that the model does not need
};

/// All families.
std::span<const Family> families();

/// The rules that all families share, unless they have their own.
std::span<const Rule> common_rules();

/// Rules of layers that guess more tokens, for families that keep them.
std::vector<Rule> nextn_rules();

// Transforms that several families use.

/// The tensor as it is; a second extent of 1 between two others is left out.
void as_it_is(const Match& match, Draft& draft);
/// One expert's matrix of a stack.
void expert(const Match& match, Draft& draft);
/// Rows of a head, of which halves rotate against each other, as pairs that are neighbours.
void rotary_query(const Match& match, Draft& draft);
void rotary_key(const Match& match, Draft& draft);
/// Stacked matrices, each transposed, unless blocks of codes show that it is as GGUF has it.
void transposed(const Match& match, Draft& draft);
/// Experts' gates and ups, stacked and joined, [E, 2 ff, n]: {} becomes gate and up, [E, ff, n].
void gate_and_up_rows(const Match& match, Draft& draft);
/// The same stored transposed, [E, n, 2 ff], gates before ups, with the same exception.
void gate_and_up_columns(const Match& match, Draft& draft);

}  // namespace sluice::checkpoint
