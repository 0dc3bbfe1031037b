#include "recipe/type_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "recipe/tensor_kind.h"
#include "sluice/error.h"

namespace sluice::recipe {
namespace {

/// Types from this number on are unknown to llama.cpp.
constexpr std::uint32_t kFirstIkOnlyType = 133;

/// Types of llama.cpp that ik_llama.cpp does not know.
constexpr std::array kNotInIk = {TensorType::tq1_0, TensorType::tq2_0, TensorType::nvfp4,
                                 TensorType::q2_0};

}  // namespace

bool loads(Mix mix, TensorType type) noexcept {
  if (mix == Mix::ik_llama_cpp) return std::ranges::find(kNotInIk, type) == kNotInIk.end();
  return static_cast<std::uint32_t>(type) < kFirstIkOnlyType;
}

void check_type(Mix mix, TensorType type, std::string_view what) {
  if (!loads(mix, type)) {
    const Mix other = mix == Mix::llama_cpp ? Mix::ik_llama_cpp : Mix::llama_cpp;
    throw Error(ErrorCode::usage,
                fmt::format("{} cannot load {} tensors{}", name(mix), name(type), what),
                {.cure = fmt::format("Use --mix {}, and load the model there", name(other))});
  }
  switch (type) {
    case TensorType::i8:
    case TensorType::i16:
    case TensorType::i32:
    case TensorType::i64:
    case TensorType::f64:
    case TensorType::q8_1:
    case TensorType::q8_k:
      throw Error(ErrorCode::usage,
                  fmt::format("{} is no type for a model's weights{}", name(type), what),
                  {.cure = "Name a type such as q6_k"});
    default:
      break;
  }
}

ImportanceNeed importance_need(Mix mix, Ftype file_type, const gguf::Tensor& tensor,
                               TensorType type) noexcept {
  if (type == tensor.type || info(type).block_elements == 1) return ImportanceNeed::none;
  switch (kind_of(tensor.name)) {
    case TensorKind::output:
    case TensorKind::token_embd:
      return ImportanceNeed::none;
    case TensorKind::per_layer_token_embd:
      if (mix == Mix::llama_cpp) return ImportanceNeed::none;
      break;
    default:
      break;
  }
  const auto vital_if = [](bool condition) {
    return condition ? ImportanceNeed::vital : ImportanceNeed::useful;
  };
  switch (type) {
    case TensorType::iq1_s:
    case TensorType::iq1_m:
    case TensorType::iq2_xxs:
    case TensorType::iq2_xs:
    case TensorType::iq2_s:
    case TensorType::iq1_kt:
    case TensorType::iq2_kt:
    case TensorType::iq1_s_r4:
    case TensorType::iq1_m_r4:
      return ImportanceNeed::vital;
    case TensorType::iq3_xxs:
      return vital_if(mix == Mix::llama_cpp);
    case TensorType::q2_k:
      return vital_if(file_type == Ftype::q2_k_s);
    default:
      return ImportanceNeed::useful;
  }
}

}  // namespace sluice::recipe
