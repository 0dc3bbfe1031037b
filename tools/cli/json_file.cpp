#include "json_file.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "sluice/error.h"
#include "text.h"

namespace sluice::cli {
namespace {

// A thousand tensors and a thousand samples make half a megabyte.
constexpr std::uintmax_t kLargestReport = std::uintmax_t{256} << 20;

}  // namespace

JsonFile::JsonFile(const std::string& path) : path_(path) {
  std::error_code unknown;
  const std::uintmax_t size = std::filesystem::file_size(path, unknown);
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path, unknown)) {
    throw Error(ErrorCode::input_open, "the report cannot be opened",
                {.file = path, .cure = "Check the name and the folder"});
  }
  if (!unknown && size > kLargestReport) fail("it is too large");
  try {
    root_ = nlohmann::json::parse(file);
  } catch (const nlohmann::json::exception& error) {
    // The message quotes what it read last, which may be anything.
    fail("not JSON: " + printable(error.what()));
  }
  if (!root_.is_object()) fail("it is not an object");
}

void JsonFile::fail(const std::string& what) const {
  throw Error(ErrorCode::input_format, "is not a report of sluice: " + what,
              {.file = path_,
               .cure = "Name the JSON file that 'sluice quantize --report' or 'sluice recipe "
                       "--json' wrote"});
}

nlohmann::json JsonFile::fields(const nlohmann::json& object, const JsonFields& fields) const {
  nlohmann::json taken = nlohmann::json::object();
  for (const char* key : fields.numbers) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) continue;
    if (!found->is_number()) fail(fmt::format("'{}' is not a number", key));
    const auto value = found->get<double>();
    if (!std::isfinite(value) || value < 0) fail(fmt::format("'{}' is negative", key));
    taken[key] = *found;
  }
  for (const char* key : fields.texts) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) continue;
    if (!found->is_string()) fail(fmt::format("'{}' is not a text", key));
    taken[key] = *found;
  }
  return taken;
}

nlohmann::json JsonFile::objects(const nlohmann::json& object, const char* key,
                                 const JsonFields& fields) const {
  nlohmann::json taken = nlohmann::json::array();
  const auto found = object.find(key);
  if (found == object.end()) return taken;
  if (!found->is_array()) fail(fmt::format("'{}' is not a list", key));
  for (const nlohmann::json& element : *found) {
    if (!element.is_object()) fail(fmt::format("'{}' holds something else than objects", key));
    taken.push_back(this->fields(element, fields));
    if (const auto shape = element.find("shape"); shape != element.end()) {
      check_shape(*shape);
      taken.back()["shape"] = *shape;
    }
  }
  return taken;
}

nlohmann::json JsonFile::named_objects(const nlohmann::json& object, const char* key,
                                       const JsonFields& fields) const {
  nlohmann::json taken = objects(object, key, fields);
  for (const nlohmann::json& each : taken) {
    if (each.value("name", "").empty()) fail(fmt::format("one of '{}' has no name", key));
  }
  return taken;
}

void JsonFile::check_shape(const nlohmann::json& shape) const {
  if (!shape.is_array()) fail("'shape' is not a list");
  double weights = 1;
  for (const nlohmann::json& extent : shape) {
    if (!extent.is_number_unsigned()) fail("'shape' holds something else than numbers");
    weights *= extent.get<double>();
  }
  if (!std::isfinite(weights)) fail("'shape' is too large");
}

}  // namespace sluice::cli
