#pragma once

#include <optional>
#include <string_view>

namespace sluice::cli {

/// What distinguishes a file type from others whose bulk has the same type.
struct TypeFacts {
  std::string_view name;  ///< of the file type
  double bits;            ///< a weight, of the whole mix, in a model of Mistral 7B's shape
  /// KL divergence from the 16-bit model, of the small trained LLaMA that bench/README.md calls
  /// dense, made with an importance matrix; nothing where that was not measured.
  std::optional<double> divergence;
};

/// The facts of a file type, or null for one without a mix.
const TypeFacts* find_type_facts(std::string_view file_type);

}  // namespace sluice::cli
