#include "checkpoint/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>

#include "base/text.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

constexpr const char* kGetConfigAgain =
    "Download the file again; it must be the one that the checkpoint was published with";
constexpr std::string_view kTextConfig = "text_config";
constexpr std::string_view kClasses = "architectures";

}  // namespace

void Config::refuse(std::string_view key, const std::string& message) const {
  throw Error(ErrorCode::input_format,
              fmt::format("key '{}{}': {}", path_, printable(key), message),
              {.file = file_, .cure = kGetConfigAgain});
}

void Config::refuse_missing(Keys keys) const {
  refuse(*keys.begin(), keys.size() == 1
                            ? std::string("it is missing")
                            : fmt::format("it is missing, as are the other names that it has ({})",
                                          fmt::join(keys.begin() + 1, keys.end(), ", ")));
}

std::optional<Config::Found> Config::find(Keys keys) const {
  for (const std::string_view key : keys) {
    const auto found = object_.find(key);
    if (found == object_.end()) continue;
    if (found->is_null()) return std::nullopt;
    return Found{key, &*found};
  }
  return std::nullopt;
}

const Json* Config::value(Keys keys) const {
  const std::optional<Found> found = find(keys);
  return found ? found->json : nullptr;
}

double Config::as_number(std::string_view key, const Json& json) const {
  const double number = json.is_number() ? json.get<double>() : std::nan("");
  if (!(std::abs(number) <= double{std::numeric_limits<float>::max()})) {
    refuse(key, "expected is a number");
  }
  return number;
}

std::optional<std::uint64_t> Config::find_whole(Keys keys) const {
  const std::optional<Found> found = find(keys);
  if (!found) return std::nullopt;
  constexpr double kMost = std::numeric_limits<std::uint32_t>::max();
  const double number = as_number(found->key, *found->json);
  if (number < 0 || number > kMost || number != std::floor(number)) {
    refuse(found->key, "expected is a whole number of at most 32 bits");
  }
  return static_cast<std::uint64_t>(number);
}

std::uint64_t Config::whole(Keys keys) const {
  if (const auto number = find_whole(keys)) return *number;
  refuse_missing(keys);
}

std::uint64_t Config::positive(Keys keys) const {
  const std::uint64_t number = whole(keys);
  if (number == 0) refuse(find(keys)->key, "it is 0");
  return number;
}

std::optional<double> Config::find_number(Keys keys) const {
  const std::optional<Found> found = find(keys);
  if (!found) return std::nullopt;
  return as_number(found->key, *found->json);
}

double Config::number(Keys keys) const {
  if (const auto number = find_number(keys)) return *number;
  refuse_missing(keys);
}

std::optional<bool> Config::find_truth(Keys keys) const {
  const std::optional<Found> found = find(keys);
  if (!found) return std::nullopt;
  if (!found->json->is_boolean()) refuse(found->key, "expected is true or false");
  return found->json->get<bool>();
}

std::optional<std::string> Config::find_text(Keys keys) const {
  const std::optional<Found> found = find(keys);
  if (!found) return std::nullopt;
  if (!found->json->is_string()) refuse(found->key, "expected is a text");
  return found->json->get<std::string>();
}

std::optional<Config> Config::find_object(Keys keys) const {
  const std::optional<Found> found = find(keys);
  if (!found) return std::nullopt;
  if (!found->json->is_object()) refuse(found->key, "expected is an object");
  return Config(file_, *found->json, fmt::format("{}{}.", path_, printable(found->key)));
}

std::optional<std::vector<double>> Config::find_numbers(std::string_view key) const {
  const Json* const json = value({key});
  if (json == nullptr) return std::nullopt;
  if (!json->is_array()) refuse(key, "expected is a list of numbers");
  std::vector<double> numbers;
  for (const Json& element : *json) numbers.push_back(as_number(key, element));
  return numbers;
}

std::optional<std::vector<std::string>> Config::find_texts(std::string_view key) const {
  const Json* const json = value({key});
  if (json == nullptr) return std::nullopt;
  if (!json->is_array()) refuse(key, "expected is a list of texts");
  std::vector<std::string> texts;
  for (const Json& element : *json) {
    if (!element.is_string()) refuse(key, "expected is a list of texts");
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

const Json& Config::at(std::string_view key) const {
  const Json* const json = value({key});
  if (json == nullptr) refuse_missing({key});
  return *json;
}

Config parse_config(std::string_view text, const std::string& file) {
  Config config(file, parse_json_object(text, file));
  if (const std::optional<Config> nested = config.find_object({kTextConfig})) {
    const Config outer = config;
    config.lay_over(*nested);
    // The part's class is the outer one where it is left open, as it often is.
    if (!nested->has(kClasses) && outer.has(kClasses)) config.set(kClasses, outer.at(kClasses));
  }
  return config;
}

std::string model_class(const Config& config) {
  const auto classes = config.find_texts(kClasses);
  if (!classes || classes->empty()) config.refuse(kClasses, "it names no model");
  return classes->front();
}

}  // namespace sluice::checkpoint
