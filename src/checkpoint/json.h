#pragma once

// JSON of the small files and headers: read as events where a file may be large or a name may not
// occur twice, and else as a tree. Anybody may have written it: nesting and size are bounded.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::checkpoint {

using Json = nlohmann::json;

/// What a text of JSON consists of, in its order, with the keys that lead to it. To be derived from
/// by readers of one kind of file.
class JsonEvents : private Json::json_sax_t {
 public:
  /// \param file  for error messages
  /// \param cure  what helps where the text is no JSON
  JsonEvents(std::string file, std::string cure) : file_(std::move(file)), cure_(std::move(cure)) {}

 protected:
  /// A value that holds no others. null is neither.
  struct Scalar {
    std::optional<std::string> text;
    std::optional<std::uint64_t> whole;  ///< not negative
  };

  /// An object or array was opened: `depth()` counts it. \param object  or an array
  virtual void opened(bool object) = 0;
  /// It is about to be closed: `depth()` counts it still.
  virtual void closed() = 0;
  /// A key of the innermost object was read: `at(depth())`.
  virtual void named() = 0;
  virtual void scalar(const Scalar& value) = 0;

  /// How many objects and arrays are open.
  std::size_t depth() const { return keys_.size(); }
  /// The key last read in the object `level` deep, from 1; empty in arrays.
  const std::string& at(std::size_t level) const { return keys_.at(level - 1); }
  const std::string& file() const { return file_; }

 private:
  friend void read_json(std::string_view text, JsonEvents& events);

  bool null() override;
  bool boolean(bool value) override;
  bool number_integer(number_integer_t value) override;
  bool number_unsigned(number_unsigned_t value) override;
  bool number_float(number_float_t value, const string_t& text) override;
  bool string(string_t& value) override;
  bool binary(binary_t& value) override;
  bool start_object(std::size_t elements) override;
  bool key(string_t& value) override;
  bool end_object() override;
  bool start_array(std::size_t elements) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& error) override;

  bool open(bool object);
  bool close();

  std::string file_;
  std::string cure_;
  std::vector<std::string> keys_;
};

/// Reads a text as events.
/// \throws Error (input_format) naming file and byte if it is no JSON or nested too deep
void read_json(std::string_view text, JsonEvents& events);

/// Reads a small text as a tree, of which the root is an object.
/// \throws Error (input_format) naming file and byte if it is no such JSON, nested too deep, or of
///         more than 16 MiB
Json parse_json_object(std::string_view text, const std::string& file);

}  // namespace sluice::checkpoint
