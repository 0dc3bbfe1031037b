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

/// Finds the places for as many bytes of a range as there is room for, and tells how many.
std::size_t OutputBuffer::place(Interval range, std::vector<Copy>& copies) {
  std::uint64_t at = range.begin;
  while (at < range.end) {
    const std::uint64_t piece_end = std::min(range_of(at / kExtent).end, range.end);
    while (const std::optional<Interval> gap = written_.first_gap({at, piece_end})) {
      const auto found = extent_at(at / kExtent);
      if (found == open_.end()) return at - range.begin;
      copies.push_back({&found->second, *gap});
      at = gap->end;
    }
    at = piece_end;
  }
  return range.size();
}

void OutputBuffer::copy(const std::vector<Copy>& copies, std::uint64_t offset,
                        const std::byte* bytes) {
  for (const Copy& each : copies) {
    std::memcpy(each.to->memory + each.range.begin % kExtent, bytes + (each.range.begin - offset),
                each.range.size());
  }
  const std::lock_guard lock(mutex_);
  for (const Copy& each : copies) {
    each.to->filled.add(each.range);
    each.to->missing -= each.range.size();
    if (each.to->missing == 0) ready_bytes_ += each.to->filled.size();
  }
  --copying_;
  copied_.notify_one();
}

std::size_t OutputBuffer::put(std::uint64_t offset, std::span<const std::byte> bytes) {
  std::vector<Copy> copies;
  std::size_t taken = 0;
  {
    const std::lock_guard lock(mutex_);
    taken = place({offset, offset + bytes.size()}, copies);
    ++copying_;
  }
  copy(copies, offset, bytes.data());
  return taken;
}

bool OutputBuffer::put_all(std::uint64_t offset, std::span<const std::byte> bytes) {
  const Interval range{offset, offset + bytes.size()};
  std::vector<Copy> copies;
  {
    const std::lock_guard lock(mutex_);
    if (extents_wanted(range) > free_.size()) return false;
    place(range, copies);
    ++copying_;
  }
  copy(copies, offset, bytes.data());
  return true;
}

/// How many extents of a range are not open.
std::size_t OutputBuffer::extents_wanted(Interval range) const {
  std::size_t count = 0;
  for (std::uint64_t number = range.begin / kExtent; number * kExtent < range.end; ++number) {
    if (!open_.contains(number)) ++count;
  }
  return count;
}

std::uint64_t OutputBuffer::ready_bytes() const {
  const std::lock_guard lock(mutex_);
  return ready_bytes_;
}

bool OutputBuffer::took_out(Interval range) const {
  const std::lock_guard lock(mutex_);
  return written_.contains(range);
}

// The extent's pieces (there are some), and with the last of them as many of the neighbours as touch and are ready
// too. Returns the first extent that has not been dealt with.
OutputBuffer::Extents::iterator OutputBuffer::take_out(Extents::iterator first,
                                                       std::size_t largest_write,
                                                       std::vector<Write>& writes) {
  const std::size_t before = writes.size();
  std::uint64_t end = 0;
  auto next = first;
  bool more = true;
  while (more) {
    const std::uint64_t begin = range_of(next->first).begin;
    const Extent& extent = next->second;
    if (extent.missing == 0) ready_bytes_ -= extent.filled.size();
    const std::shared_ptr<std::byte> memory(extent.memory, [this](std::byte* free) {
      const std::lock_guard lock(mutex_);
      free_.push_back(free);
    });
    extent.filled.for_each([&](Interval piece) {
      if (writes.size() == before || piece.begin != end) writes.push_back({.begin = piece.begin});
      if (writes.back().extents.empty() || writes.back().extents.back() != memory) {
        writes.back().extents.push_back(memory);
      }
      writes.back().pieces.push_back({extent.memory + (piece.begin - begin), piece.size()});
      writes.back().size += piece.size();
      written_.add(piece);
      end = piece.end;
    });
    ++next;
    more = next != open_.end() && next->first * kExtent == end && next->second.missing == 0 &&
           writes.size() > before && writes.back().size + kExtent <= largest_write;
  }
  return open_.erase(first, next);
}

std::vector<OutputBuffer::Write> OutputBuffer::take_ready(std::uint64_t limit,
                                                          std::size_t largest_write) {
  const std::lock_guard lock(mutex_);
  std::vector<Write> writes;
  const std::uint64_t before = written_.size();
  for (auto next = open_.begin(); next != open_.end() && written_.size() - before < limit;) {
    next = next->second.missing == 0 ? take_out(next, largest_write, writes) : std::next(next);
  }
  return writes;
}

std::vector<OutputBuffer::Write> OutputBuffer::take_all(std::size_t largest_write) {
  std::unique_lock lock(mutex_);
  copied_.wait(lock, [&] { return copying_ == 0; });
  std::vector<Write> writes;
  for (auto next = open_.begin(); next != open_.end();) {
    next = take_out(next, largest_write, writes);
  }
  return writes;
}

}  // namespace sluice::io
