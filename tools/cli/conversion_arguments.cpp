#include "conversion_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "command_facts.h"
#include "sluice/error.h"
#include "sluice/recipe_text.h"
#include "validators.h"

namespace sluice::cli {
namespace {

/// An option that gives a single tensor, or a kind of tensors, a type.
struct NamedType {
  const char* option;
  const char* help;
  std::optional<TensorType>& (*of)(RecipeOptions&);
};

using Types = std::optional<TensorType>;

constexpr std::array kNamedTypes = {
    NamedType{"--output-tensor-type", "Type of output.weight",
              [](RecipeOptions& o) -> Types& { return o.output_tensor; }},
    NamedType{"--token-embedding-type", "Type of token_embd.weight",
              [](RecipeOptions& o) -> Types& { return o.token_embedding; }},
    NamedType{"--per-layer-token-embedding-type", "Type of per_layer_token_embd.weight",
              [](RecipeOptions& o) -> Types& { return o.per_layer_token_embedding; }},
    NamedType{"--ffn-gate-inp-type", "Type of the routers ffn_gate_inp, else kept",
              [](RecipeOptions& o) -> Types& { return o.ffn_gate_inp; }},
    NamedType{"--attn-q-type", "Type of attn_q",
              [](RecipeOptions& o) -> Types& { return o.kinds.attn_q; }},
    NamedType{"--attn-k-type", "Type of attn_k",
              [](RecipeOptions& o) -> Types& { return o.kinds.attn_k; }},
    NamedType{"--attn-v-type", "Type of attn_v",
              [](RecipeOptions& o) -> Types& { return o.kinds.attn_v; }},
    NamedType{"--attn-qkv-type", "Type of attn_qkv",
              [](RecipeOptions& o) -> Types& { return o.kinds.attn_qkv; }},
    NamedType{"--attn-output-type", "Type of attn_output",
              [](RecipeOptions& o) -> Types& { return o.kinds.attn_output; }},
    NamedType{"--ffn-gate-type", "Type of ffn_gate",
              [](RecipeOptions& o) -> Types& { return o.kinds.ffn_gate; }},
    NamedType{"--ffn-down-type", "Type of ffn_down",
              [](RecipeOptions& o) -> Types& { return o.kinds.ffn_down; }},
    NamedType{"--ffn-up-type", "Type of ffn_up",
              [](RecipeOptions& o) -> Types& { return o.kinds.ffn_up; }},
};

/// An option of a peer that sluice does not have, and what to do instead.
struct Refused {
  const char* option;
  bool has_value;
  const char* instead;
};

constexpr std::array kRefused = {
    Refused{"--repack", false,
            "sluice does not interleave rows. ik_llama.cpp does when it loads the model with -rtr, "
            "and its llama-quantize --repack works on what sluice makes"},
    Refused{"--repack-pattern", true,
            "sluice does not interleave rows. ik_llama.cpp's llama-quantize --repack "
            "--repack-pattern works on what sluice makes"},
    Refused{"--extra-output-tensor", true,
            "sluice adds no second output tensor. Choose the one type with --output-tensor-type"},
    Refused{"--symmetric-q40", false,
            "sluice has one way of making Q4_0, with the whole range. Leave the option out"},
    Refused{"--slow-iq2ks", false, "sluice does not make IQ2_KS. Choose another type, as IQ2_K"},
};

// What the library says is wrong with an argument, as a complaint about it.
template <typename Parse>
auto parsed(const std::string& option, const Parse& parse) {
  try {
    return parse();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::usage) throw;  // a file that cannot be read
    throw CLI::ValidationError(option, error.what());
  }
}

std::string type_names() {
  std::string names;
  for (const FileType& type : offered_file_types()) {
    names += (names.empty() ? "" : " ") + std::string(type.name);
  }
  return names;
}

// llama-quantize's: beside the input, named after the type.
std::string default_output(const std::string& input, const FileType& type) {
  const std::size_t slash = input.find_last_of('/');
  const std::string folder = slash == input.npos ? "" : input.substr(0, slash + 1);
  return fmt::format("{}ggml-model-{}.gguf", folder, type.name);
}

// As in gguf-split: a bare number would be a limit of a few bytes.
std::string require_unit(const std::string& size) {
  const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  return !size.empty() && digit(size.front()) && !digit(size.back())
             ? ""
             : "needs a number and a unit, as 40G or 500M";
}

// A script's empty variable must not make a model without importance.
std::string require_name(const std::string& file) {
  return file.empty() ? "names no file" : "";
}

void add_split_arguments(CLI::App& command, SplitOptions& split) {
  CLI::Option* size =
      command
          .add_option("--split-max-size", split.max_bytes,
                      "Write several files with at most so much tensor data each, as 40G or 500M "
                      "(1G is 1000M)")
          ->transform(CLI::AsSizeValue(true))
          ->transform(CLI::Validator(require_unit, ""))
          ->check(CLI::Range(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()));
  CLI::Option* tensors = command
                             .add_option("--split-max-tensors", split.max_tensors,
                                         "Write several files with at most so many tensors each")
                             ->check(CLI::Range(1, std::numeric_limits<std::int32_t>::max()));
  CLI::Option* keep = command.add_flag("--keep-split", split.keep,
                                       "Write the files that the input has: NAME-00001-of-0000N");
  size->excludes(tensors)->excludes(keep);
  tensors->excludes(keep);
}

}  // namespace

