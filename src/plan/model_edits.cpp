#include "plan/model_edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "base/text.h"
#include "sluice/error.h"

namespace sluice {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw Error(ErrorCode::usage, fmt::format("the metadata '{}' {}", printable(text), why),
              {.cure = "Write KEY=TYPE:VALUE with TYPE int, float, bool or str, as in "
                       "llama.context_length=int:8192"});
}

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view without_blanks_around(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

gguf::Value whole_number(std::string_view text, std::string_view value) {
  const auto n = number<std::int64_t>(value);
  if (!n) refuse(text, "has no whole number");
  if (*n >= 0 && *n <= std::numeric_limits<std::uint32_t>::max()) {
    return gguf::Value::of(static_cast<std::uint32_t>(*n));
  }
  if (*n < 0 && *n >= std::numeric_limits<std::int32_t>::min()) {
    return gguf::Value::of(static_cast<std::int32_t>(*n));
  }
  refuse(text, "has a number of more than 32 bits");
}

}  // namespace

gguf::KeyValue parse_metadata_override(std::string_view text) {
  constexpr std::size_t kLongestKey = 127;  // as in the peers
  const std::size_t sign = text.find('=');
  const std::size_t colon = text.find(':', sign == text.npos ? 0 : sign);
  if (sign == text.npos || colon == text.npos) refuse(text, "is not understood");
  const std::string key(text.substr(0, sign));
  if (key.empty() || key.size() > kLongestKey || !is_plain_utf8(key)) {
    refuse(text, fmt::format("has no key of 1 to {} characters", kLongestKey));
  }
  if (key == "general.alignment" || key.starts_with("split.")) {
    refuse(text, "says where tensors lie, which is not for the user to set");
  }
  const std::string_view type = text.substr(sign + 1, colon - sign - 1);
  const std::string_view value = text.substr(colon + 1);
  if (type == "int") return {key, whole_number(text, value)};
  if (type == "float") {
    const auto n = number<float>(value);
    if (!n || !std::isfinite(*n)) refuse(text, "has no number");
    return {key, gguf::Value::of(*n)};
  }
  if (type == "bool") {
    if (value != "true" && value != "false") refuse(text, "is neither true nor false");
    return {key, gguf::Value::of(value == "true")};
  }
  if (type == "str") {
    if (!is_plain_utf8(value)) refuse(text, "is not UTF-8");
    return {key, gguf::Value::of(value)};
  }
  refuse(text, fmt::format("has an unknown type '{}'", printable(type)));
}

std::vector<std::uint32_t> parse_layers(std::string_view text) {
  std::vector<std::uint32_t> layers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view item = without_blanks_around(text.substr(begin, end - begin));
    const auto layer = number<std::uint32_t>(item);
    if (!layer) {
      throw Error(ErrorCode::usage, fmt::format("'{}' is no layer's number", printable(item)),
                  {.cure = "Write numbers separated by commas, as in 20,21,22"});
    }
    layers.push_back(*layer);
    begin = end + 1;
  }
  std::ranges::sort(layers);
  layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
  return layers;
}

}  // namespace sluice
