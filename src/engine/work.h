#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "base/interval_set.h"
#include "io/source.h"

// What is done with models is work on units, which one engine moves:
//
//     Producer::next     the reader's thread   which unit comes next
//     io::Source::read   the reader's thread   its inputs, once it has been granted memory
//     Operator::run      a compute worker      what is made of them
//     Consumer::prepare  the same worker       the results, as far as nothing is waited for
//     Consumer::take     the writer's thread   the results, which go to the disk
//
// A oneTBB flow graph carries units from stage to stage. Quantizing, verifying, comparing and the
// forecast's measurements are all of this shape. A unit of work says itself what it needs, and its
// results where they belong, so units may be of any size, be read in any order and finish in any
// other, with one result, several, or none.

namespace sluice::engine {

/// What a work has to say about a unit to itself.
struct Details {
  virtual ~Details() = default;
};

/// What is read, worked on and finished together.
struct Unit {
  /// What must be in memory at once: ranges of one tensor or of several that belong together, of
  /// any files. None: it is computed from what the operator holds.
  std::vector<io::ReadRange> inputs{};
  std::uint64_t room = 0;  ///< bytes that results take beside the inputs
  std::uint64_t beside_read =
      0;  ///< bytes of input that the producer has read for this unit itself

  // What it is about, for the work's own use.
  std::uint32_t tensor = 0;  ///< an index into a list of the work's
  std::uint64_t first_element = 0;
  std::uint64_t elements = 0;
  std::string_view name{};  ///< the tensor's, for the trace
  std::shared_ptr<Details>
      details{};  ///< given up when the results have been taken, or never will be

  std::uint64_t input_bytes() const {
    std::uint64_t bytes = beside_read;
    for (const io::ReadRange& range : inputs) bytes += range.size;
    return bytes;
  }
};

/// What became of units.
struct Result {
  std::uint32_t tensor = 0;            ///< an index into a list of the work's
  Interval output{};                   ///< where it belongs; what it leaves of this is zeros
  std::span<const std::byte> bytes{};  ///< in the task's room, in an input, or among the details
  bool taken = false;  ///< the consumer has the bytes already, and none looks at them any more
};

/// A unit on its way, with the memory that it was granted.
struct Task {
  Unit unit;
  std::vector<std::span<const std::byte>> inputs{};  ///< the bytes of unit.inputs, until released
  std::span<std::byte> room{};                       ///< unit.room bytes
  std::vector<Result> results{};                     ///< set by the operator
  std::int64_t decode_ns = 0;  ///< set by the operator, for the trace: time that went into decoding
};

/// Says what is to be done. Called on the reader's thread, which may wait.
class Producer {
 public:
  virtual ~Producer() = default;

  /// The next unit; none: there are no more. It is asked for when there is memory to read it, and
  /// units that are under way need nothing of the reader: a unit that depends on the result of
  /// another is held back here until the operator or the consumer has seen that one.
  /// \param ended  stop is requested when the run fails: waiting for a result is then over
  virtual std::optional<Unit> next(std::stop_token ended) = 0;
};

/// Does it. Called on compute workers, many at a time; must not wait for the disk.
class Operator {
 public:
  virtual ~Operator() = default;

  /// \param worker  from 0, less than the number of threads: no two calls have it at a time
  virtual void run(Task& task, int worker) = 0;

  /// After `run`, when what it read of the inputs is known to be what the files hold: only now may a
  /// unit count as a part of a result that is of several.
  virtual void conclude(Task& /*task*/) {}
};

/// Takes over what was made, in the order in which it gets done. Called on the writer's thread,
/// which may wait for the disk.
class Consumer {
 public:
  virtual ~Consumer() = default;
  /// Before, on the compute worker that has made it: what needs no order and waits for nothing, so
  /// that no thread touches the bytes of all of them.
  virtual void prepare(Task& /*task*/) {}
  virtual void take(const Task& task) = 0;
  /// After each unit, when its memory has been given back.
  virtual void settle() = 0;
  /// After the last.
  virtual void finish() = 0;
  /// Instead, if the run fails, but not in the consumer: keeps what can be kept.
  virtual void save() noexcept = 0;
};

struct Work {
  Producer& units;
  Operator& operation;
  Consumer* output = nullptr;  ///< null: what comes of the units stays with the operator
};

}  // namespace sluice::engine
