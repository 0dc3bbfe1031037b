#include "api/importance_check.h"

#include <fmt/format.h>

#include <set>

namespace sluice {

void check_importance(const Prepared& prepared, Observer& observer) {
  if (!prepared.imatrix) return;
  const ImportanceMatrix& matrix = prepared.imatrix->matrix;
  std::set<const ImportanceMatrix::Entry*> seen;  // one entry may serve several tensors
  std::uint64_t blank = 0;
  for (const PlannedTensor& tensor : prepared.plan.tensors) {
    if (tensor.importance == nullptr || !seen.insert(tensor.importance).second) continue;
    blank += matrix.check_values(*tensor.importance, tensor.row_elements(), tensor.name);
  }
  prepared.imatrix->file.check();
  if (blank == 0) return;
  observer.note(
      fmt::format("{}: {} rows have no importance, as of experts that saw no token; all their "
                  "columns count alike",
                  matrix.file(), blank));
}

}  // namespace sluice
