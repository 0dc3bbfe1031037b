#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_pieces.h"

namespace sluice::checkpoint {

/// Keys of which the first that is there counts.
using Keys = std::initializer_list<std::string_view>;

/// A JSON object with typed access: config.json, or an object within it. A key with null counts as
/// one without a value. Functions that begin with `find` return nothing for those; the others throw.
/// All throw Error (input_format) naming file and key where a value is of another kind.
class Config {
 public:
  /// \param path  the keys that lead to the object in its file, for error messages
  Config(std::string file, Json object, std::string path = {})
      : file_(std::move(file)), path_(std::move(path)), object_(std::move(object)) {}

  /// Whether the key has a value.
  bool has(std::string_view key) const { return value({key}) != nullptr; }

  /// A whole number of at most 32 bits, as GGUF's metadata have.
  std::optional<std::uint64_t> find_whole(Keys keys) const;
  std::uint64_t whole(Keys keys) const;
  /// The same, at least 1.
  std::uint64_t positive(Keys keys) const;

  /// A number that is one in F32.
  std::optional<double> find_number(Keys keys) const;
  double number(Keys keys) const;

  std::optional<bool> find_truth(Keys keys) const;
  std::optional<std::string> find_text(Keys keys) const;

  /// An object within.
  std::optional<Config> find_object(Keys keys) const;

  /// Elements of a list.
  std::optional<std::vector<double>> find_numbers(std::string_view key) const;
  std::optional<std::vector<std::string>> find_texts(std::string_view key) const;

  /// A value of any kind.
  const Json& at(std::string_view key) const;
  /// Sets all keys that another object has to what it has.
  void lay_over(const Config& other) { object_.update(other.object_); }
  void set(std::string_view key, Json value) { object_[std::string(key)] = std::move(value); }

  const std::string& file() const { return file_; }

  [[noreturn]] void refuse(std::string_view key, const std::string& message) const;
  /// The keys, of which one should have had a value.
  [[noreturn]] void refuse_missing(Keys keys) const;

 private:
  struct Found {
    std::string_view key;
    const Json* json;
  };

  /// The first of the keys that is there; null if none is, or it has no value.
  const Json* value(Keys keys) const;
  std::optional<Found> find(Keys keys) const;
  double as_number(std::string_view key, const Json& json) const;

  std::string file_;
  std::string path_;
  Json object_;
};

/// Reads config.json, with the keys of `text_config` laid over the others.
/// \throws Error (input_format)
Config parse_config(std::string_view text, const std::string& file);

/// The class that made the checkpoint, as in "LlamaForCausalLM".
/// \throws Error (input_format) if the configuration does not say
std::string model_class(const Config& config);

}  // namespace sluice::checkpoint
