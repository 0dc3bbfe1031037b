#include "checkpoint/nvfp4.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/checked.h"

namespace sluice::checkpoint {
namespace {

constexpr std::uint64_t kInBlock = 16;
constexpr std::uint64_t kInByte = 2;

/// Which extent, counted from the last, has blocks of so many bytes, with a factor for each; the
/// others are the same.
bool has_blocks(const std::vector<std::uint64_t>& codes, const std::vector<std::uint64_t>& factors,
                std::size_t from_last) {
  if (codes.size() != factors.size() || codes.size() <= from_last) return false;
  const std::size_t axis = codes.size() - 1 - from_last;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const bool fits = i == axis ? codes[i] % (kInBlock / kInByte) == 0 &&
                                      codes[i] / (kInBlock / kInByte) == factors[i]
                                : codes[i] == factors[i];
    if (!fits) return false;
  }
  return true;
}

void expect_type(const FoundEntry& found, Dtype type) {
  if (found.entry->dtype == type) return;
  refuse(found, fmt::format("its elements are {}, and in NVFP4 they are {}",
                            name(found.entry->dtype), name(type)));
}

}  // namespace

Stored nvfp4(const FoundEntry& codes, const FoundEntry& factors, std::string_view name) {
  expect_type(codes, Dtype::u8);
  expect_type(factors, Dtype::f8_e4m3);
  const std::vector<std::uint64_t>& shape = codes.entry->shape;
  const std::vector<std::uint64_t>& blocks = factors.entry->shape;
  const bool along = has_blocks(shape, blocks, 0) && shape.size() >= 2;
  const bool down = has_blocks(shape, blocks, 1) && shape.size() >= 3;
  if (along == down) {  // neither, unless nothing is there
    refuse(factors, fmt::format("its factors, {}, do not fit the weights, {} bytes of two",
                                fmt::join(blocks, " x "), fmt::join(shape, " x ")));
  }
  Stored result{.name = std::string(name), .place = codes.place(), .shape = shape, .scales = {}};
  std::uint64_t& extent = along ? result.shape.back() : result.shape.end()[-2];
  const auto elements = checked_mul(extent, kInByte);
  if (!elements) refuse(codes, "the number of its elements overflows");
  extent = *elements;
  result.coding = along ? Coding::nvfp4 : Coding::nvfp4_across;
  result.scales = Scales{.place = factors.place(),
                         .type = Scales::Type::f8_e4m3,
                         .block_rows = along ? 1 : kInBlock,
                         .block_columns = along ? kInBlock : 1,
                         .columns = blocks.back(),
                         .matrix = blocks.end()[-2] * blocks.back()};
  return result;
}

}  // namespace sluice::checkpoint
