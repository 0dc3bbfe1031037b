#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/calibration.h"
#include "sluice/observer.h"
#include "sluice/streaming.h"

#pragma GCC visibility push(default)

namespace sluice {

/// How an importance matrix is stored.
enum class ImatrixFormat {
  gguf,  ///< as llama.cpp's tool makes it: sums, and how many tokens there were for each expert
  dat,   ///< the older format, the only one of ik_llama.cpp: means, without those numbers
};

/// What to run, on what, and where to write what its weights are multiplied by.
struct ImatrixOptions : StreamingOptions {
  std::string input = {};   ///< a GGUF file, or any part of a split one, or a published checkpoint
  std::string output = {};  ///< the importance matrix to make
  ImatrixFormat format = ImatrixFormat::gguf;
  std::string pre = {};  ///< pre-tokenizer of a checkpoint whose own is unknown
  CalibrationOptions calibration = {};
  bool process_output = false;  ///< sum for output.weight too
  bool restart = false;         ///< begin anew even if an earlier run left something to go on with
};

/// An expert that few tokens were sent to.
struct QuietExpert {
  std::uint64_t layer = 0;
  std::uint64_t expert = 0;
  std::uint64_t tokens = 0;
};

struct ImatrixReport {
  std::string output;
  std::string model;         ///< the input's `general.name`; empty: it has none
  std::string architecture;  ///< the input's `general.architecture`
  std::uint64_t tokens = 0;
  std::uint64_t chunks = 0;
  std::uint64_t chunk_size = 0;
  std::uint64_t tensors = 0;  ///< that have values
  std::uint64_t layers = 0;
  std::uint64_t resumed_layers = 0;  ///< of these, run by an earlier run
  std::uint64_t experts = 0;         ///< of all layers together
  /// Experts with fewer tokens than this are told: their values are guesses.
  std::uint64_t few_tokens = 0;
  std::vector<QuietExpert> quiet_experts;
  std::uint64_t state_bytes = 0;  ///< of the file that a run goes on with; gone when it is done
  std::uint64_t read_bytes = 0;
  std::uint64_t cached_bytes = 0;  ///< see RunReport::cached_bytes
  double wall_s = 0;
  std::uint64_t peak_anon_bytes = 0;  ///< most anonymous memory that the process held
  std::string io;                     ///< see RunReport::io
  std::string isa;
  int threads = 1;
};

/// Makes an importance matrix: runs the model, layer by layer, over all tokens of a text, and sums the
/// squares of what each matrix is multiplied by. Only the matrices in hand and those that come
/// next are in memory, and what the tokens have become between two layers: 4 bytes for each of the
/// model's width and each token.
///
/// The values are those of llama.cpp's imatrix tool for the same text and sequences, but for rounding,
/// and their bits depend on none of machine, threads and budget. What the sums are is kept after each layer, so that the same call
/// goes on there after it was cut off, whichever format it asks for: the older one is made of the sums in
/// the end.
/// \throws Error; input_format for an architecture that cannot be run, which names those that can
ImatrixReport make_imatrix(const ImatrixOptions& options, Observer& observer);

}  // namespace sluice

#pragma GCC visibility pop