void ConversionArguments::add_to(CLI::App& command, QuantizeOptions& options) {
  command.add_option("model", options.input, "16-bit GGUF file, or any part of a split one")
      ->required();
  command.add_option("output", positions_[0],
                     "GGUF file to make (default: ggml-model-TYPE.gguf beside the model)");
  command.add_option("type", positions_[1],
                     "What to make of it, by name or number: " + type_names());
  command.add_option("nthreads", positions_[2], "Compute threads (default: one a core)");
  add_type_arguments(command, options);
  add_matrix_arguments(command, options);
  add_split_arguments(command, options.split);
  add_run_arguments(command, options);
  add_refused_arguments(command);
}

void ConversionArguments::add_type_arguments(CLI::App& command, QuantizeOptions& options) {
  command.add_option("--mix", mix_, "Whose rules choose the tensors' types")
      ->check(CLI::IsMember({"llama.cpp", "ik_llama.cpp"}))
      ->capture_default_str();
  command.add_flag("--pure", options.pure, "One type for all tensors");
  command.add_flag("--allow-requantize", options.allow_requantize,
                   "Accept a source that is already quantized");
  command.add_flag("--leave-output-tensor", options.leave_output, "Keep output.weight as it is");
  named_types_.resize(kNamedTypes.size());
  for (std::size_t i = 0; i < kNamedTypes.size(); ++i) {
    command.add_option(kNamedTypes[i].option, named_types_[i], kNamedTypes[i].help);
  }
  command
      .add_option("--tensor-type", tensor_types_,
                  "NAME=TYPE: type of the tensors whose names match the regular expression NAME; "
                  "of several that match the last counts")
      ->allow_extra_args(false);
  command
      .add_option("--tensor-type-file", tensor_type_files_,
                  "File of NAME=TYPE, separated by white space")
      ->allow_extra_args(false);
  command
      .add_option("--custom-q", custom_types_,
                  "REGEX=TYPE,REGEX=TYPE,...: the same, of which the first that matches counts")
      ->allow_extra_args(false);
  command
      .add_option("--override-kv", metadata_,
                  "KEY=TYPE:VALUE: metadata of the output; TYPE is int, float, bool or str")
      ->allow_extra_args(false);
  command
      .add_option("--prune-layers", pruned_layers_,
                  "L0,L1,...: layers to leave out; may be given again")
      ->allow_extra_args(false);
}

void ConversionArguments::add_matrix_arguments(CLI::App& command, QuantizeOptions& options) {
  command
      .add_option("--imatrix", options.imatrix,
                  "Importance matrix, as .dat or .gguf; very-low-bit types need one")
      ->check(CLI::Validator(require_name, ""));
  CLI::Option* include = command
                             .add_option("--include-weights", options.use.include,
                                         "Use importance only for tensors named like this")
                             ->allow_extra_args(false);
  command
      .add_option("--exclude-weights", options.use.exclude,
                  "Use no importance for tensors named like this")
      ->allow_extra_args(false)
      ->excludes(include);
  command.add_flag("--hide-imatrix", options.hide_imatrix,
                   "Keep the importance matrix's name and numbers out of the metadata");
  command.add_flag("--ignore-imatrix-rules", options.ignore_imatrix_rules,
                   "Make very-low-bit tensors even without importance values");
}

void ConversionArguments::add_run_arguments(CLI::App& command, QuantizeOptions& options) {
  command.add_flag("--dry-run", dry_run_, "Show what would be done, without doing it");
  command.add_flag("--partial-requant", options.skip_existing,
                   "Do nothing, and write no report, if the output is there already");
  command
      .add_option("--memory,--max-buffer-size", options.memory,
                  "Byte budget for input, scratch and output together, as 128M or 2G (default: "
                  "512M)")
      ->transform(CLI::AsSizeValue(false))
      ->transform(begins_with_digit());
  command.add_option("--io", io_, "How to read: auto, mmap, async (io_uring) or read")
      ->check(CLI::IsMember({"auto", "mmap", "async", "read"}))
      ->capture_default_str();
  command
      .add_option("--spindle", spindle_,
                  "Whether input and output share a hard disk: auto, shared (reads and writes take "
                  "turns) or separate")
      ->check(CLI::IsMember({"auto", "shared", "separate"}))
      ->capture_default_str();
  command.add_option("--effort", effort_, "How hard to search for small errors: fast or best")
      ->check(CLI::IsMember({"fast", "best"}))
      ->capture_default_str();
  command
      .add_option(
          "--isa", isa_,
          "Instruction set of the kernels: auto, avx512, avx2 or portable; the output is the "
          "same")
      ->envname("SLUICE_ISA")
      ->check(CLI::IsMember({"auto", "avx512", "avx2", "portable"}))
      ->capture_default_str();
}

