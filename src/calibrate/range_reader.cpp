#include "calibrate/range_reader.h"

#include <algorithm>
#include <exception>
#include <memory>

#include "base/stop.h"

namespace sluice::calibrate {

RangeReader::RangeReader(io::Source& source, const std::atomic<bool>* stop)
    : source_(source), stop_(stop) {
  for (Piece& piece : pieces_) piece.buffer = PageBuffer(kPiece + io::Source::kBufferSlack);
}

void RangeReader::begin(Piece& piece, const io::ReadRange& range, std::span<std::byte> out) {
  // Shared, since who fulfils a promise is at it for longer than who waits for it.
  const auto done = std::make_shared<std::promise<std::span<const std::byte>>>();
  piece.range = range;
  piece.out = out;
  piece.bytes = done->get_future();
  source_.read(range, piece.buffer.bytes(),
               [done](std::span<const std::byte> bytes, const std::exception_ptr& error) {
                 error ? done->set_exception(error) : done->set_value(bytes);
               });
}

void RangeReader::end(Piece& piece) {
  if (!piece.bytes.valid()) return;
  const std::span<const std::byte> bytes = piece.bytes.get();
  source_.fill(piece.range, bytes);
  std::ranges::copy(bytes, piece.out.begin());
  source_.check(piece.range);
  source_.release(piece.range);
  done_ += piece.range.size;
}

void RangeReader::read(const io::ReadRange& range, std::span<std::byte> out) {
  const std::lock_guard lock(mutex_);
  std::exception_ptr failed;
  const auto guard = [&](auto&& step) {
    try {
      step();
    } catch (...) {
      if (!failed) failed = std::current_exception();
    }
  };
  std::size_t next = 0;
  for (std::size_t at = 0; at < range.size && !failed; at += kPiece) {
    Piece& piece = pieces_[next++ % kPieces];
    guard([&] {
      throw_if_stopped(stop_);
      end(piece);
      const std::size_t size = std::min(kPiece, range.size - at);
      begin(piece, {range.part, range.offset + at, size}, out.subspan(at, size));
    });
  }
  for (Piece& piece : pieces_) guard([&] { end(piece); });  // none may be under way any more
  if (failed) std::rethrow_exception(failed);
}

}  // namespace sluice::calibrate
