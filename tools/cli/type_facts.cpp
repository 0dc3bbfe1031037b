#include "type_facts.h"

#include <algorithm>
#include <array>

namespace sluice::cli {
namespace {

constexpr std::array kFacts = {
    TypeFacts{"IQ1_S", 1.78, 0.0779},   TypeFacts{"IQ1_M", 1.94, 0.0679},
    TypeFacts{"IQ2_XXS", 2.20, 0.0454}, TypeFacts{"IQ2_XS", 2.43, 0.0377},
    TypeFacts{"IQ2_S", 2.55, 0.0250},   TypeFacts{"IQ2_M", 2.76, 0.0175},
    TypeFacts{"IQ3_XXS", 3.12, 0.0145}, TypeFacts{"IQ3_XS", 3.33, {}},
    TypeFacts{"IQ3_S", 3.51, 0.0074},   TypeFacts{"IQ3_M", 3.63, 0.0059},
    TypeFacts{"IQ4_XS", 4.32, 0.00268}, TypeFacts{"IQ4_NL", 4.56, {}},
    TypeFacts{"Q2_K", 3.00, 0.0240},    TypeFacts{"Q2_K_S", 2.79, {}},
    TypeFacts{"Q3_K", 3.89, 0.0066},    TypeFacts{"Q3_K_S", 3.50, {}},
    TypeFacts{"Q3_K_M", 3.89, 0.0066},  TypeFacts{"Q3_K_L", 4.22, {}},
    TypeFacts{"Q4_K", 4.83, 0.00166},   TypeFacts{"Q4_K_S", 4.57, {}},
    TypeFacts{"Q4_K_M", 4.83, 0.00166}, TypeFacts{"Q5_K", 5.67, {}},
    TypeFacts{"Q5_K_S", 5.52, {}},      TypeFacts{"Q5_K_M", 5.67, {}},
    TypeFacts{"Q6_K", 6.56, {}},        TypeFacts{"Q4_0", 4.55, {}},
    TypeFacts{"Q4_1", 5.03, {}},        TypeFacts{"Q5_0", 5.54, {}},
    TypeFacts{"Q5_1", 6.01, {}},        TypeFacts{"Q8_0", 8.50, {}},
    TypeFacts{"TQ1_0", 1.83, {}},       TypeFacts{"TQ2_0", 2.19, {}},
    TypeFacts{"MXFP4_MOE", 8.50, {}},   TypeFacts{"F16", 16.00, {}},
    TypeFacts{"BF16", 16.00, {}},       TypeFacts{"F32", 32.00, {}},
    TypeFacts{"MXFP4", 4.29, {}},       TypeFacts{"Q6_0", 6.50, {}},
    TypeFacts{"IQ2_K", 2.55, {}},       TypeFacts{"IQ3_K", 3.50, {}},
    TypeFacts{"IQ4_K", 4.56, {}},       TypeFacts{"IQ5_K", 5.52, {}},
    TypeFacts{"IQ6_K", 6.63, {}},       TypeFacts{"IQ1_KT", 1.82, {}},
    TypeFacts{"IQ2_KT", 2.37, {}},      TypeFacts{"IQ2_KS", 2.31, {}},
    TypeFacts{"IQ2_KL", 2.77, {}},      TypeFacts{"IQ3_KT", 3.22, {}},
    TypeFacts{"IQ3_KS", 3.25, {}},      TypeFacts{"IQ3_KL", 3.91, {}},
    TypeFacts{"IQ4_KT", 4.08, {}},      TypeFacts{"IQ4_KSS", 4.08, {}},
    TypeFacts{"IQ4_KS", 4.32, {}},      TypeFacts{"IQ5_KS", 5.27, {}},
    TypeFacts{"NVFP4", 4.54, {}},       TypeFacts{"Q1_0", 1.22, {}},
    TypeFacts{"Q2_0", 2.37, {}},        TypeFacts{"IQ1_S_R4", 1.75, {}},
    TypeFacts{"IQ1_M_R4", 1.96, {}},
};

}  // namespace

const TypeFacts* find_type_facts(std::string_view file_type) {
  const auto* found = std::ranges::find(kFacts, file_type, &TypeFacts::name);
  return found == kFacts.end() ? nullptr : &*found;
}

}  // namespace sluice::cli
