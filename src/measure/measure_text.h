#pragma once

#include <cstdint>
#include <string>

#include "measure/measurements.h"
#include "measure/request.h"
#include "model/network.h"
#include "sluice/observer.h"

namespace sluice::measure {

/// What is measured by running the model on a text. What is referred to outlives the measuring.
struct TextRequest {
  const Request& request;  ///< its memory also holds the weights in hand and the stream
  const model::Network& network;
  const model::Tokens& text;
  /// The run encodes each tensor by what the matrices are multiplied by: with error feedback where the type
  /// has it, else with the importance that this gives.
  bool calibrated = false;
  std::string state;  ///< file to go on with after the run was cut off
};

/// What each type does to each tensor, found by running the model, each weight being read once. Layer by
/// layer, from the true stream on, some sequences of the text are run once more for each of the layer's
/// tensors, with that one tensor encoded: by what part that changes the residual stream after the layer,
/// over what it changes of the tensor's own outputs, is the tensor's gain. The errors of all types are
/// those of sampled rows, multiplied by the inputs of the same tokens. The embedding's change is that
/// after the first layer; of the output matrix it is the divergence of the logits itself.
///
/// What a change of the stream comes to as divergence is measured too: sequences in which one kind of
/// tensors is encoded in all layers, and some in which all are, run to the end, and their logits are
/// compared.
///
/// Tensors that running the model does not multiply by have no measurements. What the file of
/// measurements holds already is not measured again; a run that is cut off goes on at the layer where it
/// was. The same numbers whatever the threads, the memory and the instruction set.
/// \throws Error (memory_budget, which names the least; input_*, output_*, interrupted)
Measurements measure_text(const TextRequest& request, Observer& observer);

}  // namespace sluice::measure
