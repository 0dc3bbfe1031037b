#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "api/option_setters.h"
#include "api/option_values.h"
#include "base/pattern.h"
#include "base/text.h"
#include "recipe/recipe_text.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

// Values of the options that ask for a size.

namespace sluice::option_setters {
namespace {

/// A size that a part of a model can have: as files' sizes are told, with a unit of a thousand.
std::uint64_t target_bytes(std::string_view value) {
  constexpr std::uint64_t kLeastMeant = std::uint64_t{1} << 10;
  const std::uint64_t bytes = option_values::size(value, 1000);
  if (bytes < kLeastMeant) {
    throw Error(
        ErrorCode::usage,
        fmt::format("{} is {}, too little for any model", printable(value), counted(bytes, "byte")),
        {.cure = "Write a number and a unit, as 100G or 93GiB"});
  }
  return bytes;
}

/// \throws Error (usage) if it is no regular expression
void check_pattern(const std::string& pattern) {
  static_cast<void>(Pattern(pattern));
}

}  // namespace

void set_target_size(Options& options, const Option&, std::string_view value) {
  options.quantize.target.size = target_bytes(value);
}

void set_target_bpw(Options& options, const Option&, std::string_view value) {
  constexpr double kLeast = 0.1;
  constexpr double kMost = 32;
  options.quantize.target.bpw = option_values::number(value, kLeast, kMost);
}

void add_place(Options& options, const Option&, std::string_view value) {
  const std::size_t sign = value.rfind('=');
  if (sign == value.npos || sign == 0) {
    throw Error(ErrorCode::usage, fmt::format("'{}' is no place with a size", printable(value)),
                {.cure = "Write it as 'exps=96G', and '*=20G' for all other tensors"});
  }
  const std::string pattern(value.substr(0, sign));
  if (pattern != "*") check_pattern(pattern);
  options.quantize.target.places.push_back({pattern, target_bytes(value.substr(sign + 1))});
}

void add_offered_types(Options& options, const Option&, std::string_view value) {
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t comma = std::min(value.find(',', at), value.size());
    options.quantize.target.types.push_back(parse_tensor_type(value.substr(at, comma - at)));
    at = comma + 1;
  }
}

void set_measured_tokens(Options& options, const Option&, std::string_view value) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
  options.quantize.target.tokens = option_values::whole_number(value, 1, kMost);
}

void add_tie(Options& options, const Option&, std::string_view value) {
  check_pattern(std::string(value));
  options.quantize.target.ties.emplace_back(value);
}

}  // namespace sluice::option_setters
