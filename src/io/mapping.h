#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <cstdint>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>

#include "io/bus_guard.h"
#include "io/file.h"

namespace sluice::io {

/// Why a file cannot be mapped.
struct CannotMap : std::runtime_error {
  CannotMap(const std::string& what, int number) : std::runtime_error(what), error_number(number) {}
  int error_number;  ///< errno's
};

/// A file, or a part of one, in memory (Boost.Interprocess), whose pages may go missing without
/// ending the process. Offsets count from the start of the file.
class Mapping {
 public:
  /// Maps all of it; an empty file to nothing.
  /// \throws CannotMap; Error (input_changed) if the name has become another's
  explicit Mapping(const File& file);

  /// Maps some of its bytes, with the same errors.
  Mapping(const File& file, std::uint64_t offset, std::size_t size);

  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(region_.get_address()), region_.get_size()};
  }

  /// Has the kernel read no more than what is touched.
  void expect_no_order();

  /// Brings pages in on this thread, so that compute workers do not wait for the disk. Pages that
  /// cannot be had are left to `fault_before`.
  void populate(std::uint64_t offset, std::size_t size) const;

  /// The Error if bytes before `end` are not, or were not when they were touched, those of the
  /// file; null if all is well. What a file lost within its last page reads as zeros without a
  /// fault, so its size counts too. It is asked for after the fault: a page that went missing
  /// because the file shrank, even one of another range, is then told from one that the disk failed
  /// to deliver.
  std::exception_ptr fault_before(std::uint64_t end, const File& file) const;

 private:
  boost::interprocess::mapped_region region_;
  std::uint64_t start_ = 0;  // of the bytes in the file
  BusGuard guard_;           // goes before the region
};

}  // namespace sluice::io
