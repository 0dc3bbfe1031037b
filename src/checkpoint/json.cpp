#include "checkpoint/json.h"

#include <fmt/format.h>

#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

constexpr std::size_t kDeepestJson = 64;
constexpr std::size_t kLongestTree = 16u << 20;

constexpr const char* kGetFileAgain = "The file is incomplete or damaged: download it again";

[[noreturn]] void no_json(const std::string& file, std::size_t byte, std::string cure) {
  throw Error(ErrorCode::input_format, "this is no JSON",
              {.file = file, .offset = byte == 0 ? 0 : byte - 1, .cure = std::move(cure)});
}

[[noreturn]] void too_deep(const std::string& file, std::string cure) {
  throw Error(ErrorCode::input_format,
              fmt::format("its JSON is nested more than {} deep", kDeepestJson),
              {.file = file, .cure = std::move(cure)});
}

}  // namespace

bool JsonEvents::null() {
  scalar({});
  return true;
}
bool JsonEvents::boolean(bool) {
  scalar({});
  return true;
}
bool JsonEvents::number_integer(number_integer_t) {
  scalar({});
  return true;
}
bool JsonEvents::number_unsigned(number_unsigned_t value) {
  scalar({.text = {}, .whole = value});
  return true;
}
bool JsonEvents::number_float(number_float_t, const string_t&) {
  scalar({});
  return true;
}
bool JsonEvents::string(string_t& value) {
  scalar({.text = std::move(value), .whole = {}});
  return true;
}
bool JsonEvents::binary(binary_t&) {
  return false;  // JSON has none
}

bool JsonEvents::start_object(std::size_t) {
  return open(true);
}
bool JsonEvents::end_object() {
  return close();
}
bool JsonEvents::start_array(std::size_t) {
  return open(false);
}
bool JsonEvents::end_array() {
  return close();
}

bool JsonEvents::key(string_t& value) {
  keys_.back() = std::move(value);
  named();
  return true;
}

bool JsonEvents::parse_error(std::size_t position, const std::string&,
                             const nlohmann::detail::exception&) {
  no_json(file_, position, cure_);
}

bool JsonEvents::open(bool object) {
  if (keys_.size() == kDeepestJson) too_deep(file_, cure_);
  keys_.emplace_back();
  opened(object);
  return true;
}

bool JsonEvents::close() {
  closed();
  keys_.pop_back();
  return true;
}

void read_json(std::string_view text, JsonEvents& events) {
  Json::sax_parse(text, static_cast<Json::json_sax_t*>(&events));
}

Json parse_json_object(std::string_view text, const std::string& file) {
  if (text.size() > kLongestTree) {
    throw Error(ErrorCode::input_format,
                fmt::format("the file has {} bytes, far more than its kind", text.size()),
                {.file = file, .cure = kGetFileAgain});
  }
  const auto bounded = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > static_cast<int>(kDeepestJson)) too_deep(file, kGetFileAgain);
    return true;
  };
  try {
    Json json = Json::parse(text, bounded);
    if (!json.is_object()) {
      throw Error(ErrorCode::input_format, "its JSON is no object",
                  {.file = file, .cure = kGetFileAgain});
    }
    return json;
  } catch (const Json::parse_error& error) {
    no_json(file, error.byte, kGetFileAgain);
  } catch (const Json::exception&) {  // a number beyond what there are
    no_json(file, 0, kGetFileAgain);
  }
}

}  // namespace sluice::checkpoint