void ConversionArguments::add_refused_arguments(CLI::App& command) {
  for (const Refused& refused : kRefused) {
    const auto refuse = [&refused] { throw CLI::ValidationError(refused.option, refused.instead); };
    CLI::Option* option = refused.has_value
                              ? command.add_option_function<std::string>(
                                    refused.option, [refuse](const std::string&) { refuse(); })
                              : command.add_flag_callback(refused.option, refuse);
    option->group("");  // in no help text
  }
}

void ConversionArguments::resolve(const CLI::App& command, QuantizeOptions& options) const {
  options.mix = mix_ == "llama.cpp" ? Mix::llama_cpp : Mix::ik_llama_cpp;
  resolve_positions(options);
  resolve_types(command, options);
  for (const std::string& text : metadata_) {
    options.edits.metadata.push_back(
        parsed("--override-kv", [&] { return parse_metadata_override(text); }));
  }
  for (const std::string& text : pruned_layers_) {
    const auto layers = parsed("--prune-layers", [&] { return parse_layers(text); });
    std::set<std::uint32_t> all(layers.begin(), layers.end());
    all.insert(options.edits.pruned_layers.begin(), options.edits.pruned_layers.end());
    options.edits.pruned_layers.assign(all.begin(), all.end());
  }
  resolve_run(options);
}

// As llama-quantize: what stands behind the model is a type, or the output and then a type.
void ConversionArguments::resolve_positions(QuantizeOptions& options) const {
  const bool type_first = find_file_type(positions_[0], options.mix) != nullptr;
  const std::string& type = positions_[type_first ? 0 : 1];
  const std::string& threads = positions_[type_first ? 1 : 2];
  if (type.empty()) {
    // What looks like no file was meant as a type, of which there is more to say.
    const std::string& only = positions_[0];
    if (!only.empty() && only.find_first_of("./") == only.npos) {
      parsed("type", [&] { return &parse_file_type(only, options.mix); });
    }
    throw CLI::ValidationError("type", "no type is given. Known: " + type_names());
  }
  options.file_type = parsed("type", [&] { return &parse_file_type(type, options.mix); });
  if (type_first && !positions_[2].empty()) {
    throw CLI::ValidationError(
        "type", fmt::format("'{}' is a type, so that '{}' has no meaning. To name an output like "
                            "this, put ./ before it",
                            positions_[0], positions_[2]));
  }
  options.output = type_first ? default_output(options.input, *options.file_type) : positions_[0];
  if (threads.empty()) return;
  constexpr int kMost = 1024;
  const char* const end = threads.data() + threads.size();
  const auto [stop, error] = std::from_chars(threads.data(), end, options.threads);
  if (error != std::errc() || stop != end || options.threads < 0 || options.threads > kMost) {
    throw CLI::ValidationError(
        "nthreads", fmt::format("'{}' is no number of threads from 1 to {}, or 0 for one a core",
                                threads, kMost));
  }
}

void ConversionArguments::resolve_types(const CLI::App& command, QuantizeOptions& options) const {
  for (std::size_t i = 0; i < kNamedTypes.size(); ++i) {
    const char* const option = kNamedTypes[i].option;
    if (command.count(option) == 0) continue;
    kNamedTypes[i].of(options) = parsed(option, [&] { return parse_tensor_type(named_types_[i]); });
  }
  // In the order of the command line, as the last rule that matches counts.
  std::size_t rules = 0;
  std::size_t files = 0;
  for (const CLI::Option* option : command.parse_order()) {
    if (option == command.get_option("--tensor-type")) {
      options.tensor_types.push_back(
          parsed("--tensor-type", [&] { return parse_tensor_rule(tensor_types_.at(rules++)); }));
    } else if (option == command.get_option("--tensor-type-file")) {
      const auto read = parsed("--tensor-type-file",
                               [&] { return read_tensor_rules(tensor_type_files_.at(files++)); });
      options.tensor_types.insert(options.tensor_types.end(), read.begin(), read.end());
    }
  }
  for (const std::string& text : custom_types_) {
    const auto read = parsed("--custom-q", [&] { return parse_custom_rules(text); });
    options.custom_types.insert(options.custom_types.end(), read.begin(), read.end());
  }
}

void ConversionArguments::resolve_run(QuantizeOptions& options) const {
  static const std::map<std::string, IoMode> kModes = {{"auto", IoMode::automatic},
                                                       {"mmap", IoMode::mmap},
                                                       {"async", IoMode::async},
                                                       {"read", IoMode::plain}};
  options.io = kModes.at(io_);
  static const std::map<std::string, Spindle> kSpindles = {
      {"auto", Spindle::automatic}, {"shared", Spindle::shared}, {"separate", Spindle::separate}};
  options.spindle = kSpindles.at(spindle_);
  options.effort = effort_ == "fast" ? Effort::fast : Effort::best;
  if (isa_ == "auto") return;
  const std::vector<Isa> isas = supported_isas();
  const auto isa = std::ranges::find_if(isas, [&](Isa each) { return name(each) == isa_; });
  if (isa == isas.end()) throw CLI::ValidationError("--isa", "this machine has no " + isa_);
  options.isa = *isa;
}

}  // namespace sluice::cli
