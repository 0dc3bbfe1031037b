#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>

namespace sluice {

/// Writes JSON: objects and arrays by functions that write what is within, keys in the
/// order of the calls. What is no UTF-8 in a text is replaced by U+FFFD; numbers that JSON does not
/// have (NaN, infinity) are null.
class JsonText {
 public:
  /// \param indent  spaces a level, every element on a line of its own; 0: all on one line
  explicit JsonText(std::size_t indent) : indent_(indent) {}

  /// An object or array as the value that is due: `within` writes its fields or elements.
  template <std::invocable Within>
  void object(Within within) {
    open('{');
    within();
    close('}');
  }
  template <std::invocable Within>
  void array(Within within) {
    open('[');
    within();
    close(']');
  }

  /// A key of an object, whose value is due next.
  void key(std::string_view name);

  /// A text, number, truth value or null (std::nullopt), what an optional holds, or an array of all
  /// that a range holds.
  template <class Value>
  void value(const Value& value) {
    using V = std::remove_cvref_t<Value>;
    if constexpr (std::convertible_to<const Value&, std::string_view>) {
      text(value);
    } else if constexpr (std::same_as<V, bool>) {
      raw(value ? "true" : "false");
    } else if constexpr (std::same_as<V, std::nullopt_t>) {
      raw("null");
    } else if constexpr (std::floating_point<V>) {
      number(static_cast<double>(value));
    } else if constexpr (std::signed_integral<V>) {
      number(static_cast<std::int64_t>(value));
    } else if constexpr (std::unsigned_integral<V>) {
      number(static_cast<std::uint64_t>(value));
    } else if constexpr (std::ranges::range<Value>) {
      array([&] {
        for (const auto& element : value) this->value(element);
      });
    } else {
      value ? this->value(*value) : raw("null");
    }
  }

  template <class Value>
  void field(std::string_view name, const Value& value) {
    key(name);
    this->value(value);
  }
  template <std::invocable Within>
  void object(std::string_view name, Within within) {
    key(name);
    object(within);
  }
  /// An array of objects, of which `fields` writes one for each element.
  template <std::ranges::range Elements, class Fields>
  void objects(std::string_view name, const Elements& elements, Fields fields) {
    key(name);
    array([&] {
      for (const auto& element : elements) object([&] { fields(element); });
    });
  }

  /// What was written.
  const std::string& str() const { return out_; }

 private:
  void open(char bracket);
  void close(char bracket);
  void raw(std::string_view text);
  void text(std::string_view text);
  void number(double value);
  void number(std::int64_t value);
  void number(std::uint64_t value);
  void begin_element();
  void new_line();

  std::string out_;
  std::size_t indent_;
  std::size_t depth_ = 0;
  bool first_ = true;       // nothing is in the innermost object or array
  bool after_key_ = false;  // a value is due
};

}  // namespace sluice
