#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace sluice::cli {

/// What pages use of an object.
struct JsonFields {
  std::span<const char* const> numbers;
  std::span<const char* const> texts;
};

/// A JSON file that anybody may have written. What is taken from it is of the right type, numbers
/// are finite and not negative; all else is left out, as are nulls.
/// \throws Error (input_open, input_format) naming file, place and cure
class JsonFile {
 public:
  explicit JsonFile(const std::string& path);

  const std::string& path() const { return path_; }
  const nlohmann::json& root() const { return root_; }  ///< an object

  [[noreturn]] void fail(const std::string& what) const;

  nlohmann::json fields(const nlohmann::json& object, const JsonFields& fields) const;

  /// The elements of an array, which are objects; none if it is not there. A `shape` is taken too.
  nlohmann::json objects(const nlohmann::json& object, const char* key,
                         const JsonFields& fields) const;

  /// The same, of objects that have a name.
  nlohmann::json named_objects(const nlohmann::json& object, const char* key,
                               const JsonFields& fields) const;

 private:
  void check_shape(const nlohmann::json& shape) const;

  std::string path_;
  nlohmann::json root_;
};

}  // namespace sluice::cli
