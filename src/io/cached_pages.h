#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/file.h"

namespace sluice::io {

/// Tells which pages of a file are in the page cache, without reading any. By cachestat(2), which
/// takes a microsecond for 4 MiB; before Linux 6.5 by mincore(2), which takes a hundred.
/// preadv2(RWF_NOWAIT) would tell too, but has the kernel read what is missing.
class CachedPages {
 public:
  static constexpr std::uint64_t kPage = 4096;

  /// \param file  outlives this
  explicit CachedPages(const File& file);

  /// False where the system does not tell: on most kernels a file's owner, and who may write to it,
  /// are told, and others are not.
  bool known() const { return how_ != How::not_at_all; }

  /// For each page that [begin, end) touches, whether it is cached; all false if it is not known.
  std::vector<bool> look(std::uint64_t begin, std::uint64_t end) const;

 private:
  enum class How { not_at_all, cachestat, mincore };

  void count(std::uint64_t begin, std::size_t first, std::size_t last,
             std::vector<bool>& pages) const;
  void walk(std::uint64_t begin, std::size_t there, std::vector<bool>& pages) const;

  const File* file_;
  How how_ = How::not_at_all;
};

}  // namespace sluice::io
