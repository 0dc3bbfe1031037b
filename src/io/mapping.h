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

/// A file in memory (Boost.Interprocess), whose pages may go missing without ending the process.
class Mapping {
 public:
  /// An empty file becomes nothing.
  /// \throws CannotMap; Error (input_changed) if the name has become another's
  explicit Mapping(const File& file);

  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(region_.get_address()), region_.get_size()};
  }

  /// Brings pages in on this thread. Pages that cannot be had are left to `fault_before`.
  void populate(std::uint64_t offset, std::size_t size) const;

  /// The Error if bytes before `end` are not, or were not when they were touched, those of the
  /// file; null if all is well. What a file lost within its last page reads as zeros without a
  /// fault, so its size counts too. It is asked for after the fault: a page that went missing
  /// because the file shrank, even one of another range, is then told from one that the disk failed
  /// to deliver.
  std::exception_ptr fault_before(std::uint64_t end, const File& file) const;

 private:
  boost::interprocess::mapped_region region_;
  BusGuard guard_;  // goes before the region
};

}  // namespace sluice::io
