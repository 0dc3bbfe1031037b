#include "sluice/tensor_type.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <mutex>
#include <string>

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
    TensorTypeInfo{TensorType::q1_0, "q1_0", 128, 18},
    TensorTypeInfo{TensorType::q2_0, "q2_0", 64, 18},
    TensorTypeInfo{TensorType::q6_0, "q6_0", 32, 26},
    TensorTypeInfo{TensorType::iq1_bn, "iq1_bn", 64, 13, 2},
    TensorTypeInfo{TensorType::iq2_bn, "iq2_bn", 64, 16, 4},
    TensorTypeInfo{TensorType::iq2_k, "iq2_k", 256, 76},
    TensorTypeInfo{TensorType::iq3_k, "iq3_k", 256, 110},
    TensorTypeInfo{TensorType::iq4_k, "iq4_k", 256, 144},
    TensorTypeInfo{TensorType::iq5_k, "iq5_k", 256, 176},
    TensorTypeInfo{TensorType::iq6_k, "iq6_k", 256, 212},
    TensorTypeInfo{TensorType::iq4_ks, "iq4_ks", 256, 136, 4},
    TensorTypeInfo{TensorType::iq2_ks, "iq2_ks", 256, 70, 2},
    TensorTypeInfo{TensorType::iq4_kss, "iq4_kss", 256, 128, 4},
    TensorTypeInfo{TensorType::q8_kv, "q8_kv", 32, 32, 8},
    TensorTypeInfo{TensorType::iq5_ks, "iq5_ks", 256, 168, 4},
    TensorTypeInfo{TensorType::iq2_kt, "iq2_kt", 256, 68, 4},
    TensorTypeInfo{TensorType::iq3_kt, "iq3_kt", 256, 100, 4},
    TensorTypeInfo{TensorType::iq4_kt, "iq4_kt", 256, 128, 4},
    TensorTypeInfo{TensorType::iq3_ks, "iq3_ks", 256, 102, 2},
    TensorTypeInfo{TensorType::iq2_kl, "iq2_kl", 256, 86, 2},
    TensorTypeInfo{TensorType::iq1_kt, "iq1_kt", 256, 56, 4},
    TensorTypeInfo{TensorType::q4_0_r8, "q4_0_r8", 32, 18, 0, 8},
    TensorTypeInfo{TensorType::q5_0_r4, "q5_0_r4", 32, 22, 0, 4},
    TensorTypeInfo{TensorType::q8_0_r8, "q8_0_r8", 32, 34, 0, 8},
    TensorTypeInfo{TensorType::q2_k_r4, "q2_k_r4", 256, 84, 0, 4},
    TensorTypeInfo{TensorType::q3_k_r4, "q3_k_r4", 256, 110, 0, 4},
    TensorTypeInfo{TensorType::q4_k_r4, "q4_k_r4", 256, 144, 0, 4},
    TensorTypeInfo{TensorType::q5_k_r4, "q5_k_r4", 256, 176, 0, 4},
    TensorTypeInfo{TensorType::q6_k_r4, "q6_k_r4", 256, 210, 0, 4},
    TensorTypeInfo{TensorType::iq2_xxs_r4, "iq2_xxs_r4", 256, 66, 0, 4},
    TensorTypeInfo{TensorType::iq2_xs_r4, "iq2_xs_r4", 256, 74, 0, 4},
    TensorTypeInfo{TensorType::iq3_xxs_r4, "iq3_xxs_r4", 256, 98, 0, 4},
    TensorTypeInfo{TensorType::iq1_s_r4, "iq1_s_r4", 32, 6, 2, 4},
    TensorTypeInfo{TensorType::iq4_nl_r4, "iq4_nl_r4", 32, 18, 0, 4},
    TensorTypeInfo{TensorType::iq3_s_r4, "iq3_s_r4", 256, 110, 0, 4},
    TensorTypeInfo{TensorType::iq2_s_r4, "iq2_s_r4", 256, 82, 0, 4},
    TensorTypeInfo{TensorType::iq4_xs_r8, "iq4_xs_r8", 256, 136, 0, 8},
    TensorTypeInfo{TensorType::iq1_m_r4, "iq1_m_r4", 32, 7, 2, 4},
    TensorTypeInfo{TensorType::bf16_r16, "bf16_r16", 2, 4, 0, 16},
    TensorTypeInfo{TensorType::q6_0_r4, "q6_0_r4", 32, 26, 0, 4},
    TensorTypeInfo{TensorType::iq2_bn_r4, "iq2_bn_r4", 64, 16, 4, 4},
    TensorTypeInfo{TensorType::iq2_k_r4, "iq2_k_r4", 256, 76, 0, 4},
    TensorTypeInfo{TensorType::iq3_k_r4, "iq3_k_r4", 256, 110, 0, 4},
    TensorTypeInfo{TensorType::iq4_k_r4, "iq4_k_r4", 256, 144, 0, 4},
    TensorTypeInfo{TensorType::iq5_k_r4, "iq5_k_r4", 256, 176, 0, 4},
    TensorTypeInfo{TensorType::iq4_ks_r4, "iq4_ks_r4", 256, 136, 4, 4},
    TensorTypeInfo{TensorType::iq5_ks_r4, "iq5_ks_r4", 256, 168, 4, 4},
    TensorTypeInfo{TensorType::mxfp4_r8, "mxfp4_r8", 32, 17, 0, 8},
    TensorTypeInfo{TensorType::q8_k_r16, "q8_k_r16", 256, 258, 0, 16},
    TensorTypeInfo{TensorType::q8_kv_r8, "q8_kv_r8", 32, 32, 4, 8},
    TensorTypeInfo{TensorType::q8_k_r8, "q8_k_r8", 256, 258, 0, 8},
};

