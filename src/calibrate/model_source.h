#pragma once

#include <vector>

#include "io/file.h"
#include "sluice/gguf.h"
#include "weights/stored.h"

namespace sluice::calibrate {

/// A model in files, whatever they are. What is referred to outlives this.
struct ModelSource {
  const gguf::Header& header;
  const weights::Weights& weights;     ///< one source for each of header.tensors
  std::vector<const io::File*> files;  ///< what weights::Place::part counts
};

}  // namespace sluice::calibrate
