#include "checkpoint/model_name.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/pattern.h"

namespace sluice::checkpoint {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}
std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}
std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

/// What lies between any of the letters, unless it is nothing.
std::vector<std::string> words_of(std::string_view text, std::string_view between) {
  std::vector<std::string> words;
  for (std::size_t begin; (begin = text.find_first_not_of(between)) != text.npos;) {
    text.remove_prefix(begin);
    words.emplace_back(text.substr(0, text.find_first_of(between)));
    text.remove_prefix(words.back().size());
  }
  return words;
}

/// What a part of a name can be; of some it is several.
struct NamePart {
  std::string text;
  bool basename = false;
  bool size_label = false;
  bool finetune = false;
  bool version = false;
  bool type = false;

  int meanings() const { return basename + size_label + finetune + version + type; }
};

/// "7b" as "7B", bloom's "7b1" as "7.1B", "1_5b" as "1.5B".
std::string normal_size(std::string text) {
  std::ranges::replace(text, '_', '.');
  const std::size_t size = text.size();
  if (size > 2 && is_digit(text.back())) {
    text = text.substr(0, size - 2) + "." + text[size - 1] + text[size - 2];
  }
  if (text.size() > 1 && is_digit(text[text.size() - 2])) {
    text.back() = upper_case(text.substr(text.size() - 1)).front();
  }
  return text;
}

/// Whether a size's number is so far from the model's that it is another's, a context's perhaps.
bool is_another_size(const std::string& text, std::uint64_t parameters) {
  constexpr std::string_view kUnits = "KMBT";
  const std::size_t unit = kUnits.find(text.back());
  double number = 0;
  const char* const end = text.data() + text.size() - 1;
  if (unit == kUnits.npos || std::from_chars(text.data(), end, number).ptr != end ||
      parameters == 0) {
    return false;
  }
  const auto real = static_cast<double>(parameters);
  const double label = number * std::pow(1000.0, static_cast<double>(unit + 1));
  return std::abs(label - real) > std::floor(7 * real / 8);
}

void annotate(std::vector<NamePart>& parts, std::uint64_t parameters) {
  static const Pattern kVersion("^(v|iter)?\\d+([.]\\d+)*$");
  static const Pattern kType("^(i?q\\d(_\\w)*|b?fp?(16|32))$");
  static const Pattern kSize(
      "^((a|\\d+x)?\\d+([._]\\d+)?[kmbt]\\d?|small|mini|medium|large|x?xl)$");
  static const Pattern kFinetune("^(chat|instruct|vision|lora)$");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    NamePart& part = parts[i];
    const std::string text = lower_case(part.text);
    if (kVersion.found_in(text)) {
      part.version = true;
    } else if (kType.found_in(text)) {
      part.type = true;
      part.text = upper_case(text);
    } else if (i > 0 && kSize.found_in(text)) {
      part.text = normal_size(part.text);
      part.finetune = is_another_size(part.text, parameters);
      part.size_label = !part.finetune;
      if (part.finetune) part.text.back() = lower_case(part.text.substr(part.text.size() - 1))[0];
    } else if (i > 0 && kFinetune.found_in(text)) {
      part.finetune = true;
    }
  }
}

/// Sizes in words count only where there is none in numbers.
void drop_words_for_sizes(std::vector<NamePart>& parts) {
  const auto has_number = [](const NamePart& part) {
    return part.size_label && std::ranges::any_of(part.text, is_digit);
  };
  if (std::ranges::none_of(parts, has_number)) return;
  for (NamePart& part : parts) {
    if (std::ranges::all_of(part.text, is_letter)) part.size_label = false;
  }
}

/// The basename is what the name begins with, versions included; a version at its end is none of it.
void find_basename(std::vector<NamePart>& parts) {
  bool at_start = true;
  for (NamePart& part : parts) {
    if (at_start && ((part.meanings() == 0 && is_letter(part.text.front())) || part.version)) {
      part.basename = true;
      continue;
    }
    at_start = false;
    if (part.meanings() == 0) part.finetune = true;
  }
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (!part->basename || part->meanings() < 2) break;
    part->basename = false;
  }
}

template <class Wanted>
std::string joined(const std::vector<NamePart>& parts, Wanted wanted) {
  std::vector<std::string> texts;
  for (const NamePart& part : parts) {
    if (wanted(part)) texts.push_back(part.text);
  }
  return fmt::format("{}", fmt::join(texts, "-"));
}

std::string unique_sizes(const std::vector<NamePart>& parts) {
  std::vector<std::string> sizes;
  for (const NamePart& part : parts) {
    if (part.size_label && std::ranges::find(sizes, part.text) == sizes.end()) {
      sizes.push_back(part.text);
    }
  }
  return fmt::format("{}", fmt::join(sizes, "-"));
}

/// Two digits at least: "7.1M", "38K", "671B".
std::string rounded_count(double count) {
  struct Unit {
    double size;
    char letter;
  };
  constexpr std::array kUnits = {Unit{1e12, 'T'}, Unit{1e9, 'B'}, Unit{1e6, 'M'}, Unit{1e3, 'K'}};
  const auto* unit = std::ranges::find_if(kUnits, [&](const Unit& u) { return count > u.size; });
  if (unit == kUnits.end()) --unit;
  const double scaled = count / unit->size;
  const std::string whole = fmt::format("{:.0f}", scaled);
  const std::size_t digits = whole == "0" ? 0 : whole.size();
  return fmt::format("{:.{}f}{}", scaled, digits < 2 ? 2 - digits : 0, unit->letter);
}

}  // namespace

ModelName parse_model_name(std::string_view id, std::uint64_t parameters) {
  constexpr std::size_t kLongestName = 512;
  ModelName result;
  result.name = id;
  // A sentence, or no name at all.
  if (id.find(' ') != id.npos || id.size() > kLongestName) return result;
  if (const std::size_t slash = id.find('/'); slash != id.npos) {
    result.organization = id.substr(0, slash);
    result.name = id.substr(slash + 1);
    if (result.organization.starts_with('.')) result.organization.clear();
  }
  std::vector<NamePart> parts;
  for (const std::string& text : words_of(result.name, "-")) parts.push_back({.text = text});
  annotate(parts, parameters);
  drop_words_for_sizes(parts);
  find_basename(parts);
  result.basename = joined(parts, [](const NamePart& part) { return part.basename; });
  result.finetune = joined(parts, [](const NamePart& part) { return part.finetune; });
  result.version =
      joined(parts, [](const NamePart& part) { return part.version && !part.basename; });
  result.size_label = unique_sizes(parts);
  const bool says_something =
      !result.size_label.empty() || !result.finetune.empty() || !result.version.empty();
  if (!says_something) result.basename.clear();
  return result;
}

std::string title_of(std::string_view name) {
  static const Pattern kKept("^(v\\d+(\\.\\d+)*|\\d.*)$");
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  std::vector<std::string> words = words_of(name, "- ");
  for (std::string& word : words) {
    const bool lower = std::ranges::any_of(word, is_letter) && std::ranges::none_of(word, is_upper);
    if (lower && !kKept.found_in(word)) {
      for (std::size_t i = 0; i < word.size(); ++i) {
        if (i > 0 && is_letter(word[i - 1])) continue;
        word[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[i])));
      }
    }
  }
  return fmt::format("{}", fmt::join(words, " "));
}

std::string size_label(std::uint64_t shared, std::uint64_t expert, std::uint64_t experts) {
  const std::string one = rounded_count(static_cast<double>(shared) + static_cast<double>(expert));
  return experts == 0 ? one : fmt::format("{}x{}", experts, one);
}

}  // namespace sluice::checkpoint
