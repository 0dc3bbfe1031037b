#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/team.h"
#include "linear/matrix.h"
#include "sluice/codec.h"
#include "sluice/gguf.h"

// Models that are run, layer by layer, over all tokens of a calibration text at once. A family of
// models is one description (src/model/families); weights come from whoever has them, and who wants
// to know what a matrix is multiplied by watches.

namespace sluice::model {

/// Gives the weights of the layer in hand. The names are GGUF's.
class WeightStore {
 public:
  virtual ~WeightStore() = default;

  /// A matrix, or of a tensor of several matrices one of them (an expert's, a head's). What it
  /// gives may go from memory when the last owner lets it go. \throws Error
  virtual std::shared_ptr<const linear::Rows> matrix(std::string_view tensor,
                                                     std::uint64_t number = 0) = 0;

  /// A tensor of few numbers, whole: norms, biases, sinks.
  virtual std::vector<float> numbers(std::string_view tensor) = 0;

  virtual bool has(std::string_view tensor) const = 0;
};

/// Weight matrices that are multiplied by the same input.
struct Input {
  std::vector<std::string> tensors;  ///< as "blk.0.attn_q.weight"
  std::uint64_t number = 0;          ///< which of their matrices (expert, head)
  std::uint64_t matrices = 1;        ///< so many they have
};

/// Which of all tokens the rows of a matrix are: neighbours, or those of a list.
struct TokenRows {
  std::uint64_t first = 0;
  std::span<const std::uint32_t> listed = {};  ///< ascending; empty: all from `first` on

  std::uint64_t operator[](std::size_t row) const {
    return listed.empty() ? first + row : listed[row];
  }
};

/// A product with a weight matrix.
struct Product {
  const std::string& tensor;
  std::uint64_t number;  ///< which of its matrices (expert, head)
  const linear::Rows& weight;
  TokenRows tokens;       ///< of the rows of x and y
  linear::ConstMatrix x;  ///< [tokens, columns]
  linear::Matrix y;       ///< [tokens, rows] = x W^T, before a scale and a bias
};

/// Sees what matrices are multiplied by, in the order of the calculation. Called by one thread.
class Watcher {
 public:
  virtual ~Watcher() = default;

  /// Whether to be told of this input at all.
  virtual bool wants(const Input& input) = 0;

  /// Tokens of an input: x [tokens, columns]. Comes several times for an input, in the order of the
  /// tokens.
  virtual void see(const Input& input, const linear::ConstMatrix& x) = 0;

  /// The same for those who want to know which tokens they are.
  virtual void see_tokens(const Input& input, const linear::ConstMatrix& x, const TokenRows&) {
    see(input, x);
  }

  /// All tokens of this input have been seen, and what the matrices gave has been used: nobody
  /// needs the matrices any more. Comes also where no token came (an expert that none was sent to).
  virtual void finished(const Input& input) = 0;

  /// A matrix of the model's own has been multiplied: y may be changed, and the model goes on with that. Of an
  /// input's matrices each comes by itself, for the same tokens as the others.
  virtual void multiplied(const Product& /*product*/) {}
};

/// Tokens of a text, in sequences that know nothing of one another.
struct Tokens {
  std::vector<std::int32_t> ids;      ///< sequence after sequence
  std::uint64_t sequence_length = 0;  ///< of all of them
};

struct RunSettings {
  Isa isa = Isa::portable;
  /// Bytes for what is between two matrices; see Network::least_memory.
  std::uint64_t memory = std::numeric_limits<std::uint64_t>::max();
  /// All tokens of an input come at once, before its products; see Network::whole_memory.
  bool whole = false;
};

/// What is known of a model before its weights are read: the description of its family, with the
/// numbers that its metadata give.
class Network {
 public:
  /// \throws Error (input_format, or the code of what is not supported) naming the architecture,
  /// key or tensor, and
  ///         which architectures can be run
  static Network of(const gguf::Header& model, const std::string& file);
  Network(Network&& other) noexcept;
  Network& operator=(Network&& other) noexcept;
  ~Network();

  std::uint64_t width() const;
  std::uint64_t layers() const;  ///< that are run: without those that predict further tokens
  std::uint64_t vocabulary() const;

  /// Names of the tensors that running a layer needs, in the order of their use.
  std::vector<std::string> tensors_of(std::uint64_t layer) const;

  /// What the matrices of a layer are multiplied by, in the order of the calculation: those that
  /// are seen side by side together. Of the matrices of experts the first stands for all. The
  /// output is layer layers().
  std::vector<std::vector<Input>> inputs_of(std::uint64_t layer) const;

  /// The stream before the first layer: [tokens, width].
  void embed(const Tokens& tokens, WeightStore& weights, const linear::Matrix& stream,
             const RunSettings&, Team&) const;

  /// Runs one layer: the stream [tokens, width] before it becomes that after it.
  /// \param watcher  may be null
  /// \throws Error (memory_budget) if settings.memory is less than least_memory(); (input_value) if
  ///         what comes out is no number
  void run_layer(std::uint64_t layer, const Tokens& tokens, WeightStore& weights,
                 const linear::Matrix& stream, Watcher* watcher, const RunSettings& settings,
                 Team& team) const;

  /// After the last layer: logits [tokens, vocabulary] of some tokens' streams; tells of the input
  /// of the output matrix. `logits` may have no rows: the input alone is of interest.
  void run_output(const linear::ConstMatrix& stream, WeightStore& weights,
                  const linear::Matrix& logits, Watcher*, const RunSettings&, Team&) const;

  /// Bytes that run_layer needs beside the stream for this many tokens, with what it asks of the
  /// weight store not counted.
  std::uint64_t least_memory(const Tokens& tokens, int threads) const;

  /// The same for RunSettings::whole.
  std::uint64_t whole_memory(const Tokens& tokens, int threads) const;

 private:
  struct Parts;

  template <typename Function>
  std::uint64_t largest_space(const Tokens& tokens, int threads, const Function& of) const;

  explicit Network(std::unique_ptr<const Parts> parts);

  std::unique_ptr<const Parts> parts_;
};

}  // namespace sluice::model
