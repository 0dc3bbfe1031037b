#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "recipe/ftype.h"
#include "sluice/recipe.h"

namespace sluice {
namespace {

using recipe::Ftype;
using Type = TensorType;

constexpr FileType both(std::string_view name, Ftype number, Type type) {
  return {name, static_cast<std::uint32_t>(number), type, true, true};
}
constexpr FileType llama_cpp(std::string_view name, Ftype number, Type type) {
  return {name, static_cast<std::uint32_t>(number), type, true, false};
}
constexpr FileType ik_llama_cpp(std::string_view name, Ftype number, Type type) {
  return {name, static_cast<std::uint32_t>(number), type, false, true};
}

// Names and numbers are the peers', an alias before what it stands for, as there. The mixes of F32,
// F16, BF16 and Q8_0 have no rules but for experts and odd rows.
constexpr std::array kFileTypes = {
    both("IQ1_S", Ftype::iq1_s, Type::iq1_s),
    both("IQ1_M", Ftype::iq1_m, Type::iq1_m),
    both("IQ2_XXS", Ftype::iq2_xxs, Type::iq2_xxs),
    both("IQ2_XS", Ftype::iq2_xs, Type::iq2_xs),
    both("IQ2_S", Ftype::iq2_s, Type::iq2_xs),
    both("IQ2_M", Ftype::iq2_m, Type::iq2_s),
    both("IQ3_XXS", Ftype::iq3_xxs, Type::iq3_xxs),
    both("IQ3_XS", Ftype::iq3_xs, Type::iq3_s),
    both("IQ3_S", Ftype::iq3_s, Type::iq3_s),
    both("IQ3_M", Ftype::iq3_m, Type::iq3_s),
    both("IQ4_XS", Ftype::iq4_xs, Type::iq4_xs),
    both("IQ4_NL", Ftype::iq4_nl, Type::iq4_nl),
    both("Q2_K", Ftype::q2_k, Type::q2_k),
    both("Q2_K_S", Ftype::q2_k_s, Type::q2_k),
    both("Q3_K", Ftype::q3_k_m, Type::q3_k),
    both("Q3_K_S", Ftype::q3_k_s, Type::q3_k),
    both("Q3_K_M", Ftype::q3_k_m, Type::q3_k),
    both("Q3_K_L", Ftype::q3_k_l, Type::q3_k),
    both("Q4_K", Ftype::q4_k_m, Type::q4_k),
    both("Q4_K_S", Ftype::q4_k_s, Type::q4_k),
    both("Q4_K_M", Ftype::q4_k_m, Type::q4_k),
    both("Q5_K", Ftype::q5_k_m, Type::q5_k),
    both("Q5_K_S", Ftype::q5_k_s, Type::q5_k),
    both("Q5_K_M", Ftype::q5_k_m, Type::q5_k),
    both("Q6_K", Ftype::q6_k, Type::q6_k),
    both("Q4_0", Ftype::q4_0, Type::q4_0),
    both("Q4_1", Ftype::q4_1, Type::q4_1),
    both("Q5_0", Ftype::q5_0, Type::q5_0),
    both("Q5_1", Ftype::q5_1, Type::q5_1),
    both("Q8_0", Ftype::q8_0, Type::q8_0),
    llama_cpp("TQ1_0", Ftype::tq1_0, Type::tq1_0),
    llama_cpp("TQ2_0", Ftype::tq2_0, Type::tq2_0),
    llama_cpp("MXFP4_MOE", Ftype::mxfp4, Type::mxfp4),
    llama_cpp("NVFP4", Ftype::nvfp4, Type::nvfp4),
    llama_cpp("Q1_0", Ftype::q1_0, Type::q1_0),
    llama_cpp("Q2_0", Ftype::q2_0, Type::q2_0),
    both("F16", Ftype::f16, Type::f16),
    both("BF16", Ftype::bf16, Type::bf16),
    both("F32", Ftype::f32, Type::f32),
    FileType{"COPY", 0, Type::f32, true, true, true},
    ik_llama_cpp("MXFP4", Ftype::mxfp4, Type::mxfp4),
    ik_llama_cpp("Q6_0", Ftype::q6_0, Type::q6_0),
    ik_llama_cpp("IQ2_K", Ftype::iq2_k, Type::iq2_k),
    ik_llama_cpp("IQ3_K", Ftype::iq3_k, Type::iq3_k),
    ik_llama_cpp("IQ4_K", Ftype::iq4_k, Type::iq4_k),
    ik_llama_cpp("IQ5_K", Ftype::iq5_k, Type::iq5_k),
    ik_llama_cpp("IQ6_K", Ftype::iq6_k, Type::iq6_k),
    ik_llama_cpp("IQ1_KT", Ftype::iq1_kt, Type::iq1_kt),
    ik_llama_cpp("IQ2_KT", Ftype::iq2_kt, Type::iq2_kt),
    ik_llama_cpp("IQ2_KS", Ftype::iq2_ks, Type::iq2_ks),
    ik_llama_cpp("IQ2_KL", Ftype::iq2_kl, Type::iq2_kl),
    ik_llama_cpp("IQ3_KT", Ftype::iq3_kt, Type::iq3_kt),
    ik_llama_cpp("IQ3_KS", Ftype::iq3_ks, Type::iq3_ks),
    ik_llama_cpp("IQ3_KL", Ftype::iq3_kl, Type::iq3_k),
    ik_llama_cpp("IQ4_KT", Ftype::iq4_kt, Type::iq4_kt),
    ik_llama_cpp("IQ4_KSS", Ftype::iq4_kss, Type::iq4_kss),
    ik_llama_cpp("IQ4_KS", Ftype::iq4_ks, Type::iq4_ks),
    ik_llama_cpp("IQ5_KS", Ftype::iq5_ks, Type::iq5_ks),
    ik_llama_cpp("IQ1_S_R4", Ftype::iq1_s_r4, Type::iq1_s_r4),
    ik_llama_cpp("IQ1_M_R4", Ftype::iq1_m_r4, Type::iq1_m_r4),
};

bool same_letters(std::string_view upper, std::string_view any) {
  return std::ranges::equal(
      upper, any, [](char a, char b) { return a == std::toupper(static_cast<unsigned char>(b)); });
}

}  // namespace

std::string_view name(Mix mix) noexcept {
  return mix == Mix::llama_cpp ? "llama.cpp" : "ik_llama.cpp";
}

std::span<const FileType> file_types() noexcept {
  return kFileTypes;
}

const FileType* find_file_type(std::string_view text, Mix mix) noexcept {
  const auto by_name = std::ranges::find_if(
      kFileTypes, [&](const FileType& t) { return same_letters(t.name, text); });
  if (by_name != kFileTypes.end()) return &*by_name;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return nullptr;
  const auto by_number = std::ranges::find_if(
      kFileTypes, [&](const FileType& t) { return t.number == number && t.in(mix); });
  return by_number == kFileTypes.end() ? nullptr : &*by_number;
}

}  // namespace sluice
