#include "api/option_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <system_error>

#include "base/text.h"
#include "recipe/recipe_text.h"
#include "sluice/error.h"

namespace sluice::option_values {
namespace {

[[noreturn]] void refuse(std::string_view value, std::string_view what, std::string cure) {
  throw Error(ErrorCode::usage, fmt::format("'{}' is {}", printable(value), what),
              {.cure = std::move(cure)});
}

template <typename Number>
Number number_within(std::string_view value, Number least, Number most) {
  Number number{};
  const char* const last = value.data() + value.size();
  const auto [end, error] = std::from_chars(value.data(), last, number);
  // Not "number < least", which is false for what is no number.
  if (error != std::errc() || end != last || !(number >= least) || !(number <= most)) {
    refuse(value, fmt::format("no number from {} to {}", least, most), "Write it in digits");
  }
  return number;
}

// How many bytes a unit such as "m" or "mib" is, or 0 if it is none.
std::uint64_t factor_of(std::string unit, std::uint64_t thousand) {
  constexpr std::string_view kPrefixes = "kmgtpe";
  if (unit.empty() || unit == "b") return 1;
  const std::size_t power = kPrefixes.find(unit.front());
  const std::string_view rest = std::string_view(unit).substr(1);
  if (power == kPrefixes.npos || !(rest.empty() || rest == "b" || rest == "i" || rest == "ib")) {
    return 0;
  }
  std::uint64_t factor = 1;
  for (std::size_t i = 0; i <= power; ++i) factor *= rest.starts_with('i') ? 1024 : thousand;
  return factor;
}

}  // namespace

std::size_t place_in_choice(const Option& option, std::string_view value) {
  std::string_view left = option.value;
  for (std::size_t place = 0;; ++place) {
    const std::size_t bar = std::min(left.find('|'), left.size());
    if (left.substr(0, bar) == value) return place;
    if (bar == left.size()) break;
    left.remove_prefix(bar + 1);
  }
  std::string known(option.value);
  for (std::size_t bar; (bar = known.find('|')) != known.npos;) known.replace(bar, 1, ", ");
  refuse(value, "none of " + known, "Write one of these");
}

std::uint64_t whole_number(std::string_view value, std::uint64_t least, std::uint64_t most) {
  return number_within(value, least, most);
}

double number(std::string_view value, double least, double most) {
  return number_within(value, least, most);
}

std::uint64_t size(std::string_view value, std::uint64_t thousand) {
  long double number = 0;  // exact for whole numbers of 64 bits
  const char* const last = value.data() + value.size();
  const auto [end, error] = std::from_chars(value.data(), last, number);
  std::string unit(end, last);
  unit.erase(0, unit.find_first_not_of(' '));
  std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::uint64_t factor = factor_of(unit, thousand);
  const long double bytes = number * static_cast<long double>(factor);
  // Not "bytes >= 2^64", which is false for what is no number.
  if (error != std::errc() || factor == 0 || std::signbit(number) || !(bytes < 0x1p64L)) {
    refuse(value, "no size", "Write a number and a unit, as 512M, 1.5G or 2GiB");
  }
  return static_cast<std::uint64_t>(bytes);
}

void read(const Option& option, std::string_view value, std::string& to) {
  // A script's empty variable must not make a model without importance.
  if (value.empty() && option.kind == OptionKind::file) {
    throw Error(ErrorCode::usage, "names no file", {.cure = "Name one, or leave the option out"});
  }
  to = value;
}

void read(const Option&, std::string_view value, bool& to) {
  if (value != "true" && value != "false") {
    refuse(value, "neither true nor false", "Write one of these");
  }
  to = value == "true";
}

void read(const Option& option, std::string_view value, Isa& to) {
  place_in_choice(option, value);
  to = best_isa();
  if (value == "auto") return;
  const std::vector<Isa> isas = supported_isas();
  const auto isa = std::ranges::find_if(isas, [&](Isa each) { return name(each) == value; });
  if (isa == isas.end()) {
    throw Error(ErrorCode::usage,
                fmt::format("this machine has no {}, or the program was built without it", value),
                {.cure = "Use auto, which chooses the best that there is"});
  }
  to = *isa;
}

void read(const Option&, std::string_view value, std::optional<TensorType>& to) {
  to = parse_tensor_type(value);
}

void read(const Option&, std::string_view value, std::vector<std::string>& to) {
  to.emplace_back(value);
}

}  // namespace sluice::option_values
