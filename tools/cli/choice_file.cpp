#include "choice_file.h"

#include <fmt/format.h>

namespace sluice::cli {
namespace {

constexpr const char* kChoiceNumbers[] = {"bytes", "divergence"};
constexpr const char* kChoiceTexts[] = {"measured", "file"};
constexpr const char* kChosenNumbers[] = {"chosen"};
constexpr const char* kChosenTexts[] = {"name", "rule"};
constexpr const char* kPointNumbers[] = {"bytes", "divergence"};
constexpr const char* kPointTexts[] = {"name"};
constexpr const char* kTypeTexts[] = {"type"};

void check_point(const JsonFile& file, const nlohmann::json& point, const std::string& what) {
  for (const char* key : kPointNumbers) {
    if (!point.contains(key)) file.fail(fmt::format("{} has no '{}'", what, key));
  }
}

nlohmann::json points_in(const JsonFile& file, const nlohmann::json& object, const char* key) {
  nlohmann::json points = file.objects(object, key, {kPointNumbers, kPointTexts});
  for (const nlohmann::json& point : points)
    check_point(file, point, fmt::format("one of '{}'", key));
  return points;
}

}  // namespace

bool is_choice(const JsonFile& file) {
  return file.root().contains("frontier");
}

nlohmann::json read_choice(const JsonFile& file, const nlohmann::json& object) {
  if (!object.is_object()) file.fail("a choice of types is not an object");
  nlohmann::json choice = file.fields(object, {kChoiceNumbers, kChoiceTexts});
  check_point(file, choice, "it");
  choice["frontier"] = points_in(file, object, "frontier");
  choice["mixes"] = points_in(file, object, "mixes");
  choice["tensors"] = file.named_objects(object, "tensors", {kChosenNumbers, kChosenTexts});
  for (std::size_t i = 0; i < choice["tensors"].size(); ++i) {
    nlohmann::json& tensor = choice["tensors"][i];
    const std::string name = tensor["name"];
    tensor["types"] = file.objects(object["tensors"][i], "types", {kPointNumbers, kTypeTexts});
    for (const nlohmann::json& type : tensor["types"]) {
      check_point(file, type, "a type of " + name);
      if (!type.contains("type")) file.fail("a type of " + name + " has no 'type'");
    }
    const nlohmann::json chosen = tensor.value("chosen", nlohmann::json());
    if (!chosen.is_number_unsigned() || chosen >= tensor["types"].size())
      file.fail("the chosen type of " + name + " is none of its types");
  }
  return choice;
}

}  // namespace sluice::cli
