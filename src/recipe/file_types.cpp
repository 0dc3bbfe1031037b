#include <algorithm>
#include <array>
#include <cctype>

#include "sluice/recipe.h"

namespace sluice {
namespace {

constexpr bool kMix = true;
constexpr bool kPureOnly = false;

// The numbers are those of both peers, which agree where both have a type. A mix of F32, F16, BF16
// or Q8_0 is the type itself throughout, in both peers, so those four need no rules.
constexpr std::array kFileTypes = {
    FileType{"IQ1_M", 31, TensorType::iq1_m, kMix},
    FileType{"F32", 0, TensorType::f32, kMix},
    FileType{"F16", 1, TensorType::f16, kMix},
    FileType{"BF16", 32, TensorType::bf16, kMix},
    FileType{"Q8_0", 7, TensorType::q8_0, kMix},
    FileType{"Q4_0", 2, TensorType::q4_0, kPureOnly},
    FileType{"Q4_1", 3, TensorType::q4_1, kPureOnly},
    FileType{"Q5_0", 8, TensorType::q5_0, kPureOnly},
    FileType{"Q5_1", 9, TensorType::q5_1, kPureOnly},
    FileType{"Q2_K", 10, TensorType::q2_k, kPureOnly},
    FileType{"Q4_K_S", 14, TensorType::q4_k, kPureOnly},
    FileType{"Q4_K_M", 15, TensorType::q4_k, kPureOnly},
    FileType{"Q4_K", 15, TensorType::q4_k, kPureOnly},
    FileType{"Q5_K_S", 16, TensorType::q5_k, kPureOnly},
    FileType{"Q5_K_M", 17, TensorType::q5_k, kPureOnly},
    FileType{"Q5_K", 17, TensorType::q5_k, kPureOnly},
    FileType{"Q6_K", 18, TensorType::q6_k, kPureOnly},
    FileType{"IQ2_XXS", 19, TensorType::iq2_xxs, kPureOnly},
    FileType{"IQ4_NL", 25, TensorType::iq4_nl, kPureOnly},
    FileType{"Q6_0", 135, TensorType::q6_0, kPureOnly},
    FileType{"IQ2_K", 138, TensorType::iq2_k, kPureOnly},
    FileType{"IQ3_K", 139, TensorType::iq3_k, kPureOnly},
    FileType{"IQ4_K", 140, TensorType::iq4_k, kPureOnly},
};

}  // namespace

std::span<const FileType> file_types() noexcept {
  return kFileTypes;
}

const FileType* find_file_type(std::string_view name) noexcept {
  const auto same = [](char upper, char any) {
    return upper == std::toupper(static_cast<unsigned char>(any));
  };
  const auto it = std::ranges::find_if(
      kFileTypes, [&](const FileType& t) { return std::ranges::equal(t.name, name, same); });
  return it == kFileTypes.end() ? nullptr : &*it;
}

}  // namespace sluice
