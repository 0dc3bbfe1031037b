#pragma once

// What tests of the sink write.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/sink.h"

namespace sluice::io::sink_tests {

// One piece, as most tests write.
inline void write_piece(Sink& sink, std::uint64_t offset, const std::vector<std::byte>& bytes) {
  const std::span<const std::byte> piece(bytes);
  sink.write_at(offset, {&piece, 1});
}

// The one file of most tests.
inline std::vector<SinkPart> one(const std::string& path, std::uint64_t size) {
  return {{.path = path, .begin = 0, .size = size}};
}

inline std::vector<std::byte> filled(std::size_t size, int value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

}  // namespace sluice::io::sink_tests
