#include "sluice/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "api/mix.h"
#include "api/option_rows.h"
#include "api/option_setters.h"
#include "recipe/recipe_text.h"
#include "sluice/error.h"
#include "sluice/nearest_name.h"

namespace sluice {
namespace {

using namespace option_rows;
using namespace option_setters;
using Q = QuantizeOptions;

constexpr Row kRows[] = {
    {placed_file(
         "input", "model", kChoosing,
         "16-bit GGUF file, or a published checkpoint's folder; or any part of either, or a URL"),
     into<&Q::input>},
    {placed_file("output", "output", kConversion,
                 "GGUF file to make (default: ggml-model-TYPE.gguf beside the model's files)",
                 false),
     into<&Q::output>},
    {with_letter("o", option("output", Kind::file, "FILE", Topic::files, kConversion,
                             "The output, instead of by its place behind the model")),
     into<&Q::output>},
    {option("type", Kind::file_type, "TYPE", Topic::arguments, kConversion,
            "What to make of it, by name or number", {.position = "type"}),
     set_type},
    {option("threads", Kind::number, "N", Topic::arguments, kConversion,
            "Compute threads; 0: one a core", {.default_value = "0", .position = "nthreads"}),
     set_threads},
    {placed_file("input", "model", kForImatrix,
                 "GGUF file, or a published checkpoint's folder; or any part of either, or a URL",
                 false),
     into<&Q::input>},
    {option("text", Kind::file, "FILE", Topic::arguments, kForImatrix,
            "Texts to run it on, one after the other", {.position = "text", .repeats = true}),
     into<&Q::calibration, &CalibrationOptions::texts>},
    {placed_file("output", "output", kForVerify, "GGUF file to check, or any part of a split one"),
     into<&Q::output>},
    {placed_file("a", "a", kForCompare,
                 "GGUF file or checkpoint that errors are relative to: the better one"),
     into_text<&Options::a>},
    {placed_file("b", "b", kForCompare, "GGUF file or checkpoint to compare with it"),
     into_text<&Options::b>},

    {option("mix", Kind::choice, "llama.cpp|ik_llama.cpp", Topic::types, kChoosing,
            "Whose rules choose the tensors' types", {.default_value = "llama.cpp"}),
     into<&Q::mix>},
    {flag("pure", Topic::types, "One type for all tensors", Peers::both, kConversion),
     into<&Q::pure>},
    {flag("allow-requantize", Topic::types, "Accept a source that is already quantized",
          Peers::both),
     into<&Q::allow_requantize>},
    {flag("leave-output-tensor", Topic::types, "Keep output.weight as it is", Peers::both),
     into<&Q::leave_output>},
    {type_of("output-tensor-type", "Type of output.weight", Peers::both), into<&Q::output_tensor>},
    {type_of("token-embedding-type", "Type of token_embd.weight", Peers::both),
     into<&Q::token_embedding>},
    {type_of("per-layer-token-embedding-type", "Type of per_layer_token_embd.weight"),
     into<&Q::per_layer_token_embedding>},
    {type_of("ffn-gate-inp-type", "Type of the routers ffn_gate_inp, else kept"),
     into<&Q::ffn_gate_inp>},
    {type_of("attn-q-type", "Type of attn_q"), into<&Q::kinds, &KindTypes::attn_q>},
    {type_of("attn-k-type", "Type of attn_k"), into<&Q::kinds, &KindTypes::attn_k>},
    {type_of("attn-v-type", "Type of attn_v"), into<&Q::kinds, &KindTypes::attn_v>},
    {type_of("attn-qkv-type", "Type of attn_qkv"), into<&Q::kinds, &KindTypes::attn_qkv>},
    {type_of("attn-output-type", "Type of attn_output"), into<&Q::kinds, &KindTypes::attn_output>},
    {type_of("ffn-gate-type", "Type of ffn_gate"), into<&Q::kinds, &KindTypes::ffn_gate>},
    {type_of("ffn-down-type", "Type of ffn_down"), into<&Q::kinds, &KindTypes::ffn_down>},
    {type_of("ffn-up-type", "Type of ffn_up"), into<&Q::kinds, &KindTypes::ffn_up>},
    {several("tensor-type", "NAME=TYPE", Topic::types,
             "Type of the tensors whose names match the regular expression NAME; of several that "
             "match the last counts",
             Peers::llama_cpp),
     add_rules<&RecipeOptions::tensor_types, parse_tensor_rules>},
    {several("tensor-type-file", "FILE", Topic::types,
             "File of rules NAME=TYPE, one a line; from # on a line is a comment",
             Peers::llama_cpp),
     add_rules<&RecipeOptions::tensor_types, read_tensor_rules>},
    {several("custom-q", "REGEX=TYPE,...", Topic::types,
             "REGEX=TYPE,REGEX=TYPE,... or one a line: of rules that match the first counts",
             Peers::ik_llama_cpp),
     add_rules<&RecipeOptions::custom_types, parse_custom_rules>},
    {flag("partial-requant", Topic::types,
          "Do nothing, and write no report, if the output is there already", Peers::ik_llama_cpp,
          kConversion),
     into<&Q::skip_existing>},

    {option("target-size", Kind::size, "SIZE", Topic::size, kChoosing,
            "Bytes of the output, all files together, as 100G or 93GiB (1G is 1000M)"),
     set_target_size},
    {option("target-bpw", Kind::number, "X", Topic::size, kChoosing,
            "Bits of a weight, in place of a size, as 2.1"),
     set_target_bpw},
    {several(
         "target", "REGEX=SIZE", Topic::size,
         "Bytes of the tensors whose names match, where a runtime keeps them in a place of their "
         "own: 'exps=96G'; '*' is all others",
         Peers::none),
     add_place},
    {several("types", "TYPE,...", Topic::size,
             "Types to choose from (default: the usual ones of the mix's program)", Peers::none),
     add_offered_types},
    {several("at-least", "REGEX=TYPE,...", Topic::size,
             "No type of fewer bits for tensors whose names match", Peers::none),
     add_bounds<&MixTarget::at_least>},
    {several("at-most", "REGEX=TYPE,...", Topic::size,
             "No type of more bits for tensors whose names match", Peers::none),
     add_bounds<&MixTarget::at_most>},
    {several("tie", "REGEX", Topic::size,
             "One type for all tensors of a layer whose names match, as 'ffn_[gu]' for gate and up",
             Peers::none),
     add_tie},
    {several(
         "measure", "FILE", Topic::size,
         "Text to run the model on, to measure what types do to it (default: that of --calibrate; "
         "without any, their errors alone are compared)",
         Peers::none),
     into<&Q::target, &MixTarget::texts>},
    {option("measure-tokens", Kind::number, "N", Topic::size, kChoosing, "Most tokens of it",
            {.default_value = "4096"}),
     set_measured_tokens},
    {option("measurements", Kind::file, "FILE", Topic::size, kChoosing,
            "Where to keep what is measured, for the next size (default: beside the output, "
            "named after model and text)"),
     into<&Q::target, &MixTarget::measurements>},

    {option("imatrix", Kind::file, "FILE", Topic::importance, kChoosing,
            "Importance matrix, as .dat or .gguf; very-low-bit types need one",
            {.peers = Peers::both}),
     into<&Q::imatrix>},
    {option("imatrix", Kind::file, "FILE", Topic::importance, kForVerify,
            "The importance matrix it was made with, which says what errors are right"),
     into<&Q::imatrix>},
    {several("include-weights", "NAME", Topic::importance,
             "Use importance only for tensors named like this", Peers::both),
     into<&Q::use, &ImatrixFilter::include>},
    {several("exclude-weights", "NAME", Topic::importance,
             "Use no importance for tensors named like this", Peers::both),
     into<&Q::use, &ImatrixFilter::exclude>},
    {flag("hide-imatrix", Topic::importance,
          "Keep the importance matrix's name and numbers out of the metadata", Peers::ik_llama_cpp,
          kConversion),
     into<&Q::hide_imatrix>},
    {flag("ignore-imatrix-rules", Topic::importance,
          "Make very-low-bit tensors even without importance values", Peers::ik_llama_cpp),
     into<&Q::ignore_imatrix_rules>},

    {with_letter("m", option("model", Kind::file, "FILE", Topic::calibration, kForImatrix,
                             "The model, instead of by its place before the texts")),
     into_text<&Options::model>},
    {with_letter("f", option("file", Kind::file, "FILE", Topic::calibration, kForImatrix,
                             "A text, instead of by its place", {.repeats = true})),
     into<&Q::calibration, &CalibrationOptions::texts>},
    {with_letter("o", option("output", Kind::file, "FILE", Topic::calibration, kForImatrix,
                             "Importance matrix to make")),
     into<&Q::output>},
    {option("output-format", Kind::choice, "gguf|dat", Topic::calibration, kForImatrix,
            "Its format: gguf, or dat, the older one, which ik_llama.cpp reads and which holds no "
            "counts of experts' tokens",
            {.default_value = "gguf"}),
     [](Options& options, const Option& option, std::string_view value) {
       option_values::read(option, value, options.imatrix_format);
     }},
    {with_letter("c", option("ctx-size", Kind::number, "N", Topic::calibration, kForImatrix,
                             "Tokens of a sequence, which knows nothing of the others",
                             {.default_value = "512"})),
     set_calibration_context},
    {option("chunks", Kind::number, "N", Topic::calibration, kForImatrix,
            "Most sequences, from the text's beginning; 0: all", {.default_value = "0"}),
     set_calibration_chunks},
    {flag("parse-special", Topic::calibration,
          "What stands for a control token in a text becomes one", Peers::none, kForImatrix),
     into<&Q::calibration, &CalibrationOptions::parse_special>},
    {flag("process-output", Topic::calibration, "Make values for output.weight too", Peers::none,
          kForImatrix),
     [](Options& options, const Option& option, std::string_view value) {
       option_values::read(option, value, options.process_output);
     }},
    {several("calibrate", "FILE", Topic::calibration,
             "Text to run the model on: codes are chosen by what its weights are multiplied by",
             Peers::none),
     into<&Q::calibration, &CalibrationOptions::texts>},
    {option("calibrate-tokens", Kind::file, "FILE", Topic::calibration, kChoosing | kForImatrix,
            "Token ids in place of text"),
     into<&Q::calibration, &CalibrationOptions::tokens>},
    {option("calibrate-context", Kind::number, "N", Topic::calibration, kChoosing,
            "Tokens of a sequence, which knows nothing of the others", {.default_value = "512"}),
     set_calibration_context},
    {option("calibrate-chunks", Kind::number, "N", Topic::calibration, kChoosing,
            "Most sequences, from the text's beginning; 0: all", {.default_value = "0"}),
     set_calibration_chunks},
    {option("scratch", Kind::folder, "DIR", Topic::calibration, kConversion,
            "Where to keep what is between two layers (default: the output's folder)"),
     into<&Q::calibration, &CalibrationOptions::scratch>},
    {flag("refit", Topic::calibration,
          "Fit weights to what the quantized layers before make of the text; takes three times as "
          "long",
          Peers::none),
     into<&Q::calibration, &CalibrationOptions::refit>},

    {option("against", Kind::file, "FILE", Topic::files, kForVerify,
            "What it was made from, a GGUF file or a checkpoint: every block is compared"),
     into_text<&Options::against>},
    {several("override-kv", "KEY=TYPE:VALUE", Topic::files,
             "Metadata of the output; TYPE is int, float, bool or str", Peers::both),
     override_metadata},
    {several("prune-layers", "N,...", Topic::files, "Layers to leave out, by their numbers",
             Peers::llama_cpp),
     add_pruned_layers},
    {option("pre", Kind::text, "NAME", Topic::files, kChoosing | kForImatrix,
            "Pre-tokenizer of a checkpoint whose own is unknown, as llama.cpp names it"),
     set_pre_tokenizer},
    {option("via", Kind::choice, "f32|bf16", Topic::files, kChoosing,
            "What a checkpoint's weights become first: f32, or bf16 as converters make them",
            {.default_value = "f32"}),
     into<&Q::via>},
    {option("split-max-size", Kind::size, "SIZE", Topic::files, kConversion,
            "Write several files with at most so much tensor data each, as 40G or 500M (1G is "
            "1000M)"),
     set_split_size},
    {option("split-max-tensors", Kind::number, "N", Topic::files, kConversion,
            "Write several files with at most so many tensors each"),
     set_split_tensors},
    {flag("keep-split", Topic::files, "Write the files that the input has: NAME-00001-of-0000N",
          Peers::both, kConversion),
     into<&Q::split, &SplitOptions::keep>},
    {option(
         "part", Kind::text, "K/N", Topic::files, kConversion,
         "Make part K of N of a split output's files, as one of N machines; auto: which one says "
         "the job, of a Slurm array or a Kubernetes indexed Job"),
     set_share},

    {with_letter("t", option("threads", Kind::number, "N", Topic::speed, kRunning,
                             "Threads; 0: one a core", {.default_value = "0"})),
     set_threads},
    {with_llama_cpp_name("max-buffer-size",
                         option("memory", Kind::size, "SIZE", Topic::speed, kRunning,
                                "Byte budget for input, scratch and output together, as 128M or 2G",
                                {.default_value = "512M"})),
     set_memory},
    {option("io", Kind::choice, "auto|mmap|async|read", Topic::speed, kRunning,
            "How to read: auto, mmap, async (io_uring) or read", {.default_value = "auto"}),
     into<&Q::io>},
    {option("spindle", Kind::choice, "auto|shared|separate", Topic::speed, kStreaming,
            "Whether the files share a hard disk: auto, shared (they take turns) or separate",
            {.default_value = "auto"}),
     into<&Q::spindle>},
    {option("effort", Kind::choice, "fast|best", Topic::speed, kChoosing,
            "How hard to search for small errors: fast or best", {.default_value = "best"}),
     into<&Q::effort>},
    {option("isa", Kind::choice, "auto|avx512|avx512bw|avx2|neon|portable", Topic::speed, kRunning,
            "Instruction set of the kernels: auto, avx512, avx512bw, avx2, neon or portable; what "
            "comes out is the same",
            {.default_value = "auto", .environment = "SLUICE_ISA"}),
     into<&Q::isa>},

    {option("checkpoint", Kind::number, "SECONDS", Topic::safety, kForQuantize,
            "Seconds of work that may have to be done again after a crash", {.default_value = "4"}),
     set_checkpoint},
    {flag("restart", Topic::safety,
          "Begin anew even if an earlier run left something to go on with", Peers::none,
          kForQuantize | kForImatrix),
     into<&Q::restart>},
    {flag("same-input", Topic::safety,
          "Go on with a copy of the input, whose times are others: header and samples are compared",
          Peers::none, kForQuantize),
     into<&Q::same_input>},
    {flag("verify-resume", Topic::safety, "Check what an earlier run has made before going on",
          Peers::none, kForQuantize),
     into<&Q::verify_resume>},
    {flag("verify", Topic::safety, "Check each chunk against its source before it is written",
          Peers::none, kForQuantize),
     into<&Q::verify>},

    {option("trace", Kind::file, "FILE", Topic::output, kForQuantize | kReading,
            "Write what happened when, as a Chrome trace, to this file"),
     into<&Q::trace>},
};

constexpr auto kOptions = [] {
  std::array<Option, std::size(kRows)> options;
  std::ranges::transform(kRows, options.begin(), [](const Row& row) { return row.option; });
  return options;
}();

const Row& find_row(std::string_view name) {
  name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
  const auto row = std::ranges::find_if(kRows, [&](const Row& each) {
    const Option& option = each.option;
    return !name.empty() && (option.name == name || option.llama_cpp == name);
  });
  if (row != std::end(kRows)) return *row;
  std::vector<std::string_view> names;
  for (const Option& option : kOptions) names.push_back(option.name);
  const std::string_view meant = nearest_name(name, names);
  throw Error(ErrorCode::usage, "there is no such option",
              {.cure = meant.empty() ? "See OPTIONS.md" : fmt::format("Did you mean {}?", meant)});
}

}  // namespace

std::span<const Option> options() noexcept {
  return kOptions;
}

std::string_view name(OptionTopic topic) noexcept {
  constexpr std::string_view kNames[] = {
      "Arguments",   "Which types",        "The best types for a size", "Importance matrix",
      "Calibration", "Files and metadata", "Memory, disks and speed",   "Checks and resuming",
      "Options",     "Output and logs"};
  return kNames[static_cast<std::size_t>(topic)];
}

void Options::set(std::string_view name, std::string_view value) {
  try {
    const Row& row = find_row(name);
    row.set(*this, row.option, value);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::usage) throw;  // a file that cannot be read
    throw Error::about(name, error);
  }
}

