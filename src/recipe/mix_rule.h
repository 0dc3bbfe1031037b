#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "recipe/choose_types.h"
#include "recipe/ftype.h"
#include "recipe/model_facts.h"
#include "recipe/tensor_kind.h"
#include "sluice/tensor_type.h"

namespace sluice::recipe {

/// The type that a rule asks for, before the tensor's row length is looked at.
struct Rule {
  TensorType type;
  std::string_view reason;
  Decider decider = Decider::mix;
};

/// Where a tensor stands, as far as any rule of a mix asks.
struct Situation {
  const ModelFacts& facts;
  bool has_imatrix;
  /// Which of its kind the tensor is: `ffn_*` of a model with experts by layer, else in the order
  /// in which the peer meets them.
  std::uint64_t index;
  std::optional<std::uint64_t> values;  ///< of how many, if it holds values; else of the layers
  bool stacked;                         ///< more than one matrix: experts
  bool shared_expert;                   ///< of an expert that all tokens go through

  /// Of how many the tensor is one.
  /// \throws Error (input_format) if they are the layers and the model does not tell them
  std::uint64_t count() const { return values ? *values : facts.layer_count(); }
};

using Condition = bool (*)(const Situation&);

/// A set of tensor kinds.
class KindSet {
 public:
  constexpr KindSet(TensorKind kind) : bits_(bit(kind)) {}
  constexpr KindSet(std::initializer_list<TensorKind> kinds) : bits_(0) {
    for (const TensorKind kind : kinds) bits_ |= bit(kind);
  }
  static constexpr KindSet all() {
    KindSet set({});
    set.bits_ = ~std::uint32_t{0};
    return set;
  }

  constexpr bool contains(TensorKind kind) const { return (bits_ & bit(kind)) != 0; }

 private:
  static constexpr std::uint32_t bit(TensorKind kind) {
    return std::uint32_t{1} << static_cast<unsigned>(kind);
  }

  std::uint32_t bits_;
};

/// A row of a mix's table. Of the rows that name the tensor's kind and the file type, the first
/// whose condition holds decides; if there is none, the tensor gets the file type's own type.
struct MixRule {
  KindSet kinds;
  FtypeSet file_types;
  Condition when;
  std::optional<TensorType> type;  ///< nothing: the file type's own
  std::string_view reason;
};

inline constexpr std::string_view kDefaultReason = "default";
/// Why a tensor keeps the blocks that it was published in.
inline constexpr std::string_view kPublishedReason = "as published";

// The conditions that both mixes use.
inline constexpr Condition always = [](const Situation&) { return true; };
inline constexpr Condition without_imatrix = [](const Situation& s) { return !s.has_imatrix; };
inline constexpr Condition first_eighth = [](const Situation& s) {
  return s.index < s.count() / 8;
};
inline constexpr Condition first_sixteenth = [](const Situation& s) {
  return s.index < s.count() / 16;
};
inline constexpr Condition first_two = [](const Situation& s) { return s.index < 2; };
inline constexpr Condition first_four = [](const Situation& s) { return s.index < 4; };
/// The first and the last eighth, and every third between: where errors do the most harm.
inline constexpr Condition important = [](const Situation& s) {
  const std::uint64_t eighth = s.count() / 8;
  return s.index < eighth || s.index >= 7 * s.count() / 8 || (s.index - eighth) % 3 == 2;
};
inline constexpr Condition between_eighths = [](const Situation& s) {
  return s.index >= s.count() / 8 && s.index < 7 * s.count() / 8;
};
inline constexpr Condition falcon = [](const Situation& s) {
  return s.facts.architecture == "falcon";
};
inline constexpr Condition not_falcon = [](const Situation& s) { return !falcon(s); };
inline constexpr Condition shared_by_4 = [](const Situation& s) {
  return s.facts.query_group >= 4;
};

/// The output, or the token embedding that serves as one.
Rule llama_cpp_output_rule(Ftype file_type, TensorType own, const ModelFacts& facts,
                           std::uint64_t row_elements);
Rule ik_llama_cpp_output_rule(Ftype file_type, TensorType own, const ModelFacts& facts,
                              std::uint64_t row_elements);

/// All other tensors.
Rule llama_cpp_rule(TensorKind kind, Ftype file_type, TensorType own, const Situation& situation);
Rule ik_llama_cpp_rule(TensorKind kind, Ftype file_type, TensorType own,
                       const Situation& situation);

/// The rows for the feed-forward tensors that both mixes share.
std::span<const MixRule> shared_ffn_rules() noexcept;

/// The first row of a table that applies, or null.
/// \throws Error (input_format) if that depends on what the model does not tell
const MixRule* find_rule(std::span<const MixRule> table, TensorKind kind, Ftype file_type,
                         const Situation& situation);

/// File types of so few bits that the mixes have rules of their own for them.
inline constexpr FtypeSet kFewBits = {Ftype::iq1_s, Ftype::iq1_m, Ftype::iq2_xxs, Ftype::iq2_xs,
                                      Ftype::iq2_s, Ftype::iq2_m, Ftype::iq2_ks};

}  // namespace sluice::recipe
