#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/checksum.h"
#include "io/output_buffer.h"
#include "io/sink.h"
#include "journal/journal.h"
#include "pipeline/balance.h"
#include "pipeline/clocks.h"
#include "pipeline/trace.h"
#include "pipeline/turns.h"
#include "plan/plan.h"

namespace sluice {

/// The end of a chunk's way: gathers output, writes it in large pieces when it is the writes' turn,
/// and tells the journal what is safe. Belongs to one thread, which may wait for the disk.
class OutputWriter {
 public:
  struct Options {
    std::size_t extents = io::OutputBuffer::kLeastExtents;  ///< room of the buffer
    double checkpoint_s = 4;                                ///< most time between two checkpoints
  };

  /// What the writer works with; all outlive it. `trace` may be null.
  struct Surroundings {
    io::Sink& sink;
    journal::Journal& journal;
    Turns& turns;
    Balance& balance;
    Trace* trace;
  };

  /// \param done  what the journal says of an earlier run
  OutputWriter(const Plan& plan, std::span<const journal::Record> done,
               const Surroundings& surroundings, const Options& options);

  /// Takes over bytes that belong at `offset`.
  /// \throws Error (output_write, output_no_space)
  void put(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Makes what was put safe, if the last time is long enough ago or much was put since.
  void checkpoint_if_due();

  /// Writes all that is left.
  void finish();

  /// Makes safe what can be written in a moment: the run is about to end early.
  void save() noexcept;

  /// What is written, now or by an earlier run; it need not be safe yet.
  const IntervalSet& written() const { return buffer_.written(); }

  std::uint64_t written_bytes() const { return written_bytes_; }
  double write_seconds() const { return writing_.seconds(); }

  /// CRC-32 of a tensor's bytes in the output, once all are written.
  std::uint32_t crc32(std::size_t tensor) const { return checksums_[tensor].value(); }

 private:
  void write(std::uint64_t begin, std::span<const std::span<const std::byte>> pieces);
  void write_ready();
  void checkpoint();
  void note(const journal::Record& record);
  io::OutputBuffer::Write write_function();

  const Plan& plan_;
  Surroundings to_;
  Options options_;
  io::OutputBuffer buffer_;
  std::vector<std::uint64_t> boundaries_;  // where tensors begin and end
  std::vector<TensorChecksum> checksums_;
  std::vector<journal::Record> unsafe_;  // written since the last checkpoint
  std::uint64_t unsafe_bytes_ = 0;
  std::uint64_t written_bytes_ = 0;
  BusyClock writing_;
  Stopwatch since_checkpoint_;
};

}  // namespace sluice
