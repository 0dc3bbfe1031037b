#include "recipe/nearest_type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "sluice/nearest_name.h"

namespace sluice {
namespace {

enum class Family { integer, i_quant, ternary, floating, brain };

/// What stands behind the bits: `Q4_K`, `Q4_0`, `IQ4_NL`, `IQ4_XS`.
enum class Form { none, k, number, nonlinear };

struct Meaning {
  Family family = Family::integer;
  int bits = 0;
  Form form = Form::none;
  char number = 0;             ///< of Form::number
  std::optional<double> size;  ///< 0 for M, one more for L, one less for S
};

// Longer ones before what they begin with, and the plain ones last.
constexpr std::array kFamilies = {
    std::pair{"mxfp", Family::floating}, std::pair{"nvfp", Family::floating},
    std::pair{"bfloat", Family::brain},  std::pair{"bfp", Family::brain},
    std::pair{"bf", Family::brain},      std::pair{"float", Family::floating},
    std::pair{"fp", Family::floating},   std::pair{"f", Family::floating},
    std::pair{"iq", Family::i_quant},    std::pair{"nf", Family::i_quant},
    std::pair{"tq", Family::ternary},    std::pair{"uint", Family::integer},
    std::pair{"int", Family::integer},   std::pair{"q", Family::integer},
    std::pair{"w", Family::integer},     std::pair{"", Family::integer}};
constexpr std::array kSizes = {
    std::pair{"xxxs", -4.0}, std::pair{"xxs", -3.0}, std::pair{"xs", -2.0}, std::pair{"s", -1.0},
    std::pair{"m", 0.0},     std::pair{"xxl", 3.0},  std::pair{"xl", 2.0},  std::pair{"l", 1.0}};

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

std::optional<Meaning> meaning_of(std::string_view name) {
  // Behind a publisher's mark, as in UD-Q4_K_XL and i1-IQ1_M, where that is all it takes.
  if (const std::size_t dash = name.rfind('-'); dash != name.npos) {
    if (const auto meaning = meaning_of(name.substr(dash + 1))) return meaning;
  }
  std::string letters = lower(name);
  std::erase_if(letters, [](char c) { return (c < 'a' || c > 'z') && (c < '0' || c > '9'); });
  std::string_view text = letters;
  Meaning meaning;
  const auto family = std::ranges::find_if(
      kFamilies, [&](const auto& each) { return take_word(text, each.first); });
  meaning.family = family->second;
  // Of "q41" and the like the second digit is a form.
  const std::size_t digits = text.starts_with("16") || text.starts_with("32") ? 2 : 1;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + std::min(digits, text.size()), meaning.bits);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const bool says_bits =
      take_word(text, "bits") || take_word(text, "bit") || take_word(text, "bpw") || text == "b";
  if (std::string_view(family->first).empty() && !says_bits) return std::nullopt;
  if (std::string_view(family->first) == "nf" || take_word(text, "nl")) {
    meaning.form = Form::nonlinear;
  } else if (take_word(text, "k")) {
    meaning.form = Form::k;
  } else if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    meaning.form = Form::number;
    meaning.number = text.front();
    text.remove_prefix(1);
  }
  for (const auto& [word, size] : kSizes) {
    if (!take_word(text, word)) continue;
    meaning.size = size;
    break;
  }
  return meaning;
}

double form_distance(const Meaning& wanted, const Meaning& name) {
  constexpr double kOther = 3;
  if (wanted.form == Form::none) {  // the usual form of the family
    const Form usual = wanted.family == Family::integer && wanted.bits < 8 ? Form::k : Form::none;
    return name.form == usual ? 0 : kOther - 1;
  }
  if (wanted.form != name.form) return kOther;
  return wanted.number == name.number ? 0 : 1;
}

double distance_between(const Meaning& wanted, const Meaning& name) {
  constexpr double kPerBit = 10;
  constexpr double kOtherFamily = 6;
  // A name without a size is of the middle one; where two are, the one that says so is plainer.
  const double sizes = std::abs(wanted.size.value_or(0) - name.size.value_or(0));
  return kPerBit * std::abs(wanted.bits - name.bits) +
         (wanted.family == name.family ? 0 : kOtherFamily) + form_distance(wanted, name) + sizes +
         (name.size ? 0 : 0.1);
}

}  // namespace

std::string_view nearest_type(std::string_view text, const std::vector<std::string_view>& names) {
  constexpr std::size_t kLongest = 64;  // what is longer is no misspelled name
  const std::optional<Meaning> wanted = text.size() > kLongest ? std::nullopt : meaning_of(text);
  if (!wanted) return nearest_name(text, names);
  std::string_view nearest;
  double least = std::numeric_limits<double>::infinity();
  for (const std::string_view name : names) {
    const std::optional<Meaning> meaning = meaning_of(name);
    if (!meaning) continue;
    const double distance = distance_between(*wanted, *meaning);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace sluice
