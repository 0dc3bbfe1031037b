#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <mutex>
#include <span>

#include "base/page_buffer.h"
#include "io/source.h"

namespace sluice::calibrate {

/// Reads ranges of any size through a source, in pieces of which several are under way: so a disk's
/// queue is full, a server is asked over several connections, and a run that is told to stop does not wait
/// for long. Any number of threads; one reads at a time.
class RangeReader {
 public:
  static constexpr std::size_t kPiece = std::size_t{4} << 20;
  static constexpr std::size_t kPieces = 4;

  /// What it allocates.
  static constexpr std::uint64_t bytes() { return kPieces * (kPiece + io::Source::kBufferSlack); }

  /// \param source  outlives this
  /// \param stop    see throw_if_stopped()
  RangeReader(io::Source& source, const std::atomic<bool>* stop);

  /// Waits until all of the range is in `out`, which has its size.
  /// \throws Error (input_read, input_truncated, interrupted)
  void read(const io::ReadRange& range, std::span<std::byte> out);

  /// Bytes read so far.
  std::uint64_t done() const { return done_; }

 private:
  struct Piece {
    PageBuffer buffer;
    io::ReadRange range{};
    std::span<std::byte> out{};
    std::future<std::span<const std::byte>> bytes{};
  };

  void begin(Piece& piece, const io::ReadRange& range, std::span<std::byte> out);
  void end(Piece& piece);

  io::Source& source_;
  const std::atomic<bool>* const stop_;
  std::mutex mutex_;
  std::array<Piece, kPieces> pieces_;
  std::atomic<std::uint64_t> done_ = 0;
};

}  // namespace sluice::calibrate
