#include "recipe/fallback.h"

namespace sluice::recipe {
namespace {

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

}  // namespace

TensorType fitting_type(Mix mix, TensorType type, std::uint64_t row_elements) noexcept {
  if (fits(type, row_elements)) return type;
  if (info(type).block_elements > 32) {
    const TensorType substitute =
        mix == Mix::llama_cpp ? llama_cpp_substitute(type) : ik_llama_cpp_substitute(type);
    if (fits(substitute, row_elements)) return substitute;
  }
  return TensorType::f16;
}

}  // namespace sluice::recipe
