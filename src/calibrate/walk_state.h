#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "linear/matrix.h"

namespace sluice::calibrate {

/// What a walk must know to go on after it was cut off: the stream after so many layers, in a file
///
///     magic "sluiceW1" | u64 binding | u64 layers | u64 tokens | u64 width | u64 XXH3 of the stream |
///     u64 XXH3 of what stands before | zeros up to a page | stream [tokens, width]
///
/// Numbers are little-endian. Each state replaces the one before when it is whole on the disk, so
/// that there are two for a moment, and one at any moment. Before the first layer there is no stream.
class WalkState {
 public:
  /// \param binding  hash of all that the stream depends on, and that who goes on relies on
  WalkState(std::string path, std::uint64_t binding) : path_(std::move(path)), binding_(binding) {}

  const std::string& path() const { return path_; }

  /// Bytes of a file with a stream.
  static std::uint64_t bytes(std::uint64_t tokens, std::uint64_t width);

  /// Reads what an earlier run left.
  /// \param stream  that gets it; without gaps between rows
  /// \returns layers that it has done; none if there is no state
  /// \throws Error (resume_refused) if the state is of another binding or damaged; input_read
  std::optional<std::uint64_t> load(const linear::Matrix& stream) const;

  /// Makes sure, before anything is calculated, that states find room: two of them for a moment.
  /// \throws Error (output_no_space)
  void require_space(std::uint64_t tokens, std::uint64_t width) const;

  /// Replaces the state.
  /// \param stream  without gaps between rows, from a page's start on; no rows before the first layer
  /// \throws Error (output_open, output_no_space, output_write)
  void save(std::uint64_t layers, const linear::ConstMatrix& stream) const;

  /// Removes it, if it is there.
  void remove() const;

 private:
  std::string new_path() const { return path_ + ".new"; }

  std::string path_;
  std::uint64_t binding_;
};

}  // namespace sluice::calibrate
