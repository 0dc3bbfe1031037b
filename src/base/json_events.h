#pragma once

// JSON that anybody may have written, read as events: where a file may be large, or a name may not
// occur twice. Nesting is bounded.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

using Json = nlohmann::json;

/// A step on the way to a value: into an object, by a key, or into an array.
struct JsonStep {
  bool into_array = false;
  std::string key = {};  ///< the one last read

  bool operator==(std::string_view name) const { return !into_array && key == name; }
};
using JsonPath = std::span<const JsonStep>;

/// What helps where a file is no JSON, if its reader knows nothing better.
inline constexpr const char* kBrokenFile =
    "The file is incomplete or damaged: download it again from where it was published";

/// What a text of JSON consists of, in its order. To be derived from by readers of one kind of file.
class JsonEvents : private Json::json_sax_t {
 public:
  /// \param file   for error messages
  /// \param cure   what helps where the text is no JSON
  /// \param begin  the byte of the file that the text begins at
  explicit JsonEvents(std::string file, std::string cure = kBrokenFile, std::uint64_t begin = 0)
      : file_(std::move(file)), cure_(std::move(cure)), begin_(begin) {}

 protected:
  /// An object or array was opened: `depth()` counts it. \param object  or an array
  virtual void opened(bool object) = 0;
  /// It is about to be closed: `depth()` counts it still.
  virtual void closed() = 0;
  /// A key of the innermost object was read: `at(depth())`.
  virtual void named() {}
  /// A value that holds no others.
  virtual void scalar(Json value) = 0;

  /// The way to the value: a step for each object and array that is open.
  JsonPath path() const { return path_; }
  std::size_t depth() const { return path_.size(); }
  /// The key last read in the object `level` deep, from 1; empty in arrays.
  const std::string& at(std::size_t level) const { return path_.at(level - 1).key; }
  const std::string& file() const { return file_; }

 private:
  friend void read_json(std::string_view text, JsonEvents& events);

  bool null() override { return tell(nullptr); }
  bool boolean(bool value) override { return tell(value); }
  bool number_integer(number_integer_t value) override { return tell(value); }
  bool number_unsigned(number_unsigned_t value) override { return tell(value); }
  bool number_float(number_float_t value, const string_t&) override { return tell(value); }
  bool string(string_t& value) override { return tell(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // JSON has none
  bool start_object(std::size_t) override { return open(true); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(false); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override;
  bool parse_error(std::size_t position, const std::string& token,
                   const Json::exception& error) override;

  bool tell(Json value);
  bool open(bool object);
  bool close();

  std::string file_;
  std::string cure_;
  std::uint64_t begin_;
  std::vector<JsonStep> path_;
};

/// Reads a text as events.
/// \throws Error (input_format) naming file and byte if it is no JSON or nested more than 64 deep
void read_json(std::string_view text, JsonEvents& events);

}  // namespace sluice
