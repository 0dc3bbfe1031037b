#include "metadata_text.h"

#include <fmt/format.h>

#include "text.h"

namespace sluice::cli {
namespace {

// As short as it reads back to the same number of its own type.
std::string float_text(const gguf::Value& value, double number) {
  return value.type == gguf::ValueType::f32 ? fmt::format("{}", static_cast<float>(number))
                                            : fmt::format("{}", number);
}

// The first characters of a text, never half of one.
std::string shortened(const std::string& text, std::size_t characters) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (starts && seen++ == characters) return text.substr(0, i) + "…";
  }
  return text;
}

}  // namespace

std::string value_type_text(const gguf::Value& value) {
  const auto array = value.as_array();
  return array ? fmt::format("{}[{}]", name(array->element), array->count)
               : std::string(name(value.type));
}

std::string value_text(const gguf::Value& value, const ValueLength& length) {
  if (const auto array = value.as_array()) {
    std::string text;
    for (const gguf::Value& element : value.elements(length.elements)) {
      text += (text.empty() ? "" : ", ") + value_text(element, length);
    }
    return fmt::format("[{}{}]", text, array->count > length.elements ? ", …" : "");
  }
  if (const auto text = value.as_string()) {
    return fmt::format("\"{}\"", printable(shortened(*text, length.characters)));
  }
  if (const auto number = value.as_uint()) return fmt::format("{}", *number);
  if (const auto number = value.as_int()) return fmt::format("{}", *number);
  if (const auto number = value.as_float()) return float_text(value, *number);
  return value.as_bool().value_or(false) ? "true" : "false";
}

}  // namespace sluice::cli
