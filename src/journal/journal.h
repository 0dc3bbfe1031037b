#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/interval_set.h"
#include "io/file.h"

namespace sluice::journal {

/// A range of the output's address space that is safely on the disk.
struct Record {
  Interval range;
  std::uint64_t hash = 0;   ///< XXH3 of the range's bytes
  std::uint32_t crc32 = 0;  ///< CRC-32 of the same, from which a tensor's is put together
  bool operator==(const Record&) const = default;
};

/// Everything that the records speak of.
IntervalSet ranges_of(std::span<const Record> records);

/// What a journal file holds.
///
///     magic "sluiceJ1" | u32 length | u64 XXH3 of the binding | the binding's text
///     record: u64 begin | u64 end | u64 hash | u32 crc32 | u32 zero | u64 check
///
/// Numbers are little-endian. A record's check is the XXH3 of its first 32 bytes, seeded by the
/// binding's hash and the record's number, so neither a torn record nor one of an older file at the
/// same place passes for one.
struct Contents {
  std::string binding;
  std::vector<Record> records;  ///< those that are valid
  std::uint64_t size = 0;       ///< bytes up to the last whole record
  std::size_t damaged = 0;      ///< whole records that are not valid
  bool torn = false;            ///< a part of a record follows
};

/// None if not even the binding is whole.
std::optional<Contents> parse(std::span<const std::byte> file);

/// The journal of one output, beside it as `OUT.gguf.part.journal`: append-only. It is there before
/// the first byte of the output is, so that a working file without one is known for another
/// program's. Whoever calls holds the lock of the output.
class Journal {
 public:
  explicit Journal(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  /// What an earlier run left; none if there is no journal or its beginning is damaged.
  /// \throws Error (output_open) if it cannot be read
  std::optional<Contents> load() const;

  /// Whether there is a file of the journal's name, whatever it is.
  bool there() const;

  /// Copies the file that is there, under another name beside it, which is returned.
  /// \throws Error (output_open)
  std::string keep_copy() const;

  /// Begins a new journal in place of any other: whatever happens, either that or this is there.
  /// \throws Error (output_open, output_write, output_no_space)
  void start(std::string binding);

  /// Goes on after the records in `contents`, of which none is damaged.
  /// \throws Error (output_open)
  void resume(const Contents& contents);

  /// Goes on after the records in `contents`, of which the file holds others: whatever happens,
  /// either those or these are there.
  /// \throws Error (output_open, output_write, output_no_space)
  void replace(const Contents& contents);

  /// Notes ranges; they count from the next commit on.
  void append(const Record& record);

  /// Brings the noted ranges to the disk. Call it only when their bytes are there.
  /// \throws Error (output_write, output_no_space)
  void commit();

  /// Whether it speaks of nothing.
  bool empty() const { return records_ == 0; }

  /// Takes the file away: the output is whole, or there is nothing to go on with.
  void remove();

 private:
  void open(int flags);
  void write(std::span<const std::byte> bytes);
  void write_header();

  std::string path_;
  io::File file_;
  std::string binding_;
  std::vector<std::byte> pending_;
  std::uint64_t records_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace sluice::journal
