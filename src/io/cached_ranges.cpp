#include "io/cached_ranges.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/checked.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

// Less than this between two things to be read is read with them: it takes a disk of 100 MB/s a
// millisecond, and an SSD less than another request.
constexpr std::size_t kLeastBetween = std::size_t{128} << 10;

/// What of a range is not cached. \param pages  for each page that it touches, whether it is
std::vector<ReadRange> missing_of(const ReadRange& range, const std::vector<bool>& pages) {
  constexpr std::uint64_t kPage = CachedPages::kPage;
  const std::uint64_t end = range.offset + range.size;
  std::vector<ReadRange> missing;
  std::uint64_t at = range.offset;
  for (const bool cached : pages) {
    const std::uint64_t next = std::min(end, align_down(at, kPage) + kPage);
    if (!cached) {
      if (missing.empty() || at - (missing.back().offset + missing.back().size) >= kLeastBetween) {
        missing.push_back({range.part, at, 0});
      }
      missing.back().size = next - missing.back().offset;
    }
    at = next;
  }
  return missing;
}

void throw_if(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

}  // namespace

CachedRanges::CachedRanges(std::vector<const File*> files) : files_(std::move(files)) {
  for (const File* file : files_) pages_.emplace_back(*file);
}

CachedRanges::Taken CachedRanges::take(const ReadRange& range, std::span<std::byte> buffer) {
  Use* use = nullptr;
  {
    const std::lock_guard lock(mutex_);
    use = &uses_[key_of(range)];
    if (use->count++ > 0) {
      return use->mapping ? Taken{use->mapping->bytes(), {}} : Taken{{}, {range}};
    }
  }
  std::vector<ReadRange> missing =
      missing_of(range, pages_[range.part].look(range.offset, range.offset + range.size));
  if (!missing.empty()) return {{}, copy(range, std::move(missing), buffer)};
  const std::span<const std::byte> bytes = map(range, *use);
  return bytes.empty() ? Taken{{}, {range}} : Taken{bytes, {}};
}

// What cannot be mapped is read from the disk, which says what is wrong, if anything is.
std::span<const std::byte> CachedRanges::map(const ReadRange& range, Use& use) try {
  Mapping mapping(*files_[range.part], range.offset, range.size);
  mapping.expect_no_order();
  const std::lock_guard lock(mutex_);
  use.mapping = std::move(mapping);
  bytes_ += range.size;
  return use.mapping->bytes();
} catch (const std::exception&) {
  return {};
}

std::vector<ReadRange> CachedRanges::copy(const ReadRange& range, std::vector<ReadRange> missing,
                                          std::span<std::byte> buffer) try {
  const std::uint64_t base = align_down(range.offset, CachedPages::kPage);
  const File& file = *files_[range.part];
  std::uint64_t copied = 0;
  const auto copy_between = [&](std::uint64_t begin, std::uint64_t end) {
    if (begin == end) return;
    Mapping mapping(file, begin, end - begin);
    mapping.expect_no_order();
    std::ranges::copy(mapping.bytes(), buffer.begin() + static_cast<std::ptrdiff_t>(begin - base));
    throw_if(mapping.fault_before(end, file));
    copied += end - begin;
  };
  std::uint64_t at = range.offset;
  for (const ReadRange& hole : missing) {
    copy_between(at, hole.offset);
    at = hole.offset + hole.size;
  }
  copy_between(at, range.offset + range.size);
  bytes_ += copied;
  return missing;
} catch (const std::exception&) {
  return {range};
}

/// Null if the range was not taken whole. It stays until end_use().
const Mapping* CachedRanges::mapping_of(const ReadRange& range) const {
  const std::lock_guard lock(mutex_);
  const auto use = uses_.find(key_of(range));
  return use == uses_.end() || !use->second.mapping ? nullptr : &*use->second.mapping;
}

void CachedRanges::touch(const ReadRange& range) const {
  if (const Mapping* mapping = mapping_of(range)) mapping->populate(range.offset, range.size);
}

void CachedRanges::check(const ReadRange& range) const {
  const Mapping* const mapping = mapping_of(range);
  if (mapping == nullptr) return;
  throw_if(mapping->fault_before(range.offset + range.size, *files_[range.part]));
}

void CachedRanges::end_use(const ReadRange& range) {
  std::map<Key, Use>::node_type ended;  // unmapped without the mutex
  const std::lock_guard lock(mutex_);
  const auto use = uses_.find(key_of(range));
  if (use != uses_.end() && --use->second.count == 0) ended = uses_.extract(use);
}

}  // namespace sluice::io
