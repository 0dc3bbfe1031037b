#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "base/checksum.h"
#include "base/clocks.h"
#include "base/interval_set.h"
#include "engine/monitor.h"
#include "engine/turns.h"
#include "engine/work.h"
#include "io/output_buffer.h"
#include "io/sink.h"
#include "journal/journal.h"
#include "plan/plan.h"

namespace sluice {

/// The end of a chunk's way: gathers output, writes it in large pieces when it is the writes' turn,
/// and tells the journal what is safe. But for prepare() it belongs to one thread at a time, which
/// may wait for the disk. What it throws is an Error (output_write, output_no_space).
class OutputWriter final : public engine::Consumer {
 public:
  struct Options {
    std::size_t extents = io::OutputBuffer::kLeastExtents;  ///< room of the buffer
    double checkpoint_s = 4;                                ///< most time between two checkpoints
  };

  /// What the writer works with; all outlive it.
  struct Surroundings {
    io::Sink& sink;
    journal::Journal& journal;
    engine::Turns& turns;
    engine::Monitor& monitor;
  };

  /// \param done  what the journal says of an earlier run
  OutputWriter(const Plan& plan, std::span<const journal::Record> done,
               const Surroundings& surroundings, const Options& options);

  /// Waits for writes that are under way.
  ~OutputWriter() override;
  OutputWriter(const OutputWriter&) = delete;
  OutputWriter& operator=(const OutputWriter&) = delete;

  /// Takes over the files' headers. Before all else.
  void put_headers();

  /// Computes the results' checksums, and takes over those for which there is room. For any number
  /// of threads.
  void prepare(engine::Task& task) override;

  /// Takes over the other results, and the zeros that follow each.
  void take(const engine::Task& task) override;

  /// Makes what was put safe, if the last time is long enough ago or much was put since.
  void settle() override;

  /// Writes all that is left.
  void finish() override;

  /// Reads back what was put before finish(), or by an earlier run. \throws Error (output_write)
  void read(std::uint64_t offset, std::span<std::byte> bytes) const;

  /// Makes safe what can be written in a moment: the run is about to end early.
  void save() noexcept override;

  /// CRC-32 of a tensor's bytes in the output, once all are written.
  std::uint32_t crc32(std::size_t tensor) const { return checksums_[tensor].value(); }

 private:
  void put(std::uint64_t offset, std::span<const std::byte> bytes);
  void put_zeros(Interval range);
  void record(std::uint64_t offset, std::span<const std::byte> bytes);
  void note(const journal::Record& record);
  void write(std::vector<io::OutputBuffer::Write> writes);
  void start(io::OutputBuffer::Write write);
  void write_eagerly();
  void write_ready();
  void write_all();
  void checkpoint();
  std::vector<journal::Record> take_safe();

  const Plan& plan_;
  Surroundings to_;
  Options options_;
  const IntervalSet done_;  // by an earlier run
  io::OutputBuffer buffer_;
  std::uint64_t unsafe_bytes_ = 0;  // written since the last checkpoint
  Stopwatch since_checkpoint_;

  std::mutex mutex_;
  std::vector<TensorChecksum> checksums_;
  std::vector<journal::Record> unsafe_;  // made since the last checkpoint, or not yet written then
};

}  // namespace sluice
