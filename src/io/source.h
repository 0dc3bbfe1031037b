#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"
#include "sluice/streaming.h"

namespace sluice::io {

/// Bytes of one of the input files.
struct ReadRange {
  std::size_t part = 0;      ///< which file
  std::uint64_t offset = 0;  ///< from its start
  std::size_t size = 0;
};

/// How far a source that reads through the page cache asks ahead: two of the largest reads, so that
/// the disk has one to do while the other is being taken over. It comes on top of the budget.
inline constexpr std::uint64_t kReadAhead = std::uint64_t{8} << 20;

/// Called once per read, from whichever thread finished it: the bytes, valid until they are
/// released, or an Error. Must not block and must not throw.
using ReadDone = std::function<void(std::span<const std::byte> bytes, std::exception_ptr error)>;

/// Reads ranges of the input files. `read` and `release` may be called from different threads.
class Source {
 public:
  /// What a buffer must have beyond the range's size: room to widen both ends of a direct read to
  /// whole pages.
  static constexpr std::size_t kBufferSlack = 2 * 4096;

  virtual ~Source() = default;

  /// How the bytes are read: "async", "mmap", "read", "https", or "async, https" for some and others.
  virtual std::string_view name() const = 0;

  /// A file that is read through the page cache although this way of reading goes past it, because
  /// the file system refuses; empty: none, so far.
  virtual std::string cached_file() const { return {}; }

  /// A file of which the system does not tell what the page cache has; empty: none.
  virtual std::string unseen_file() const { return {}; }

  /// How many of the bytes that were read the page cache had before anything was read, and gave.
  virtual std::uint64_t found_bytes() const { return 0; }

  /// Whether it gives bytes that lie elsewhere, and leaves buffers alone.
  virtual bool has_own_bytes() const { return false; }

  /// Starts a read. `buffer` has at least range.size + kBufferSlack bytes, starts on a page, and is
  /// the source's until `done` was called and the bytes were released. A source that is not
  /// asynchronous waits for the disk here, so this is never called on a compute worker.
  virtual void read(const ReadRange& range, std::span<std::byte> buffer, ReadDone done) = 0;

  /// To be called before the bytes of a finished read are used, by who uses them: brings those that
  /// need no disk, so that no thread does it for all.
  /// \throws Error (input_truncated, input_read)
  virtual void fill(const ReadRange& /*range*/, std::span<const std::byte> /*bytes*/) {}

  /// To be called after the bytes of a finished read were used and before the result counts: bytes
  /// that are only now fetched may be gone by then, and read as zeros.
  /// \throws Error (input_truncated, input_read)
  virtual void check(const ReadRange& /*range*/) const {}

  /// The bytes of a finished read are no longer needed: gives page cache back that it took, and no
  /// pages that were there before.
  virtual void release(const ReadRange& range) = 0;
};

/// A source, and why it is not the one that was asked for (empty if it is).
struct OpenedSource {
  std::unique_ptr<Source> source;
  std::string fallback_reason;
};

/// Opens a source over input files, which must outlive it. ReadRange::part counts them. Falls back to
/// plain reads where a mode is not to be had. Remote files are read over several connections,
/// whatever the mode.
OpenedSource open_source(IoMode mode, std::vector<const File*> files);

/// Reads with Boost.Asio over io_uring, past the page cache (O_DIRECT) where the file system
/// allows. Null, with a reason, where the kernel or a sandbox forbids io_uring.
/// \param take_cached  take what the page cache has from there, and read the rest only
std::unique_ptr<Source> open_async_source(std::vector<const File*> files, bool take_cached,
                                          std::string& reason);

/// Reads with pread on the calling thread, one range after the other: works everywhere.
std::unique_ptr<Source> open_plain_source(std::vector<const File*> files);

/// Reads remote files over several connections, and local ones through `local`.
/// \param local_parts  for each file its number in `local`; what stands for a remote one is not used
/// \param local        null if all are remote
std::unique_ptr<Source> open_remote_source(std::vector<const File*> files,
                                           std::vector<std::size_t> local_parts,
                                           std::unique_ptr<Source> local);

/// Reads samples of files, on the calling thread, without a trace in the page cache: past it where
/// the file system allows, else through it, dropping what was not there before.
std::unique_ptr<Source> open_uncached_source(std::vector<const File*> files);

/// Pointers to all files of a model.
std::vector<const File*> pointers_to(std::span<const File> files);

/// The Error for a file that ends before the range does.
std::exception_ptr shrunk_error(const File& file, std::uint64_t offset);

}  // namespace sluice::io
