#include "api/importance_check.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "base/name_patterns.h"
#include "base/text.h"
#include "sluice/amounts.h"

namespace sluice {

void check_importance(const Prepared& prepared, Observer& observer) {
  if (!prepared.imatrix) return;
  const ImportanceMatrix& matrix = prepared.imatrix->matrix;
  std::set<const ImportanceMatrix::Entry*> seen;  // one entry may serve several tensors
  std::uint64_t blank = 0;
  std::vector<std::string> names;
  for (const PlannedTensor& tensor : prepared.plan.tensors) {
    if (tensor.importance == nullptr || !seen.insert(tensor.importance).second) continue;
    const std::uint64_t rows =
        matrix.check_values(*tensor.importance, tensor.row_elements(), tensor.name);
    blank += rows;
    if (rows > 0) names.push_back(tensor.name);
  }
  prepared.imatrix->file.check();
  if (blank == 0) return;
  observer.note(
      fmt::format("{}: {} without importance, as of experts that saw no token; all columns count "
                  "alike there: {}",
                  printable(matrix.file()), counted(blank, "row"), name_patterns(names)));
}

}  // namespace sluice
