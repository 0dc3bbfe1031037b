#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/part.h"
#include "model/rope.h"

namespace sluice::model {

/// Which keys a query at position p sees: of those up to its own, all, the last so many, or those
/// of its own stretch of so many positions.
struct Reach {
  enum class Kind { all, window, stretch };

  Kind kind = Kind::all;
  std::uint64_t positions = 0;

  std::uint64_t first(std::uint64_t p) const;
};

/// Scores made from queries and keys, and how they weigh the values.
struct Scores {
  std::uint64_t heads = 0;      ///< of queries
  std::uint64_t key_heads = 0;  ///< as many of values; each serves equally many heads of queries
  std::uint64_t key_length = 0;
  std::uint64_t value_length = 0;
  float scale = 1;
  float cap = 0;  ///< scores become cap * tanh(score / cap); 0: they stay
  Reach reach = {};
};

/// What one worker needs for it.
std::uint64_t attention_bytes(std::uint64_t sequence_length);

/// mixed [tokens, heads * value_length] = softmax(q k^T) v for each head of each sequence.
/// \param q, k, v  [tokens, heads * length] of whole sequences; queries are scaled in place
/// \param sinks    [heads], a score of each head that takes its share and gives no value; or empty
void attend(const Scores& scores, std::uint64_t sequence_length, const linear::Matrix& q,
            const linear::ConstMatrix& k, const linear::ConstMatrix& v,
            const std::vector<float>& sinks, const linear::Matrix& mixed, Isa isa, Team& team);

/// Queries grow with the logarithm of the position's stretch (Llama 4's temperature tuning).
struct Temperature {
  double scale = 0;  ///< 0: they do not
  double offset = 0;
  double stretch = 1;

  float at(std::uint64_t position) const;
};

/// Of models whose metadata give the scale.
/// \throws Error if there is a scale, and no stretch
Temperature temperature_of(const Metadata& model, std::uint64_t stretch);

/// What a layer's attention is made of.
struct AttentionParts {
  Frame frame;
  std::vector<Projection> inputs;  ///< of queries, keys, values; or all in one
  bool gated =
      false;  ///< behind each head's query is a gate, whose sigmoid weighs what the head gives
  Projection output;
  Scores scores;
  std::optional<Rope> rope;  ///< none: the layer knows no positions
  /// Before heads are turned: weights, as many as a head has numbers or as all of them have
  /// together, or nothing.
  std::string query_norm = {};
  std::string key_norm = {};
  bool norm_after_rope = false;  ///< then heads are divided by their norms alone
  float norm_epsilon = 0;
  std::string sinks = {};
  /// To a number for each head, whose sigmoid weighs what the head gives.
  std::optional<Projection> head_gate = {};
  float output_scale = 1;  ///< what the output projection gives is multiplied by it
  Temperature temperature = {};
};

/// As most models name and number them: heads, lengths, and what tensors there are, with all reach,
/// without norms of heads. Families change what is otherwise with them.
/// \param frame  the norms around it
/// \param gated  see AttentionParts
AttentionParts attention_parts(const Metadata& model, std::uint64_t layer, const Frame& frame,
                               bool gated = false);

/// Adds rotary positions as the model's keys and tensors say.
void add_rope(const Metadata& model, bool neighbours, AttentionParts& parts);

/// Whether the model's pattern says that a layer sees a window; then that is added, and positions have the
/// base of such layers.
bool add_window(const Metadata& model, std::uint64_t layer, AttentionParts& parts,
                RopeChoice& choice);

/// Norms of each head before they are turned, which must be there: attn_q_norm and attn_k_norm.
void add_head_norms(const Metadata& model, std::uint64_t layer, AttentionParts& parts);

/// The same of all heads together.
void add_joint_norms(const Metadata& model, std::uint64_t layer, AttentionParts& parts);

std::unique_ptr<Part> attention(AttentionParts parts);

}  // namespace sluice::model