// Types of which tensors are shown and copied, no more.
constexpr std::array kCopiedTypes = {
    // llama.cpp's, withdrawn.
    TensorTypeInfo{TensorType{31}, "q4_0_4_4", 32, 18},
    TensorTypeInfo{TensorType{32}, "q4_0_4_8", 32, 18},
    TensorTypeInfo{TensorType{33}, "q4_0_8_8", 32, 18},
    TensorTypeInfo{TensorType{37}, "iq4_nl_4_8", 32, 18},
    TensorTypeInfo{TensorType{38}, "iq4_nl_8_8", 32, 18},
    // ik_llama.cpp's, of activations.
    TensorTypeInfo{TensorType{97}, "q8_0_x4", 32, 34},
    TensorTypeInfo{TensorType{98}, "q8_1_x4", 32, 36},
    TensorTypeInfo{TensorType{99}, "q8_2_x4", 32, 36},
};

template <typename Is>
const TensorTypeInfo* find_if(Is is) noexcept {
  using List = std::span<const TensorTypeInfo>;
  for (const List list : {List(kTypes), List(kCopiedTypes)}) {
    const auto it = std::ranges::find_if(list, is);
    if (it != list.end()) return &*it;
  }
  return nullptr;
}

/// The entry of a number that no list has, made when it is first met.
const TensorTypeInfo& unlisted(TensorType type) noexcept {
  struct Entry {
    std::string name;
    TensorTypeInfo info;
  };
  static std::mutex mutex;
  static std::map<TensorType, Entry> entries;
  const std::lock_guard lock(mutex);
  const auto [it, is_new] = entries.try_emplace(type);
  Entry& entry = it->second;
  if (is_new) {
    entry.name = "#" + std::to_string(static_cast<std::uint32_t>(type));
    entry.info = {type, entry.name, 1, 0};
  }
  return entry.info;
}

}  // namespace

std::span<const TensorTypeInfo> tensor_types() noexcept {
  return kTypes;
}

const TensorTypeInfo* find_tensor_type(std::uint32_t number) noexcept {
  return find_if(
      [&](const TensorTypeInfo& t) { return static_cast<std::uint32_t>(t.type) == number; });
}

const TensorTypeInfo* find_tensor_type(std::string_view name) noexcept {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return find_if([&](const TensorTypeInfo& t) {
    return std::equal(t.name.begin(), t.name.end(), name.begin(), name.end(), same);
  });
}

const TensorTypeInfo& info(TensorType type) noexcept {
  const TensorTypeInfo* listed = find_tensor_type(static_cast<std::uint32_t>(type));
  return listed != nullptr ? *listed : unlisted(type);
}

}  // namespace sluice
