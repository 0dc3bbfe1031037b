#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/calibration.h"
#include "sluice/codec.h"
#include "sluice/mix_target.h"
#include "sluice/model_edits.h"
#include "sluice/observer.h"
#include "sluice/recipe.h"
#include "sluice/share.h"
#include "sluice/split.h"
#include "sluice/streaming.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Which entries of an importance matrix count, as for llama-quantize's `--include-weights` and
/// `--exclude-weights`: those whose names contain one of `include` (empty: all), and none of
/// `exclude`.
struct ImatrixFilter {
  std::vector<std::string> include = {};
  std::vector<std::string> exclude = {};
};

/// What a checkpoint's weights become before they are quantized: F32, or rounded to BF16 where a
/// 16-bit GGUF has them so, as in two steps with a converter.
enum class Via { f32, bf16 };

/// Everything that decides what is made and how: the recipe, how models are streamed, and the
/// following.
struct QuantizeOptions : RecipeOptions, StreamingOptions {
  /// A GGUF file, or any part of a split one; or a checkpoint as it was published: its folder, its
  /// index or any part.
  std::string input;
  /// Appears under this name only when it is whole. If it is split, `NAME`, `NAME.gguf` and the
  /// name of any part all stand for `NAME-00001-of-0000N.gguf` and so on. If it is not, a symbolic
  /// link stands for the file that it leads to.
  std::string output;
  SplitOptions split;  ///< into which files the output goes
  ShareOptions share;  ///< which of these files to make; by itself, all
  ModelEdits edits;    ///< metadata to set, layers to leave out
  /// llama.cpp's name of a checkpoint's pre-tokenizer; empty: the one that tokenizer.json's own
  /// regular expressions stand for.
  std::string pre;
  Via via = Via::f32;
  std::string imatrix;                ///< importance matrix file; empty: none
  ImatrixFilter use;                  ///< which of the matrix's entries count
  bool hide_imatrix = false;          ///< keep the matrix's name and numbers out of the metadata
  bool ignore_imatrix_rules = false;  ///< allow very-low-bit types without importance
  /// Run the model on this text, layer by layer, and encode each layer's weights with error
  /// feedback under what they were multiplied by. An importance matrix then serves the other tensors.
  CalibrationOptions calibration;
  MixTarget target;               ///< in place of a mix
  bool allow_requantize = false;  ///< accept sources that are quantized already
  Effort effort = Effort::best;
  bool measure_error = false;  ///< fill in the errors of TensorReport (costs a decode)
  /// Check every chunk before it is written: finite scales, and an error such as a right encoding
  /// has (costs a decode). A chunk that fails ends the run (output_damaged).
  bool verify = false;

  /// Most time between two checkpoints: as much work is done twice, at most, after a crash.
  double checkpoint_s = 4;
  bool skip_existing = false;  ///< do nothing if the output is there already
  bool restart = false;        ///< begin anew even if an earlier run left something to go on with
  /// Go on although the input's times are others, as a copy's are, if sizes, headers and samples are
  /// the same.
  bool same_input = false;
  bool verify_resume = false;  ///< read again what an earlier run made, and make anew what differs
};

/// What will be done to one tensor.
struct PlannedTensorView {
  std::string name;
  std::vector<std::uint64_t> shape;  ///< row length first
  TensorType source;                 ///< what the input is nearest to
  std::string stored_as;             ///< how the input holds it: "bf16", "f8_e4m3 128x128"
  TensorType type;
  std::optional<TensorType> asked;  ///< as in TensorReport
  std::string rule;                 ///< why this type
  /// What a calibration text does for it: "feedback", "mean squares"; empty: nothing.
  std::string calibration = {};
  bool lacks_importance;  ///< the importance matrix has no row for it, and it had better have one
  std::uint64_t part;     ///< which output file
  std::uint64_t offset;   ///< in that file
  std::uint64_t size;     ///< bytes there
};

/// What running the model on a text takes.
struct CalibrationView {
  std::uint64_t tokens = 0;
  std::uint64_t sequence_length = 0;
  std::uint64_t feedback_tensors = 0;
  std::uint64_t mean_squares_tensors = 0;
  std::string state_file;         ///< what a run that is cut off goes on with
  std::uint64_t state_bytes = 0;  ///< of it; for moments twice as many
};

/// What will be done, tensor by tensor in the output's order.
struct PlanView {
  std::vector<PlannedTensorView> tensors;
  /// Tensors that would get a very-low-bit type without importance values; `quantize` refuses a
  /// plan that has any, unless told to ignore it.
  std::vector<std::string> missing_importance;
  std::vector<std::string> notes;  ///< what the user may not expect: a rule that matches nothing
  std::uint64_t input_bytes = 0;   ///< tensor data to read
  std::uint64_t output_bytes = 0;  ///< of all output files
  std::vector<PartReport> parts;   ///< the output files; without an output their names are endings
  std::vector<ShareView> shares = {};  ///< the parts, where several runs make one each
  std::uint64_t weights = 0;
  std::optional<CalibrationView> calibration;  ///< none: no text is given
  std::optional<MixChoice> mix = {};           ///< chosen for a size; none: none was asked for
};

/// Decides everything, reads headers only, writes nothing. `options.output` may be empty.
/// \throws Error
PlanView plan(const QuantizeOptions& options);

/// Makes the output file, or goes on making it where an earlier run with the same input and options
/// was stopped, killed or cut off: what that run had brought to the disk (`OUT.part`, of a split
/// output `OUT.part-00002` and so on too, with `OUT.part.journal`) is not made again, and the bytes
/// are those of an undisturbed run. Where these names are too long for a file, they are cut. A file
/// of such a name that no run of sluice left is not touched. Of a split output the first file, by which programs find the
/// others, gets its name last; an older one is gone before the others get theirs. Notes and
/// progress go to `observer`, which is called from one thread at a time.
///
/// With `share`, one of several runs, on as many machines: all plan the same, and each makes its files
/// of the split and gives them their names, but for the first file. What they share is told in
/// `OUT.parts`, which stays, on a file system that all of them see: whoever is the last gives the
/// first file its name. A part that is made is not made again; one of another plan is refused.
/// Bytes are those of one run.
/// \throws Error; the output is then not there, and an older file of that name is untouched. If the
///         run had come to a checkpoint, a later call goes on from there.
RunReport quantize(const QuantizeOptions& options, Observer& observer);

/// The name under which the output's first file grows, or the first of a part: `OUT.part`, `OUT.3.gguf.part`, cut where it is too long. While `OUT.part.journal` is
/// there too, the same call goes on from there.
std::string working_file(const QuantizeOptions& options);

}  // namespace sluice

#pragma GCC visibility pop
