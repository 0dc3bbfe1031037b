#include "plan/importance.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "base/name_patterns.h"
#include "base/text.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice {
namespace {

// \param wanted   tensors that might have a row
// \param found    those that have
// \param lacking  those that have none, though nobody left them out
std::string missing_rows(std::size_t wanted, std::size_t found,
                         const std::vector<std::string>& lacking, const std::string& file) {
  if (found == 0) {
    return fmt::format(
        "none of {} to quantize has a row in the importance matrix {}: was it made with this "
        "model?",
        counted(wanted, "tensor"), file);
  }
  return fmt::format(
      "{} of {} to quantize without a row in the importance matrix {}, so that all columns count "
      "alike: {}",
      lacking.size(), counted(wanted, "tensor"), file, name_patterns(lacking));
}

}  // namespace

void assign_importance(const ImportanceMatrix* imatrix, std::span<const TypeChoice> choices,
                       const gguf::Header& model, std::span<const std::size_t> kept, Plan& plan) {
  std::size_t wanted = 0;
  std::size_t found = 0;
  std::vector<std::string> lacking;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    PlannedTensor& tensor = plan.tensors[i];
    if (tensor.unchanged) continue;
    const std::string& name = model.tensors[kept[i]].name;
    if (imatrix != nullptr) {
      tensor.importance = imatrix->find(name, tensor.row_elements(), tensor.experts());
    }
    const ImportanceNeed need = choices[i].importance;
    if (need == ImportanceNeed::none) continue;
    ++wanted;
    if (tensor.importance != nullptr) {
      ++found;
      continue;
    }
    const bool forgotten = imatrix != nullptr && imatrix->counts(name);
    if (forgotten) lacking.push_back(tensor.name);
    const bool vital = need == ImportanceNeed::vital;
    if (vital) plan.missing_importance.push_back(static_cast<std::uint32_t>(i));
    tensor.lacks_importance = forgotten || vital;
  }
  if (imatrix == nullptr || wanted == 0) return;
  if (found == 0 || !lacking.empty()) {
    plan.notes.push_back(missing_rows(wanted, found, lacking, printable(imatrix->file())));
  }
}

void require_importance(const Plan& plan, const ImportanceMatrix* imatrix) {
  if (plan.missing_importance.empty()) return;
  std::map<TensorType, std::vector<std::string>> by_type;
  for (const std::uint32_t index : plan.missing_importance) {
    by_type[plan.tensors[index].type].push_back(plan.tensors[index].name);
  }
  std::string list;
  for (const auto& [type, names] : by_type) {
    list += fmt::format("\n  {}: {}", name(type), name_patterns(names, names.size()));
  }
  throw Error(ErrorCode::imatrix_missing,
              fmt::format("{} would get a very-low-bit type without importance values, which ruins "
                          "a model:{}\n",
                          counted(plan.missing_importance.size(), "tensor"), list),
              {.file = imatrix == nullptr ? "" : imatrix->file(),
               .cure = "Pass --imatrix FILE with a row for each of them, or "
                       "--ignore-imatrix-rules if you must"});
}

}  // namespace sluice