QuantizeOptions Options::for_quantize() const {
  if (!quantize.use.include.empty() && !quantize.use.exclude.empty()) {
    throw Error(ErrorCode::usage, "--include-weights excludes --exclude-weights",
                {.cure = "Pass one of them"});
  }
  if (!quantize.calibration.texts.empty() && !quantize.calibration.tokens.empty()) {
    throw Error(ErrorCode::usage, "--calibrate excludes --calibrate-tokens",
                {.cure = "Pass one of them"});
  }
  QuantizeOptions options = quantize;
  // A type set by C++ code stays.
  if (!type.empty()) options.file_type = &parse_file_type(type, options.mix);
  if (options.file_type == nullptr && !options.target.given()) {
    throw Error(ErrorCode::usage, "no type is given",
                {.cure = "Name one, as IQ1_M, or a size with --target-size"});
  }
  if (options.target.given()) check_target(options);
  return options;
}

QuantizeOptions Options::for_recipe() const {
  if (!quantize.target.given()) {
    throw Error(ErrorCode::usage, "no size is given",
                {.cure = "Pass --target-size 100G, --target-bpw 2.1 or --target"});
  }
  return for_quantize();
}

VerifyOptions Options::for_verify() const {
  VerifyOptions options;
  static_cast<StreamingOptions&>(options) = quantize;
  options.output = quantize.output;
  options.against = against;
  options.imatrix = quantize.imatrix;
  return options;
}

ImatrixOptions Options::for_imatrix() const {
  ImatrixOptions options;
  static_cast<StreamingOptions&>(options) = quantize;
  options.input = quantize.input;
  options.output = quantize.output;
  options.pre = quantize.pre;
  options.calibration = quantize.calibration;
  options.format = imatrix_format;
  options.process_output = process_output;
  options.restart = quantize.restart;
  if (model.empty()) return options;
  std::vector<std::string>& texts = options.calibration.texts;
  if (!quantize.input.empty()) texts.insert(texts.begin(), quantize.input);
  options.input = model;
  return options;
}

CompareOptions Options::for_compare() const {
  CompareOptions options;
  static_cast<StreamingOptions&>(options) = quantize;
  options.a = a;
  options.b = b;
  return options;
}

}  // namespace sluice
