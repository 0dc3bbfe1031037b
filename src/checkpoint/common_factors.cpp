#include "checkpoint/common_factors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <tuple>

namespace sluice::checkpoint {
namespace {

/// Whether a shape is of one number, or of one for each matrix of the weights.
bool fits(const std::vector<std::uint64_t>& shape, const Stored& weights) {
  const auto is_one = [](std::uint64_t extent) { return extent == 1; };
  if (std::ranges::all_of(shape, is_one)) return true;
  const std::size_t matrices =
      weights.shape.size() - std::min<std::size_t>(2, weights.shape.size());
  return shape.size() >= matrices &&
         std::all_of(shape.begin() + static_cast<std::ptrdiff_t>(matrices), shape.end(), is_one) &&
         std::equal(weights.shape.begin(),
                    weights.shape.begin() + static_cast<std::ptrdiff_t>(matrices), shape.begin());
}

void expect_numbers(const FoundEntry& found, const Stored& weights) {
  const Entry& entry = *found.entry;
  if (entry.dtype != Dtype::f32) {
    refuse(found, fmt::format("its elements are {}, and what factors have in common is F32",
                              name(entry.dtype)));
  }
  if (!fits(entry.shape, weights)) {
    refuse(found, fmt::format("it is {}, and expected is one number, or one for each matrix of {}",
                              fmt::join(entry.shape, " x "), fmt::join(weights.shape, " x ")));
  }
}

std::vector<float> numbers_in(std::span<const std::byte> bytes, const FoundEntry& found) {
  std::vector<float> numbers(bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(float));
  for (const float number : numbers) {
    if (std::isfinite(number) && number > 0) continue;
    refuse(found, fmt::format("what the factors have in common is {}, which is no positive number",
                              number));
  }
  return numbers;
}

/// Those at the beginning that one read has, in the order of their places.
std::span<const CommonFactors> read_together(std::span<const CommonFactors> all) {
  constexpr std::uint64_t kGap = std::uint64_t{64} << 10;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 20;
  const Place first = all.front().found.place();
  std::size_t count = 1;
  for (std::uint64_t end = first.offset + first.size; count < all.size(); ++count) {
    const Place next = all[count].found.place();
    const std::uint64_t next_end = next.offset + next.size;
    if (next.part != first.part || next.offset - end > kGap || next_end - first.offset > kMost) {
      break;
    }
    end = next_end;
  }
  return all.first(count);
}

}  // namespace

void read_common_factors(const Folder& folder, std::span<const CommonFactors> all,
                         std::vector<Stored>& stored) {
  for (const CommonFactors& one : all) expect_numbers(one.found, stored[one.stored]);
  std::vector<CommonFactors> sorted(all.begin(), all.end());
  std::ranges::sort(sorted, {}, [](const CommonFactors& one) {
    return std::tuple(one.found.part, one.found.entry->offset);
  });
  for (std::span<const CommonFactors> rest = sorted; !rest.empty();) {
    const std::span<const CommonFactors> group = read_together(rest);
    rest = rest.subspan(group.size());
    Place place = group.front().found.place();
    const Place last = group.back().found.place();
    place.size = last.offset + last.size - place.offset;
    const std::vector<std::byte> bytes =
        folder.read ? folder.read(place) : std::vector<std::byte>();
    if (bytes.size() != place.size) refuse(group.front().found, "it could not be read");
    for (const CommonFactors& one : group) {
      const Place part = one.found.place();
      stored[one.stored].scales->common =
          numbers_in(std::span(bytes).subspan(part.offset - place.offset, part.size), one.found);
    }
  }
}

}  // namespace sluice::checkpoint
