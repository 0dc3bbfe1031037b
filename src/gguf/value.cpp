#include <cstring>
#include <limits>
#include <type_traits>

#include "base/checked.h"
#include "gguf/bytes.h"
#include "gguf/value_type.h"
#include "sluice/gguf.h"

namespace sluice::gguf {
namespace {

void append_string(std::vector<std::byte>& out, std::string_view text) {
  append(out, std::uint64_t{text.size()});
  append_bytes(out, std::as_bytes(std::span(text)));
}

template <typename T>
Value scalar(ValueType type, T v) {
  Value value{type, {}};
  append(value.bytes, v);
  return value;
}

Value array_of(ValueType element, std::size_t count) {
  Value value{ValueType::array, {}};
  append(value.bytes, static_cast<std::uint32_t>(element));
  append(value.bytes, std::uint64_t{count});
  return value;
}

template <typename T>
Value numbers(ValueType element, std::span<const T> v) {
  Value value = array_of(element, v.size());
  append_bytes(value.bytes, std::as_bytes(v));
  return value;
}

template <typename T>
std::optional<std::uint64_t> not_negative(const std::byte* bytes) {
  const T v = load<T>(bytes);
  if constexpr (std::is_signed_v<T>) {
    if (v < 0) return std::nullopt;
  }
  return static_cast<std::uint64_t>(v);
}

/// The integer of a type at `bytes`, or nothing if the type is no integer or the number negative.
std::optional<std::uint64_t> integer_at(ValueType type, const std::byte* bytes) {
  switch (type) {
    case ValueType::u8:
      return not_negative<std::uint8_t>(bytes);
    case ValueType::i8:
      return not_negative<std::int8_t>(bytes);
    case ValueType::u16:
      return not_negative<std::uint16_t>(bytes);
    case ValueType::i16:
      return not_negative<std::int16_t>(bytes);
    case ValueType::u32:
      return not_negative<std::uint32_t>(bytes);
    case ValueType::i32:
      return not_negative<std::int32_t>(bytes);
    case ValueType::u64:
      return not_negative<std::uint64_t>(bytes);
    case ValueType::i64:
      return not_negative<std::int64_t>(bytes);
    default:
      return std::nullopt;
  }
}

struct Array {
  ValueType element;
  std::uint64_t count;
  std::span<const std::byte> data;
};

constexpr std::size_t kArrayHead = sizeof(std::uint32_t) + sizeof(std::uint64_t);

std::optional<Array> as_array(const Value& value) {
  if (value.type != ValueType::array || value.bytes.size() < kArrayHead) return std::nullopt;
  const std::span<const std::byte> bytes = value.bytes;
  return Array{static_cast<ValueType>(load<std::uint32_t>(bytes.data())),
               load<std::uint64_t>(bytes.data() + sizeof(std::uint32_t)),
               bytes.subspan(kArrayHead)};
}

/// Takes a string off the front of `bytes`, or nothing if they do not hold one.
std::optional<std::string> take_string(std::span<const std::byte>& bytes) {
  constexpr std::size_t kHead = sizeof(std::uint64_t);
  if (bytes.size() < kHead) return std::nullopt;
  const auto length = load<std::uint64_t>(bytes.data());
  if (length > bytes.size() - kHead) return std::nullopt;
  std::string text(reinterpret_cast<const char*>(bytes.data()) + kHead, length);
  bytes = bytes.subspan(kHead + length);
  return text;
}

}  // namespace

Value Value::of(std::uint16_t v) {
  return scalar(ValueType::u16, v);
}
Value Value::of(std::uint32_t v) {
  return scalar(ValueType::u32, v);
}
Value Value::of(std::int32_t v) {
  return scalar(ValueType::i32, v);
}
Value Value::of(float v) {
  return scalar(ValueType::f32, v);
}
Value Value::of(bool v) {
  return scalar(ValueType::boolean, std::uint8_t{v});
}

Value Value::of(std::string_view v) {
  Value value{ValueType::string, {}};
  append_string(value.bytes, v);
  return value;
}

Value Value::of(const char* v) {
  return of(std::string_view(v));
}

Value Value::of_strings(std::span<const std::string> v) {
  Value value = array_of(ValueType::string, v.size());
  for (const std::string& text : v) append_string(value.bytes, text);
  return value;
}

Value Value::of_floats(std::span<const float> v) {
  return numbers(ValueType::f32, v);
}
Value Value::of_ints(std::span<const std::int32_t> v) {
  return numbers(ValueType::i32, v);
}

std::optional<std::uint64_t> Value::as_uint() const {
  if (bytes.size() != fixed_size(type)) return std::nullopt;
  return integer_at(type, bytes.data());
}

std::optional<std::string> Value::as_string() const {
  if (type != ValueType::string) return std::nullopt;
  std::span<const std::byte> rest = bytes;
  return take_string(rest);
}

std::optional<std::vector<std::uint64_t>> Value::as_uints() const {
  const std::optional<Array> array = as_array(*this);
  if (!array) return std::nullopt;
  const std::size_t width = fixed_size(array->element);
  if (width == 0 || checked_mul(array->count, width) != array->data.size()) return std::nullopt;
  std::vector<std::uint64_t> out(array->count);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto number = integer_at(array->element, array->data.data() + i * width);
    if (!number) return std::nullopt;
    out[i] = *number;
  }
  return out;
}

std::optional<std::vector<std::string>> Value::as_strings() const {
  const std::optional<Array> array = as_array(*this);
  if (!array || array->element != ValueType::string) return std::nullopt;
  std::span<const std::byte> rest = array->data;
  std::vector<std::string> out;
  for (std::uint64_t i = 0; i < array->count; ++i) {
    std::optional<std::string> text = take_string(rest);
    if (!text) return std::nullopt;
    out.push_back(*std::move(text));
  }
  return out;
}

}  // namespace sluice::gguf
