#include "sluice/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <vector>

#include "api/option_values.h"
#include "base/text.h"
#include "plan/model_edits.h"
#include "recipe/recipe_text.h"
#include "sluice/error.h"
#include "sluice/nearest_name.h"

namespace sluice {
namespace {

using Kind = OptionKind;
using Topic = OptionTopic;
using Q = QuantizeOptions;

/// An option and what it binds to.
struct Row {
  Option option;
  void (*set)(Options& options, const Option& option, std::string_view value);
};

/// Reads a value into a member of `Options::quantize`, or into a member of that member.
template <auto... Path>
void into(Options& options, const Option& option, std::string_view value) {
  option_values::read(option, value, (options.quantize.*....*Path));
}

template <std::string Options::*Member>
void into_text(Options& options, const Option& option, std::string_view value) {
  option_values::read(option, value, options.*Member);
}

/// Appends rules, in the order in which they are given by whatever option.
template <std::vector<TypeRule> RecipeOptions::*Rules, auto Parse>
void add_rules(Options& options, const Option& option, std::string_view value) {
  std::string text;
  option_values::read(option, value, text);
  const std::vector<TypeRule> more = Parse(text);
  std::vector<TypeRule>& rules = options.quantize.*Rules;
  rules.insert(rules.end(), more.begin(), more.end());
}

void add_tensor_type(Options& options, const Option&, std::string_view value) {
  options.quantize.tensor_types.push_back(parse_tensor_rule(value));
}

void set_type(Options& options, const Option&, std::string_view value) {
  // Whether the mix has it is seen when the mix is known.
  if (find_file_type(value, Mix::ik_llama_cpp) == nullptr) {
    parse_file_type(value, Mix::llama_cpp);
  }
  options.type = value;
}

void set_threads(Options& options, const Option&, std::string_view value) {
  constexpr int kMost = 1024;
  try {
    options.quantize.threads = static_cast<int>(option_values::whole_number(value, 0, kMost));
  } catch (const Error&) {
    throw Error(ErrorCode::usage,
                fmt::format("'{}' is no number of threads from 1 to {}, or 0 for one a core",
                            printable(value), kMost));
  }
}

void add_pruned_layers(Options& options, const Option&, std::string_view value) {
  std::vector<std::uint32_t>& layers = options.quantize.edits.pruned_layers;
  const std::vector<std::uint32_t> more = parse_layers(value);
  std::set<std::uint32_t> all(layers.begin(), layers.end());
  all.insert(more.begin(), more.end());
  layers.assign(all.begin(), all.end());
}

void set_split_size(Options& options, const Option&, std::string_view value) {
  // As in gguf-split: a bare number would be a limit of a few bytes.
  const bool bare = !value.empty() && value.back() >= '0' && value.back() <= '9';
  const std::uint64_t bytes = option_values::size(value, 1000);
  if (bare || bytes == 0) {
    throw Error(ErrorCode::usage, "needs a number of 1 or more and a unit, as 40G or 500M");
  }
  options.quantize.split.max_bytes = bytes;
}

constexpr unsigned kConversion = kForQuantize | kForPlan;
constexpr unsigned kReading = kForVerify | kForCompare;

constexpr Option in_llama_cpp(Option option) {
  option.llama_cpp = option.name;
  return option;
}

constexpr Option in_ik_llama_cpp(Option option) {
  option.ik_llama_cpp = option.name;
  return option;
}

constexpr Option in_both(Option option) {
  return in_llama_cpp(in_ik_llama_cpp(option));
}

constexpr Option tensor_type(std::string_view name, std::string_view help) {
  return {.name = name,
          .kind = Kind::tensor_type,
          .value = "TYPE",
          .help = help,
          .topic = Topic::types,
          .commands = kConversion};
}

constexpr Option rules(Option option) {
  option.kind = option.value == "FILE" ? Kind::file : Kind::text;
  option.commands = kConversion;
  option.repeats = true;
  return option;
}

constexpr Option flag(std::string_view name, Topic topic, std::string_view help,
                      unsigned commands = kConversion) {
  return {.name = name, .help = help, .topic = topic, .commands = commands};
}

constexpr Option place(Option option) {
  option.topic = Topic::arguments;
  return option;
}

constexpr Row kRows[] = {
    {place({.name = "input",
            .kind = Kind::file,
            .value = "FILE",
            .help = "16-bit GGUF file, or any part of a split one",
            .commands = kConversion,
            .position = "model",
            .required = true}),
     into<&Q::input>},
    {place({.name = "output",
            .kind = Kind::file,
            .value = "FILE",
            .help = "GGUF file to make (default: ggml-model-TYPE.gguf beside the model)",
            .commands = kConversion,
            .position = "output"}),
     into<&Q::output>},
    {place({.name = "type",
            .kind = Kind::file_type,
            .value = "TYPE",
            .help = "What to make of it, by name or number",
            .commands = kConversion,
            .position = "type"}),
     set_type},
    {place({.name = "threads",
            .kind = Kind::number,
            .value = "N",
            .default_value = "0",
            .help = "Compute threads; 0: one a core",
            .commands = kConversion,
            .position = "nthreads"}),
     set_threads},
    {place({.name = "output",
            .kind = Kind::file,
            .value = "FILE",
            .help = "GGUF file to check, or any part of a split one",
            .commands = kForVerify,
            .position = "output",
            .required = true}),
     into<&Q::output>},
    {place({.name = "a",
            .kind = Kind::file,
            .value = "FILE",
            .help = "GGUF file that errors are relative to: the better one",
            .commands = kForCompare,
            .position = "a",
            .required = true}),
     into_text<&Options::a>},
    {place({.name = "b",
            .kind = Kind::file,
            .value = "FILE",
            .help = "GGUF file to compare with it",
            .commands = kForCompare,
            .position = "b",
            .required = true}),
     into_text<&Options::b>},

    {{.name = "mix",
      .kind = Kind::choice,
      .value = "llama.cpp|ik_llama.cpp",
      .default_value = "llama.cpp",
      .help = "Whose rules choose the tensors' types",
      .topic = Topic::types,
      .commands = kConversion},
     into<&Q::mix>},
    {in_both(flag("pure", Topic::types, "One type for all tensors")), into<&Q::pure>},
    {in_both(flag("allow-requantize", Topic::types, "Accept a source that is already quantized")),
     into<&Q::allow_requantize>},
    {in_both(flag("leave-output-tensor", Topic::types, "Keep output.weight as it is")),
     into<&Q::leave_output>},
    {in_both(tensor_type("output-tensor-type", "Type of output.weight")), into<&Q::output_tensor>},
    {in_both(tensor_type("token-embedding-type", "Type of token_embd.weight")),
     into<&Q::token_embedding>},
    {in_ik_llama_cpp(
         tensor_type("per-layer-token-embedding-type", "Type of per_layer_token_embd.weight")),
     into<&Q::per_layer_token_embedding>},
    {in_ik_llama_cpp(
         tensor_type("ffn-gate-inp-type", "Type of the routers ffn_gate_inp, else kept")),
     into<&Q::ffn_gate_inp>},
    {in_ik_llama_cpp(tensor_type("attn-q-type", "Type of attn_q")),
     into<&Q::kinds, &KindTypes::attn_q>},
    {in_ik_llama_cpp(tensor_type("attn-k-type", "Type of attn_k")),
     into<&Q::kinds, &KindTypes::attn_k>},
    {in_ik_llama_cpp(tensor_type("attn-v-type", "Type of attn_v")),
     into<&Q::kinds, &KindTypes::attn_v>},
    {in_ik_llama_cpp(tensor_type("attn-qkv-type", "Type of attn_qkv")),
     into<&Q::kinds, &KindTypes::attn_qkv>},
    {in_ik_llama_cpp(tensor_type("attn-output-type", "Type of attn_output")),
     into<&Q::kinds, &KindTypes::attn_output>},
    {in_ik_llama_cpp(tensor_type("ffn-gate-type", "Type of ffn_gate")),
     into<&Q::kinds, &KindTypes::ffn_gate>},
    {in_ik_llama_cpp(tensor_type("ffn-down-type", "Type of ffn_down")),
     into<&Q::kinds, &KindTypes::ffn_down>},
    {in_ik_llama_cpp(tensor_type("ffn-up-type", "Type of ffn_up")),
     into<&Q::kinds, &KindTypes::ffn_up>},
    {in_llama_cpp(rules({.name = "tensor-type",
                         .value = "NAME=TYPE",
                         .help = "Type of the tensors whose names match the regular expression "
                                 "NAME; of several that match the last counts",
                         .topic = Topic::types})),
     add_tensor_type},
    {in_llama_cpp(rules({.name = "tensor-type-file",
                         .value = "FILE",
                         .help = "File of NAME=TYPE, separated by white space",
                         .topic = Topic::types})),
     add_rules<&RecipeOptions::tensor_types, read_tensor_rules>},
    {in_ik_llama_cpp(rules({.name = "custom-q",
                            .value = "REGEX=TYPE,...",
                            .help = "REGEX=TYPE,REGEX=TYPE,...: the same, of which the first that "
                                    "matches counts",
                            .topic = Topic::types})),
     add_rules<&RecipeOptions::custom_types, parse_custom_rules>},
    {in_ik_llama_cpp(flag("partial-requant", Topic::types,
                          "Do nothing, and write no report, if the output is there already")),
     into<&Q::skip_existing>},

    {in_both({.name = "imatrix",
              .kind = Kind::file,
              .value = "FILE",
              .help = "Importance matrix, as .dat or .gguf; very-low-bit types need one",
              .topic = Topic::importance,
              .commands = kConversion}),
     into<&Q::imatrix>},
    {{.name = "imatrix",
      .kind = Kind::file,
      .value = "FILE",
      .help = "The importance matrix it was made with, which says what errors are right",
      .topic = Topic::importance,
      .commands = kForVerify},
     into<&Q::imatrix>},
    {in_both(rules({.name = "include-weights",
                    .value = "NAME",
                    .help = "Use importance only for tensors named like this",
                    .topic = Topic::importance})),
     into<&Q::use, &ImatrixFilter::include>},
    {in_both(rules({.name = "exclude-weights",
                    .value = "NAME",
                    .help = "Use no importance for tensors named like this",
                    .topic = Topic::importance})),
     into<&Q::use, &ImatrixFilter::exclude>},
    {in_ik_llama_cpp(flag("hide-imatrix", Topic::importance,
                          "Keep the importance matrix's name and numbers out of the metadata")),
     into<&Q::hide_imatrix>},
    {in_ik_llama_cpp(flag("ignore-imatrix-rules", Topic::importance,
                          "Make very-low-bit tensors even without importance values")),
     into<&Q::ignore_imatrix_rules>},

    {{.name = "against",
      .kind = Kind::file,
      .value = "FILE",
      .help = "What it was made from: every block is compared",
      .topic = Topic::files,
      .commands = kForVerify},
     into_text<&Options::against>},
    {in_both(rules({.name = "override-kv",
                    .value = "KEY=TYPE:VALUE",
                    .help = "Metadata of the output; TYPE is int, float, bool or str",
                    .topic = Topic::files})),
     [](Options& o, const Option&, std::string_view value) {
       o.quantize.edits.metadata.push_back(parse_metadata_override(value));
     }},
    {in_llama_cpp(rules({.name = "prune-layers",
                         .value = "N,...",
                         .help = "Layers to leave out, by their numbers",
                         .topic = Topic::files})),
     add_pruned_layers},
    {{.name = "split-max-size",
      .kind = Kind::size,
      .value = "SIZE",
      .help = "Write several files with at most so much tensor data each, as 40G or 500M (1G is "
              "1000M)",
      .topic = Topic::files,
      .commands = kConversion},
     set_split_size},
    {{.name = "split-max-tensors",
      .kind = Kind::number,
      .value = "N",
      .help = "Write several files with at most so many tensors each",
      .topic = Topic::files,
      .commands = kConversion},
     [](Options& o, const Option&, std::string_view value) {
       o.quantize.split.max_tensors =
           option_values::whole_number(value, 1, std::numeric_limits<std::int32_t>::max());
     }},
    {in_both(flag("keep-split", Topic::files,
                  "Write the files that the input has: NAME-00001-of-0000N")),
     into<&Q::split, &SplitOptions::keep>},

    {{.name = "threads",
      .kind = Kind::number,
      .value = "N",
      .default_value = "0",
      .help = "Threads; 0: one a core",
      .topic = Topic::speed,
      .commands = kReading},
     set_threads},
    {{.name = "memory",
      .kind = Kind::size,
      .value = "SIZE",
      .default_value = "512M",
      .help = "Byte budget for input, scratch and output together, as 128M or 2G",
      .topic = Topic::speed,
      .commands = kConversion | kReading,
      .llama_cpp = "max-buffer-size"},
     [](Options& o, const Option&, std::string_view value) {
       o.quantize.memory = option_values::size(value, 1024);
     }},
    {{.name = "io",
      .kind = Kind::choice,
      .value = "auto|mmap|async|read",
      .default_value = "auto",
      .help = "How to read: auto, mmap, async (io_uring) or read",
      .topic = Topic::speed,
      .commands = kConversion | kReading},
     into<&Q::io>},
    {{.name = "spindle",
      .kind = Kind::choice,
      .value = "auto|shared|separate",
      .default_value = "auto",
      .help = "Whether the files share a hard disk: auto, shared (they take turns) or separate",
      .topic = Topic::speed,
      .commands = kConversion | kReading},
     into<&Q::spindle>},
    {{.name = "effort",
      .kind = Kind::choice,
      .value = "fast|best",
      .default_value = "best",
      .help = "How hard to search for small errors: fast or best",
      .topic = Topic::speed,
      .commands = kConversion},
     into<&Q::effort>},
    {{.name = "isa",
      .kind = Kind::choice,
      .value = "auto|avx512|avx2|portable",
      .default_value = "auto",
      .help = "Instruction set of the kernels: auto, avx512, avx2 or portable; what comes out is "
              "the same",
      .topic = Topic::speed,
      .commands = kConversion | kReading,
      .environment = "SLUICE_ISA"},
     into<&Q::isa>},

    {{.name = "checkpoint",
      .kind = Kind::number,
      .value = "SECONDS",
      .default_value = "4",
      .help = "Seconds of work that may have to be done again after a crash",
      .topic = Topic::safety,
      .commands = kForQuantize},
     [](Options& o, const Option&, std::string_view value) {
       o.quantize.checkpoint_s = option_values::number(value, 0, 3600);
     }},
    {flag("restart", Topic::safety,
          "Begin anew even if an earlier run left something to go on with", kForQuantize),
     into<&Q::restart>},
    {flag("verify-resume", Topic::safety, "Check what an earlier run has made before going on",
          kForQuantize),
     into<&Q::verify_resume>},
    {flag("verify", Topic::safety, "Check each chunk against its source before it is written",
          kForQuantize),
     into<&Q::verify>},

    {{.name = "trace",
      .kind = Kind::file,
      .value = "FILE",
      .help = "Write what happened when, as a Chrome trace, to this file",
      .topic = Topic::output,
      .commands = kForQuantize | kReading},
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
  constexpr std::string_view kNames[] = {"Arguments",
                                         "Which types",
                                         "Importance matrix",
                                         "Files and metadata",
                                         "Memory, disks and speed",
                                         "Checks and resuming",
                                         "Options",
                                         "Output and logs"};
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
  QuantizeOptions options = quantize;
  // A type set by C++ code stays.
  if (!type.empty()) options.file_type = &parse_file_type(type, options.mix);
  if (options.file_type == nullptr) {
    throw Error(ErrorCode::usage, "no type is given", {.cure = "Name one, as IQ1_M"});
  }
  return options;
}

VerifyOptions Options::for_verify() const {
  VerifyOptions options;
  static_cast<StreamingOptions&>(options) = quantize;
  options.output = quantize.output;
  options.against = against;
  options.imatrix = quantize.imatrix;
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
