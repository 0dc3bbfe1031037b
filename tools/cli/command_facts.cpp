#include "command_facts.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <tuple>

#include "program_options.h"
#include "sluice/codec.h"
#include "sluice/tensor_type.h"

namespace sluice::cli {
namespace {

constexpr std::array kCommands = {
    std::tuple{kForProgram, "",
               "sluice makes very small GGUF models from 16-bit checkpoints that may be far larger "
               "than memory.",
               ""},
    std::tuple{kForQuantize, "quantize", "Quantize a model",
               "The arguments are llama-quantize's; as there, the word quantize may be left out."},
    std::tuple{kForPlan, "plan", "Show what quantize would do, without doing it", ""},
    std::tuple{kForVerify, "verify", "Check a model, alone or against its source", ""},
    std::tuple{kForInspect, "inspect", "Show what a GGUF file or a checkpoint holds", ""},
    std::tuple{kForCompare, "compare", "Measure how far one model is from another",
               "Exit status: 0 if both have the same tensors and all could be compared, however "
               "much they differ; 1 if not, or if a tensor's error is above --max-error."},
    std::tuple{kForImatrix, "imatrix", "Run a model on a text to see which weights matter",
               "The model may be far larger than memory. The file is in llama.cpp's format, for "
               "--imatrix here and there, or with --output-format dat in the older one, which "
               "ik_llama.cpp reads."},
    std::tuple{kForRecipe, "recipe",
               "Choose the best types for a size, as rules to look at and edit",
               "The rules are for --tensor-type-file, and with --mix ik_llama.cpp for --custom-q."},
    std::tuple{kForReport, "report", "Make a page of reports, or of a choice of types", ""},
    std::tuple{kForDemo, "demo", "Make a small model and quantize it to IQ1_M", ""},
    std::tuple{kForCompletion, "completion", "Print a script that completes commands in a shell",
               ""},
    std::tuple{kForHelp, "help", "Explain a command or a topic", ""},
};

bool can_encode(TensorType type) {
  const Codec* codec = find_codec(type);
  return codec != nullptr && codec->encode != nullptr;
}

std::vector<Option> options_of(unsigned command) {
  std::vector<Option> result;
  const auto add = [&](const Option& option) {
    if ((option.commands & command) != 0) result.push_back(option);
  };
  for (const ProgramOption& each : program_options()) add(each.option);
  for (const Option& each : options()) add(each);
  std::ranges::stable_sort(result, {}, &Option::topic);
  return result;
}

}  // namespace

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

const std::vector<CommandFacts>& command_facts() {
  static const std::vector<CommandFacts> kFacts = [] {
    std::vector<CommandFacts> facts;
    for (const auto& [bit, name, description, footer] : kCommands) {
      facts.push_back({bit, name, description, footer, options_of(bit)});
    }
    return facts;
  }();
  return kFacts;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& command : kCommands) {
    if (const std::string_view name = std::get<1>(command); !name.empty()) names.emplace_back(name);
  }
  return names;
}

const CommandFacts* find_command(std::string_view name) {
  const auto found = std::ranges::find(command_facts(), name, &CommandFacts::name);
  return found == command_facts().end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const Option& option) {
  std::vector<std::string> names;
  if (!option.position.empty()) return names;
  if (!option.letter.empty()) names.push_back("-" + std::string(option.letter));
  names.push_back("--" + std::string(option.name));
  for (const std::string_view peer : {option.llama_cpp, option.ik_llama_cpp}) {
    if (!peer.empty() && peer != option.name) names.push_back("--" + std::string(peer));
  }
  return names;
}

const Option* find_option(const CommandFacts& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const auto found = std::ranges::find_if(command.options, [&](const Option& option) {
    const std::vector<std::string> names = names_of(option);
    return std::ranges::find(names, name) != names.end();
  });
  return found == command.options.end() ? nullptr : &*found;
}

std::string value_of(const Option& option) {
  return option.position.empty() ? std::string(option.value) : upper(option.position);
}

std::vector<std::string> choices_of(const Option& option) {
  std::vector<std::string> choices;
  if (option.kind != OptionKind::choice) return choices;
  std::string_view left = option.value;
  while (!left.empty()) {
    const std::size_t bar = std::min(left.find('|'), left.size());
    choices.emplace_back(left.substr(0, bar));
    left.remove_prefix(std::min(bar + 1, left.size()));
  }
  return choices;
}

std::vector<FileType> offered_file_types() {
  std::vector<FileType> offered;
  std::ranges::copy_if(file_types(), std::back_inserter(offered),
                       [](const FileType& type) { return type.copy || can_encode(type.type); });
  return offered;
}

std::vector<std::string> file_type_names() {
  std::vector<std::string> names;
  for (const FileType& type : offered_file_types()) names.emplace_back(upper(type.name));
  return names;
}

std::vector<std::string> tensor_type_names() {
  std::vector<std::string> names;
  for (const TensorTypeInfo& type : tensor_types()) {
    if (can_encode(type.type)) names.push_back(upper(type.name));
  }
  return names;
}

}  // namespace sluice::cli
