#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/checked.h"
#include "gguf/bytes.h"
#include "gguf/string_array.h"
#include "gguf/truth_array.h"
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

template <typename T>
std::optional<double> number_at(const std::vector<std::byte>& bytes) {
  if (bytes.size() != sizeof(T)) return std::nullopt;
  return load<T>(bytes.data());
}

constexpr std::size_t kArrayHead = sizeof(std::uint32_t) + sizeof(std::uint64_t);

std::optional<Array> array_in(const Value& value) {
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

/// Bytes that a value of a type takes at the front of `bytes`, or nothing if they do not hold one.
/// Recurses as deep as arrays nest, which parsing bounds.
std::optional<std::uint64_t> size_at(ValueType type, std::span<const std::byte> bytes) {
  if (const std::size_t size = fixed_size(type); size != 0) {
    return size <= bytes.size() ? std::optional<std::uint64_t>(size) : std::nullopt;
  }
  if (type == ValueType::string) {
    constexpr std::size_t kHead = sizeof(std::uint64_t);
    if (bytes.size() < kHead) return std::nullopt;
    const auto length = load<std::uint64_t>(bytes.data());
    if (length > bytes.size() - kHead) return std::nullopt;
    return kHead + length;
  }
  if (type != ValueType::array || bytes.size() < kArrayHead) return std::nullopt;
  const auto element = static_cast<ValueType>(load<std::uint32_t>(bytes.data()));
  const auto count = load<std::uint64_t>(bytes.data() + sizeof(std::uint32_t));
  std::uint64_t size = kArrayHead;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::optional<std::uint64_t> one = size_at(element, bytes.subspan(size));
    if (!one) return std::nullopt;
    size += *one;
  }
  return size;
}

}  // namespace

std::string_view name(ValueType type) noexcept {
  switch (type) {
    case ValueType::u8:
      return "u8";
    case ValueType::i8:
      return "i8";
    case ValueType::u16:
      return "u16";
    case ValueType::i16:
      return "i16";
    case ValueType::u32:
      return "u32";
    case ValueType::i32:
      return "i32";
    case ValueType::f32:
      return "f32";
    case ValueType::boolean:
      return "bool";
    case ValueType::string:
      return "string";
    case ValueType::array:
      return "array";
    case ValueType::u64:
      return "u64";
    case ValueType::i64:
      return "i64";
    case ValueType::f64:
      return "f64";
  }
  return "?";
}

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
  StringArray array;
  for (const std::string& text : v) array.add(text);
  return std::move(array).value();
}

StringArray::StringArray() : value_(array_of(ValueType::string, 0)) {}

void StringArray::add(std::string_view text) {
  append_string(value_.bytes, text);
  ++size_;
}

Value StringArray::value() && {
  std::memcpy(value_.bytes.data() + kHead - sizeof(size_), &size_, sizeof(size_));
  return std::move(value_);
}

Value Value::of_floats(std::span<const float> v) {
  return numbers(ValueType::f32, v);
}
Value Value::of_ints(std::span<const std::int32_t> v) {
  return numbers(ValueType::i32, v);
}

Value truth_array(std::span<const std::uint8_t> truths) {
  return numbers(ValueType::boolean, truths);
}

std::optional<std::uint64_t> Value::as_uint() const {
  if (bytes.size() != fixed_size(type)) return std::nullopt;
  return integer_at(type, bytes.data());
}

std::optional<std::int64_t> Value::as_int() const {
  if (const std::optional<std::uint64_t> number = as_uint()) {
    if (*number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return std::nullopt;
    }
    return static_cast<std::int64_t>(*number);
  }
  if (bytes.size() != fixed_size(type)) return std::nullopt;
  switch (type) {
    case ValueType::i8:
      return load<std::int8_t>(bytes.data());
    case ValueType::i16:
      return load<std::int16_t>(bytes.data());
    case ValueType::i32:
      return load<std::int32_t>(bytes.data());
    case ValueType::i64:
      return load<std::int64_t>(bytes.data());
    default:
      return std::nullopt;
  }
}

std::optional<double> Value::as_float() const {
  if (type == ValueType::f32) return number_at<float>(bytes);
  if (type == ValueType::f64) return number_at<double>(bytes);
  return std::nullopt;
}

std::optional<bool> Value::as_bool() const {
  if (type != ValueType::boolean || bytes.size() != 1) return std::nullopt;
  return bytes.front() != std::byte{};
}

std::optional<std::string> Value::as_string() const {
  if (type != ValueType::string) return std::nullopt;
  std::span<const std::byte> rest = bytes;
  return take_string(rest);
}

std::optional<std::vector<std::uint64_t>> Value::as_uints() const {
  const std::optional<Array> array = array_in(*this);
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
  const std::optional<Array> array = array_in(*this);
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

std::optional<Value::ArrayInfo> Value::as_array() const {
  const std::optional<Array> array = array_in(*this);
  if (!array) return std::nullopt;
  return ArrayInfo{array->element, array->count};
}

std::vector<Value> Value::elements(std::uint64_t most) const {
  const std::optional<Array> array = array_in(*this);
  if (!array) return {};
  std::vector<Value> out;
  std::span<const std::byte> rest = array->data;
  for (std::uint64_t i = 0; i < std::min(most, array->count); ++i) {
    const std::optional<std::uint64_t> size = size_at(array->element, rest);
    if (!size) break;
    out.push_back(
        {array->element, {rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(*size)}});
    rest = rest.subspan(*size);
  }
  return out;
}

}  // namespace sluice::gguf
