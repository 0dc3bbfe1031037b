#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "checkpoint/config.h"
#include "checkpoint/folder.h"

namespace sluice::checkpoint {

/// How a checkpoint's weights were quantized, as its configuration says.
struct Quantization {
  enum class Method {
    none,
    fp8,                 ///< X beside X_scale_inv
    compressed_tensors,  ///< X.weight or X.weight_packed beside X.weight_scale
    mxfp4,               ///< X_blocks beside X_scales
    modelopt,  ///< X.weight beside X.weight_scale, or X beside X_weight_scale, and ..._scale_2
  };

  Method method = Method::none;
  /// Rows and columns that have a factor together, if that is said.
  std::optional<std::uint64_t> block_rows = {};
  std::optional<std::uint64_t> block_columns = {};
  unsigned packed_bits = 0;  ///< of each weight in X.weight_packed; 0: none are
};

/// \param folder  in which older checkpoints have a file of their own that says it
/// \throws Error (input_format, input_type) naming file and key if the method is not read; the cure
///         says what to take instead
Quantization read_quantization(const Folder& folder, const Config& config);

}  // namespace sluice::checkpoint
