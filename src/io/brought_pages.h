#pragma once

#include <bitset>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "io/cached_pages.h"
#include "io/file.h"

namespace sluice::io {

/// The pages of a file that reading through the page cache brings there. These are dropped again,
/// so that a model that is read once does not push other files out; what was cached before stays.
/// For any number of threads.
class BroughtPages {
 public:
  /// \param file  outlives this
  explicit BroughtPages(const File& file) : file_(&file), cached_(file) {}

  /// To be called before the range is read or asked for. Returns whether some of it, as far as is
  /// known, has to come from the disk.
  bool look(std::uint64_t begin, std::uint64_t end);

  /// How many bytes of a range that was looked at were cached before.
  std::uint64_t bytes_found(std::uint64_t begin, std::uint64_t end) const;

  /// Takes what was brought in of the range out of the page cache, but for mapped pages and those
  /// of folios that go on beyond it: they go with a later call.
  void drop(std::uint64_t begin, std::uint64_t end);

  /// False where nobody knows what was cached before: then nothing is dropped.
  bool known() const { return cached_.known(); }

 private:
  static constexpr std::size_t kPages = File::kLargestFolio / CachedPages::kPage;

  // No folio reaches from one block into another.
  struct Block {
    std::bitset<kPages> looked_at;
    std::bitset<kPages> brought;
  };

  void look_at_block(std::uint64_t start, std::size_t first, std::size_t last);
  void drop_of_block(std::uint64_t start, const Block& block, std::uint64_t begin,
                     std::uint64_t end) const;
  bool forget(std::uint64_t start, Block& block) const;

  const File* const file_;
  const CachedPages cached_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Block> blocks_;  // by their offset, those with pages brought in
};

/// The first file of which nobody knows what is cached; empty: none.
/// \param brought  those of the files
std::string first_unseen(std::span<const File* const> files,
                         const std::deque<BroughtPages>& brought);

}  // namespace sluice::io
