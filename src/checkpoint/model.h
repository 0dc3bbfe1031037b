#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sluice/gguf.h"
#include "weights/stored.h"

namespace sluice::checkpoint {

using weights::Axis;
using weights::Change;
using weights::Coding;
using weights::Place;
using weights::Scales;
using weights::Source;
using weights::Stored;
using weights::View;

/// A stored tensor that the model does not have.
struct Skipped {
  std::string name;
  std::string_view kind;  ///< as in "for images, video or sound"
};

/// A checkpoint as the GGUF model that it stands for.
struct Model {
  /// Metadata, and the tensors with their names and shapes as in GGUF, by layer. A tensor's type is
  /// what its numbers are nearest to: F32, F16, BF16; BF16 for those with scales; MXFP4 where blocks
  /// can be moved as they are. F32 is also what must not be made anything else (vectors, routers).
  /// Offsets follow one another as if the tensors were made of these types.
  gguf::Header header;
  weights::Weights weights;  ///< one source for each tensor of the header
  std::vector<Skipped> skipped;
};

}  // namespace sluice::checkpoint
