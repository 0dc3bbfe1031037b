#include "io/output_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice::io {

OutputBuffer::OutputBuffer(std::size_t extents, std::uint64_t size, IntervalSet written)
    : memory_(extents * kExtent), size_(size), written_(std::move(written)) {
  for (std::size_t i = 0; i < extents; ++i) free_.push_back(&memory_.bytes()[i * kExtent]);
}

Interval OutputBuffer::range_of(std::uint64_t number) const {
  return {number * kExtent, std::min((number + 1) * kExtent, size_)};
}

OutputBuffer::Extents::iterator OutputBuffer::extent_at(std::uint64_t number) {
  const auto found = open_.find(number);
  if (found != open_.end() || free_.empty()) return found;
  const Interval range = range_of(number);
  Extent extent;
  extent.memory = free_.back();
  extent.missing = range.size() - written_.overlap(range);
  free_.pop_back();
  return open_.emplace(number, std::move(extent)).first;
}

std::size_t OutputBuffer::put(std::uint64_t offset, std::span<const std::byte> bytes) {
  const std::uint64_t end = offset + bytes.size();
  std::uint64_t at = offset;
  while (at < end) {
    const Interval range = range_of(at / kExtent);
    const std::uint64_t piece_end = std::min(range.end, end);
    while (const std::optional<Interval> gap = written_.first_gap({at, piece_end})) {
      const auto place = extent_at(at / kExtent);
      if (place == open_.end()) return at - offset;
      Extent& extent = place->second;
      std::memcpy(extent.memory + (gap->begin - range.begin), &bytes[gap->begin - offset],
                  gap->size());
      extent.filled.add(*gap);
      extent.missing -= gap->size();
      if (extent.missing == 0) ready_bytes_ += extent.filled.size();
      at = gap->end;
    }
    at = piece_end;
  }
  return bytes.size();
}

// The extent's pieces, and with the last of them as many of the neighbours as touch and are ready
// too. Returns the first extent that has not been dealt with.
OutputBuffer::Extents::iterator OutputBuffer::take_out(Extents::iterator first,
                                                       std::size_t largest_write,
                                                       std::vector<Write>& writes) {
  const std::size_t before = writes.size();
  std::uint64_t end = 0;
  auto next = first;
  bool more = true;
  while (more) {
    const std::uint64_t number = next->first;
    const Extent& extent = next->second;
    if (extent.missing == 0) ready_bytes_ -= extent.filled.size();
    extent.filled.for_each([&](Interval piece) {
      if (writes.size() == before || piece.begin != end) writes.push_back({.begin = piece.begin});
      writes.back().pieces.push_back(
          {extent.memory + (piece.begin - range_of(number).begin), piece.size()});
      writes.back().size += piece.size();
      written_.add(piece);
      end = piece.end;
    });
    free_.push_back(extent.memory);
    ++next;
    more = next != open_.end() && next->first * kExtent == end && next->second.missing == 0 &&
           writes.size() > before && writes.back().size + kExtent <= largest_write;
  }
  return open_.erase(first, next);
}

std::vector<OutputBuffer::Write> OutputBuffer::take_ready(std::uint64_t limit,
                                                          std::size_t largest_write) {
  std::vector<Write> writes;
  const std::uint64_t before = written_.size();
  for (auto next = open_.begin(); next != open_.end() && written_.size() - before < limit;) {
    next = next->second.missing == 0 ? take_out(next, largest_write, writes) : std::next(next);
  }
  return writes;
}

std::vector<OutputBuffer::Write> OutputBuffer::take_all(std::size_t largest_write) {
  std::vector<Write> writes;
  for (auto next = open_.begin(); next != open_.end();) {
    next = take_out(next, largest_write, writes);
  }
  return writes;
}

}  // namespace sluice::io
