#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/page_buffer.h"
#include "engine/monitor.h"
#include "engine/turns.h"
#include "io/source.h"

namespace sluice {

/// What whoever reads for a run has to do with.
struct Reading {
  io::Source& source;
  engine::Turns& turns;
  engine::Monitor& monitor;
};

/// The factors of bands that come one after the other. They lie elsewhere than the weights: to go
/// there for each band would halve a hard disk's rate, so that they are read for many at once, in
/// the order of their places.
class FactorWindow {
 public:
  static constexpr std::uint64_t kMostBytes = std::uint64_t{8} << 20;  ///< of more than one band

  /// Reads ranges, and waits for them: on the reader's thread. Gives up what was there before.
  /// \throws Error (input_read, input_truncated)
  void read(std::vector<io::ReadRange> ranges, const Reading& reading);

  /// Bytes of a range that was read.
  std::span<const std::byte> at(const io::ReadRange& range) const;

 private:
  struct Run {
    io::ReadRange range;
    std::size_t at;  // in bytes_
  };
  std::vector<Run> runs_;  // by place
  std::vector<std::byte> bytes_;

  void read_run(const Run& run, const Reading& reading);
};

}  // namespace sluice
