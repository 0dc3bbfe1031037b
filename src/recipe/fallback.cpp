#include "recipe/fallback.h"

#include <fmt/format.h>

#include <cstdint>

#include "recipe/tensor_kind.h"

namespace sluice::recipe {
namespace {

bool is_looked_up(const gguf::Tensor& tensor) noexcept {
  const TensorKind kind = kind_of(tensor.name);
  return kind == TensorKind::token_embd || kind == TensorKind::per_layer_token_embd;
}

bool fits(TensorType type, std::uint64_t row_elements) noexcept {
  return row_elements % info(type).block_elements == 0;
}

/// llama.cpp: the substitute of a type with longer blocks than 32. It has none for Q1_0 and NVFP4, at
/// which its program ends.
TensorType llama_cpp_substitute(TensorType type) noexcept {
  switch (type) {
    case TensorType::q2_k:
    case TensorType::q3_k:
    case TensorType::tq1_0:
    case TensorType::tq2_0:
    case TensorType::q2_0:
      return TensorType::q4_0;
    case TensorType::q4_k:
      return TensorType::q5_0;
    case TensorType::q5_k:
      return TensorType::q5_1;
    case TensorType::q6_k:
      return TensorType::q8_0;
    default:
      return TensorType::iq4_nl;
  }
}

/// ik_llama.cpp: the substitute of a type with longer blocks than 32.
TensorType ik_llama_cpp_substitute(TensorType type) noexcept {
  switch (type) {
    case TensorType::q4_k:
    case TensorType::iq4_k:
    case TensorType::iq5_ks:
      return TensorType::q5_0;
    case TensorType::q5_k:
    case TensorType::iq5_k:
      return TensorType::q6_0;
    case TensorType::q6_k:
    case TensorType::iq6_k:
      return TensorType::q8_0;
    default:
      return TensorType::iq4_nl;
  }
}

/// Whether a tensor's rows can be stored together as the type does.
bool groups_fit(TensorType type, const gguf::Tensor& tensor) noexcept {
  const std::uint64_t together = info(type).rows;
  if (together == 1) return true;
  const std::uint64_t rows = tensor.shape.size() > 1 ? tensor.shape[1] : 1;
  return rows % together == 0 && !is_looked_up(tensor);
}

/// The type of one row at a time in place of one of several.
TensorType plain(TensorType type) noexcept {
  return type == TensorType::iq1_s_r4   ? TensorType::iq1_s
         : type == TensorType::iq1_m_r4 ? TensorType::iq1_m
                                        : type;
}

}  // namespace

std::string misfit_text(TensorType type, const gguf::Tensor& tensor) {
  if (groups_fit(type, tensor)) {
    return fmt::format("rows of {} are no whole blocks of {}", tensor.row_elements(), name(type));
  }
  if (is_looked_up(tensor)) {
    return fmt::format("rows of an embedding cannot be {}", name(type));
  }
  return fmt::format("its rows are no whole groups of {}", name(type));
}

TensorType fitting_type(Mix mix, TensorType type, const gguf::Tensor& tensor) noexcept {
  const std::uint64_t row_elements = tensor.row_elements();
  if (!groups_fit(type, tensor)) type = plain(type);
  if (fits(type, row_elements)) return type;
  if (info(type).block_elements > 32) {
    const TensorType substitute =
        mix == Mix::llama_cpp ? llama_cpp_substitute(type) : ik_llama_cpp_substitute(type);
    if (fits(substitute, row_elements)) return substitute;
  }
  return TensorType::f16;
}

}  // namespace sluice::recipe
