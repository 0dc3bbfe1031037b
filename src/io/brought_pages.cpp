#include "io/brought_pages.h"

#include <algorithm>
#include <vector>

#include "base/checked.h"

namespace sluice::io {
namespace {

constexpr std::uint64_t kPageBytes = CachedPages::kPage;
constexpr std::uint64_t kBlockBytes = File::kLargestFolio;

// Calls `visit` with each block of [begin, end) and the part of it that lies therein.
template <class Visit>
void for_blocks(std::uint64_t begin, std::uint64_t end, const Visit& visit) {
  for (std::uint64_t at = begin; at < end;) {
    const std::uint64_t start = align_down(at, kBlockBytes);
    const std::uint64_t stop = std::min(end, start + kBlockBytes);
    visit(start, at, stop);
    at = stop;
  }
}

}  // namespace

bool BroughtPages::look(std::uint64_t begin, std::uint64_t end) {
  if (!known()) return true;
  bool any = false;
  const std::lock_guard lock(mutex_);
  for_blocks(begin, std::min(end, file_->size()),
             [&](std::uint64_t start, std::uint64_t from, std::uint64_t to) {
               look_at_block(start, (from - start) / kPageBytes,
                             (to - start + kPageBytes - 1) / kPageBytes);
               any = any || blocks_.contains(start);
             });
  return any;
}

// A page's first look counts: by the next one, reading ahead may have brought it in.
void BroughtPages::look_at_block(std::uint64_t start, std::size_t first, std::size_t last) {
  const auto known = blocks_.find(start);
  Block block = known == blocks_.end() ? Block{} : known->second;
  while (first < last && block.looked_at[first]) ++first;
  while (first < last && block.looked_at[last - 1]) --last;
  if (first == last) return;
  const std::vector<bool> cached =
      cached_.look(start + first * kPageBytes, start + last * kPageBytes);
  for (std::size_t page = first; page < last; ++page) {
    if (block.looked_at[page]) continue;
    block.looked_at.set(page);
    block.brought.set(page, !cached[page - first]);
  }
  // One that is cached as a whole looks the same again.
  if (block.brought.any()) blocks_[start] = block;
}

std::uint64_t BroughtPages::bytes_found(std::uint64_t begin, std::uint64_t end) const {
  if (!known()) return 0;
  std::uint64_t bytes = 0;
  const std::lock_guard lock(mutex_);
  for_blocks(begin, end, [&](std::uint64_t start, std::uint64_t from, std::uint64_t to) {
    const auto block = blocks_.find(start);
    if (block == blocks_.end()) {
      bytes += to - from;
      return;
    }
    for (std::uint64_t at = from; at < to;) {
      const std::uint64_t next = std::min(to, align_down(at, kPageBytes) + kPageBytes);
      if (!block->second.brought[(at - start) / kPageBytes]) bytes += next - at;
      at = next;
    }
  });
  return bytes;
}

void BroughtPages::drop(std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t file_end = file_->size();
  const std::lock_guard lock(mutex_);
  for (auto at = blocks_.lower_bound(align_down(begin, kBlockBytes));
       at != blocks_.end() && at->first < end;) {
    auto& [start, block] = *at;
    drop_of_block(start, block, begin, std::min(end, file_end));
    const bool to_its_end = end >= std::min(start + kBlockBytes, file_end);
    at = to_its_end && forget(start, block) ? blocks_.erase(at) : std::next(at);
  }
}

void BroughtPages::drop_of_block(std::uint64_t start, const Block& block, std::uint64_t begin,
                                 std::uint64_t end) const {
  for (std::size_t page = 0; page < kPages;) {
    std::size_t next = page + 1;
    if (block.brought[page]) {
      while (next < kPages && block.brought[next]) ++next;
      file_->drop_cached(std::max(begin, start + page * kPageBytes),
                         std::min(end, start + next * kPageBytes));
    }
    page = next;
  }
}

// Pages that are mapped or within a folio that is in use are still there. Returns whether none is.
bool BroughtPages::forget(std::uint64_t start, Block& block) const {
  const std::vector<bool> cached = cached_.look(start, start + kBlockBytes);
  for (std::size_t page = 0; page < kPages; ++page) {
    if (!cached[page]) block.brought.reset(page);
  }
  return block.brought.none();
}

std::string first_unseen(std::span<const File* const> files,
                         const std::deque<BroughtPages>& brought) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!brought[i].known()) return files[i]->path();
  }
  return {};
}

}  // namespace sluice::io
