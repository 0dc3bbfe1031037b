#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/page_buffer.h"
#include "base/team.h"
#include "linear/matrix.h"
#include "model/metadata.h"
#include "model/network.h"

// What layers are made of. A part reads the stream of tokens through a norm and adds to it what it
// calculates: attention, a feed-forward network. It takes as many tokens at once as memory allows,
// which does not show in the result.

namespace sluice::model {

/// What parts are run with.
struct Run {
  const Tokens& tokens;
  WeightStore& weights;
  Watcher* watcher;
  const RunSettings& settings;
  Team& team;
};

/// Bytes that a part needs.
struct Space {
  std::uint64_t fixed = 0;    ///< however many tokens come at once
  std::uint64_t each = 0;     ///< for each of the tokens that come at once
  std::uint64_t at_once = 1;  ///< tokens that must come together: a sequence's, or one

  std::uint64_t least() const { return of(at_once); }
  std::uint64_t of(std::uint64_t tokens) const { return fixed + each * tokens; }
  /// How many of `tokens` come at once. \throws Error (memory_budget)
  std::uint64_t tokens_within(const RunSettings& settings, std::uint64_t tokens) const;
};

class Part {
 public:
  virtual ~Part() = default;

  /// Names of the tensors it needs, in the order of their use.
  virtual std::vector<std::string> tensors() const = 0;

  /// What its matrices are multiplied by, in the order of the calculation: those that are seen side
  /// by side together. Of the matrices of experts the first stands for all.
  virtual std::vector<std::vector<Input>> inputs() const = 0;

  virtual Space space(const Tokens& tokens, int threads) const = 0;

  /// \param stream  [all tokens, width]
  virtual void run(const Run& run, const linear::Matrix& stream) const = 0;
};

/// A matrix of its own. Zero at first.
class Buffer {
 public:
  Buffer(std::size_t rows, std::size_t columns)
      : pages_(rows * columns * sizeof(float)), columns_(columns) {}

  /// The first rows.
  linear::Matrix rows(std::size_t count) const {
    return {reinterpret_cast<float*>(pages_.bytes().data()), count, columns_, columns_};
  }

 private:
  PageBuffer pages_;
  std::size_t columns_;
};

/// Some rows of a matrix, and some columns.
linear::Matrix rows_of(const linear::Matrix& matrix, std::size_t first, std::size_t count);
linear::Matrix columns_of(const linear::Matrix& matrix, std::size_t first, std::size_t count);

/// Calls of(first, count) for all of `total` tokens, at most `at_once` at a time.
template <typename Function>
void for_blocks(std::uint64_t total, std::uint64_t at_once, const Function& of) {
  for (std::uint64_t first = 0; first < total; first += at_once) {
    of(first, std::min(at_once, total - first));
  }
}

/// Calls of(row) for each of so many rows, by all of the team.
template <typename Function>
void for_rows(Team& team, std::size_t rows, const Function& of) {
  constexpr std::size_t kRowsOfTask = 16;
  team.run((rows + kRowsOfTask - 1) / kRowsOfTask, [&](std::size_t task, int) {
    const std::size_t end = std::min(rows, (task + 1) * kRowsOfTask);
    for (std::size_t row = task * kRowsOfTask; row < end; ++row) of(row);
  });
}

/// The numbers of a tensor; without a name none.
std::vector<float> numbers_of(const Run& run, const std::string& name);

/// x / sqrt(mean(x^2) + epsilon), times weights.
struct Norm {
  std::string weight;  ///< a tensor's name
  float epsilon = 0;
};

/// How a part is joined to the stream: what it reads goes through a norm, what it adds through
/// another, if there are any.
struct Frame {
  // Without a name: none.
  Norm before = {};
  Norm after = {};

  std::vector<std::string> tensors() const;
};

/// With its numbers at hand.
class OpenFrame {
 public:
  OpenFrame(const Run& run, const Frame& frame);

  void read(const linear::ConstMatrix& stream, const linear::Matrix& x) const;
  /// \param y  is overwritten
  void add(const linear::Matrix& y, const linear::Matrix& stream) const;

 private:
  const Run& run_;
  Frame frame_;
  std::vector<float> before_;
  std::vector<float> after_;
};

/// A weight matrix [rows, columns], or several (of experts, of heads), the factor that what each gives
/// is multiplied by, and the bias that is added to it then, if there are any.
struct Projection {
  std::string weight;
  std::string bias = {};
  std::string scale = {};  ///< a number for each matrix, which checkpoints in NVFP4 have
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::uint64_t matrices = 1;

  /// `name`.weight, which must be there, `name`.bias and `name`.scale.
  static Projection of(const Metadata& model, const std::string& name, std::uint64_t rows,
                       std::uint64_t columns, std::uint64_t matrices = 1);
};

void append_tensors(const Projection& projection, std::vector<std::string>& names);

/// The small numbers of all its matrices.
struct ProjectionNumbers {
  std::vector<float> biases;
  std::vector<float> scales;

  ProjectionNumbers() = default;
  ProjectionNumbers(const Run& run, const Projection& projection);
};

/// With its weights at hand.
class OpenProjection {
 public:
  OpenProjection(const Run& run, const Projection& projection);
  OpenProjection(const Run& run, std::shared_ptr<const linear::Rows> weight, float scale)
      : run_(run), weight_(std::move(weight)), scale_(scale) {}
  /// One of several matrices.
  OpenProjection(const Run& run, const Projection& projection, std::uint64_t number,
                 const ProjectionNumbers& numbers);

  /// y [tokens, rows] = x [tokens, columns] W^T scale + bias
  void apply(const linear::ConstMatrix& x, const linear::Matrix& y, const TokenRows& tokens) const;

 private:
  const Run& run_;
  std::string name_;  // empty: it is no matrix of the model's own
  std::uint64_t number_ = 0;
  std::shared_ptr<const linear::Rows> weight_;
  float scale_ = 1;
  std::vector<float> bias_;
};

/// Tells the watcher of an input, if it wants to know.
class Watched {
 public:
  Watched(const Run& run, Input input);

  void see(const linear::ConstMatrix& x, const TokenRows& tokens) const;
  /// To be called while the matrices are still held.
  void finish() const;

 private:
  Watcher* watcher_;
  Input input_;
  bool wanted_;
};

}  // namespace sluice::model
