#include "measure/input_squares.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace sluice::measure {
namespace {

// A matrix's row for it is of what the output is multiplied by, where it serves as that too.
constexpr std::string_view kEmbedding = "token_embd.weight";

}  // namespace

InputSquares::InputSquares(const gguf::Header& model, const ImportanceMatrix* imatrix,
                           Numbers norms)
    : model_(model), imatrix_(imatrix), norms_(std::move(norms)) {}

std::vector<float> InputSquares::norm_of(const gguf::Tensor& tensor) const {
  const std::string norm = norm_before(tensor.name, [&](const std::string& name) {
    return std::ranges::any_of(model_.tensors, [&](const auto& t) { return t.name == name; });
  });
  std::vector<float> numbers = norm.empty() ? std::vector<float>() : norms_(norm);
  if (numbers.size() != tensor.row_elements()) numbers.clear();
  return numbers;
}

bool InputSquares::known(const gguf::Tensor& tensor,
                         const ImportanceMatrix::Entry* importance) const {
  return importance != nullptr || !norm_of(tensor).empty();
}

void InputSquares::read(const gguf::Tensor& tensor, const ImportanceMatrix::Entry* importance,
                        std::uint64_t matrix, std::span<float> out) const {
  const bool embedding = tensor.name == kEmbedding;
  if (!embedding && importance != nullptr && imatrix_->read_row(*importance, matrix, out)) return;
  std::ranges::fill(out, 1.0f);
  const std::vector<float> norm = norm_of(tensor);
  std::ranges::transform(norm, out.begin(), [](float g) { return g * g; });
}

std::vector<double> InputSquares::shares(const gguf::Tensor& tensor,
                                         const ImportanceMatrix::Entry* importance) const {
  const std::uint64_t rows = tensor.shape.size() > 1 ? tensor.shape[1] : 1;
  std::vector<double> shares(tensor.elements() / tensor.row_elements() / rows, 1);
  if (!has_experts(stem_of(tensor.name))) return shares;
  // One more than each saw: what none was sent to is not for nothing there.
  if (importance != nullptr) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      shares[i] += imatrix_->uses(*importance, i, shares.size());
    }
  }
  const double all = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share *= experts_weight(model_) / all;
  return shares;
}

}  // namespace sluice::measure
