#include "sluice/tensor_type.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace sluice {
namespace {

constexpr std::array kTypes = {
    TensorTypeInfo{TensorType::f32, "f32", 1, 4},
    TensorTypeInfo{TensorType::f16, "f16", 1, 2},
    TensorTypeInfo{TensorType::q4_0, "q4_0", 32, 18},
    TensorTypeInfo{TensorType::q4_1, "q4_1", 32, 20},
    TensorTypeInfo{TensorType::q5_0, "q5_0", 32, 22},
    TensorTypeInfo{TensorType::q5_1, "q5_1", 32, 24},
    TensorTypeInfo{TensorType::q8_0, "q8_0", 32, 34},
    TensorTypeInfo{TensorType::q8_1, "q8_1", 32, 36},
    TensorTypeInfo{TensorType::q2_k, "q2_k", 256, 84},
    TensorTypeInfo{TensorType::q3_k, "q3_k", 256, 110},
    TensorTypeInfo{TensorType::q4_k, "q4_k", 256, 144},
    TensorTypeInfo{TensorType::q5_k, "q5_k", 256, 176},
    TensorTypeInfo{TensorType::q6_k, "q6_k", 256, 210},
    TensorTypeInfo{TensorType::q8_k, "q8_k", 256, 292},
    TensorTypeInfo{TensorType::iq2_xxs, "iq2_xxs", 256, 66},
    TensorTypeInfo{TensorType::iq2_xs, "iq2_xs", 256, 74},
    TensorTypeInfo{TensorType::iq3_xxs, "iq3_xxs", 256, 98},
    TensorTypeInfo{TensorType::iq1_s, "iq1_s", 256, 50},
    TensorTypeInfo{TensorType::iq4_nl, "iq4_nl", 32, 18},
    TensorTypeInfo{TensorType::iq3_s, "iq3_s", 256, 110},
    TensorTypeInfo{TensorType::iq2_s, "iq2_s", 256, 82},
    TensorTypeInfo{TensorType::iq4_xs, "iq4_xs", 256, 136},
    TensorTypeInfo{TensorType::i8, "i8", 1, 1},
    TensorTypeInfo{TensorType::i16, "i16", 1, 2},
    TensorTypeInfo{TensorType::i32, "i32", 1, 4},
    TensorTypeInfo{TensorType::i64, "i64", 1, 8},
    TensorTypeInfo{TensorType::f64, "f64", 1, 8},
    TensorTypeInfo{TensorType::iq1_m, "iq1_m", 256, 56},
    TensorTypeInfo{TensorType::bf16, "bf16", 1, 2},
    TensorTypeInfo{TensorType::tq1_0, "tq1_0", 256, 54},
    TensorTypeInfo{TensorType::tq2_0, "tq2_0", 256, 66},
    TensorTypeInfo{TensorType::mxfp4, "mxfp4", 32, 17},
    TensorTypeInfo{TensorType::nvfp4, "nvfp4", 64, 36},
    TensorTypeInfo{TensorType::q6_0, "q6_0", 32, 26},
    TensorTypeInfo{TensorType::iq2_k, "iq2_k", 256, 76},
    TensorTypeInfo{TensorType::iq3_k, "iq3_k", 256, 110},
    TensorTypeInfo{TensorType::iq4_k, "iq4_k", 256, 144},
    TensorTypeInfo{TensorType::iq5_k, "iq5_k", 256, 176},
    TensorTypeInfo{TensorType::iq6_k, "iq6_k", 256, 212},
};

}  // namespace

std::span<const TensorTypeInfo> tensor_types() noexcept {
  return kTypes;
}

const TensorTypeInfo* find_tensor_type(std::uint32_t number) noexcept {
  const auto it = std::find_if(kTypes.begin(), kTypes.end(), [&](const TensorTypeInfo& t) {
    return static_cast<std::uint32_t>(t.type) == number;
  });
  return it == kTypes.end() ? nullptr : &*it;
}

const TensorTypeInfo* find_tensor_type(std::string_view name) noexcept {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  const auto it = std::find_if(kTypes.begin(), kTypes.end(), [&](const TensorTypeInfo& t) {
    return std::equal(t.name.begin(), t.name.end(), name.begin(), name.end(), same);
  });
  return it == kTypes.end() ? nullptr : &*it;
}

const TensorTypeInfo& info(TensorType type) noexcept {
  return *find_tensor_type(static_cast<std::uint32_t>(type));
}

}  // namespace sluice
