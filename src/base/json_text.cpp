#include "base/json_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace sluice {
namespace {

template <class... Arguments>
std::string digits_of(Arguments... arguments) {
  std::array<char, 32> digits{};
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), arguments...).ptr;
  return {digits.data(), end};
}

// As short as it reads back to the same number, and never an integer's text.
std::string digits_of_double(double value) {
  const double magnitude = std::abs(value);
  const bool plain = value == 0 || (magnitude >= 1e-4 && magnitude < 1e15);
  if (!plain) return digits_of(value, std::chars_format::scientific);
  std::string digits = digits_of(value, std::chars_format::fixed);
  if (digits.find('.') == digits.npos) digits += ".0";
  return digits;
}

std::string escaped(char c) {
  constexpr std::string_view kShort = "\b\f\n\r\t\"\\";
  constexpr std::string_view kHex = "0123456789abcdef";
  if (const std::size_t at = kShort.find(c); at != kShort.npos) return {'\\', "bfnrt\"\\"[at]};
  return {'\\', 'u', '0', '0', kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 0xf]};
}

}  // namespace

void JsonText::begin_element() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (depth_ == 0) return;
  if (!first_) out_ += ',';
  first_ = false;
  new_line();
}

void JsonText::new_line() {
  if (indent_ == 0) return;
  out_ += '\n';
  out_.append(depth_ * indent_, ' ');
}

void JsonText::key(std::string_view name) {
  value(name);
  out_ += indent_ > 0 ? ": " : ":";
  after_key_ = true;
}

void JsonText::open(char bracket) {
  begin_element();
  out_ += bracket;
  ++depth_;
  first_ = true;
}

void JsonText::close(char bracket) {
  --depth_;
  if (!first_) new_line();
  out_ += bracket;
  first_ = false;
}

void JsonText::raw(std::string_view text) {
  begin_element();
  out_ += text;
}

void JsonText::text(std::string_view text) {
  begin_element();
  out_ += '"';
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.bytes);
    const char c = bytes.front();
    if (!character.valid) {
      out_ += "\xef\xbf\xbd";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') {
      out_ += escaped(c);
    } else {
      out_ += bytes;
    }
    text.remove_prefix(character.bytes);
  }
  out_ += '"';
}

void JsonText::number(double value) {
  raw(std::isfinite(value) ? digits_of_double(value) : "null");
}

void JsonText::number(std::int64_t value) {
  raw(digits_of(value));
}

void JsonText::number(std::uint64_t value) {
  raw(digits_of(value));
}

}  // namespace sluice
