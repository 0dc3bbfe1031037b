#include "base/json_events.h"

#include <fmt/format.h>

#include "sluice/error.h"

namespace sluice {
namespace {

constexpr std::size_t kDeepestJson = 64;

}  // namespace

bool JsonEvents::key(string_t& value) {
  path_.back().key.swap(value);
  named();
  return true;
}

bool JsonEvents::parse_error(std::size_t position, const std::string&, const Json::exception&) {
  const std::uint64_t byte = begin_ + (position == 0 ? 0 : position - 1);
  throw Error(ErrorCode::input_format, "is no JSON text",
              {.file = file_, .offset = byte, .cure = cure_});
}

bool JsonEvents::tell(Json value) {
  scalar(std::move(value));
  return true;
}

bool JsonEvents::open(bool object) {
  if (path_.size() == kDeepestJson) {
    throw Error(ErrorCode::input_format,
                fmt::format("its JSON is nested more than {} deep", kDeepestJson),
                {.file = file_, .cure = cure_});
  }
  path_.push_back({.into_array = !object});
  opened(object);
  return true;
}

bool JsonEvents::close() {
  closed();
  path_.pop_back();
  return true;
}

void read_json(std::string_view text, JsonEvents& events) {
  Json::sax_parse(text, static_cast<Json::json_sax_t*>(&events));
}

}  // namespace sluice
