#include "option_topics.h"

#include <algorithm>
#include <array>

namespace sluice::cli {
namespace {

constexpr std::string_view kArguments = "Arguments";
constexpr std::string_view kTypes = "Which types";
constexpr std::string_view kImportance = "Importance matrix";
constexpr std::string_view kFiles = "Files and metadata";
constexpr std::string_view kMemory = "Memory, disks and speed";
constexpr std::string_view kSafety = "Checks and resuming";
constexpr std::string_view kOutput = "Output and logs";

constexpr std::array kOrder = {kArguments, kTypes, kImportance, kFiles, kMemory, kSafety, kOutput};

constexpr std::array kOptions = {
    OptionTopic{"model", kArguments, "FILE"},
    OptionTopic{"input", kArguments, "FILE"},
    OptionTopic{"output", kArguments, "FILE"},
    OptionTopic{"file", kArguments, "FILE"},
    OptionTopic{"a", kArguments, "FILE"},
    OptionTopic{"b", kArguments, "FILE"},
    OptionTopic{"reports", kArguments, "FILE"},
    OptionTopic{"type", kArguments, "TYPE"},
    OptionTopic{"folder", kArguments, "FOLDER"},

    OptionTopic{"--mix", kTypes, ""},
    OptionTopic{"--pure", kTypes, ""},
    OptionTopic{"--allow-requantize", kTypes, ""},
    OptionTopic{"--leave-output-tensor", kTypes, ""},
    OptionTopic{"--output-tensor-type", kTypes, "TYPE"},
    OptionTopic{"--token-embedding-type", kTypes, "TYPE"},
    OptionTopic{"--per-layer-token-embedding-type", kTypes, "TYPE"},
    OptionTopic{"--tensor-type", kTypes, "NAME=TYPE"},
    OptionTopic{"--tensor-type-file", kTypes, "FILE"},
    OptionTopic{"--custom-q", kTypes, "REGEX=TYPE,..."},
    OptionTopic{"--ffn-gate-inp-type", kTypes, "TYPE"},
    OptionTopic{"--attn-q-type", kTypes, "TYPE"},
    OptionTopic{"--attn-k-type", kTypes, "TYPE"},
    OptionTopic{"--attn-v-type", kTypes, "TYPE"},
    OptionTopic{"--attn-qkv-type", kTypes, "TYPE"},
    OptionTopic{"--attn-output-type", kTypes, "TYPE"},
    OptionTopic{"--ffn-gate-type", kTypes, "TYPE"},
    OptionTopic{"--ffn-down-type", kTypes, "TYPE"},
    OptionTopic{"--ffn-up-type", kTypes, "TYPE"},
    OptionTopic{"--partial-requant", kTypes, ""},

    OptionTopic{"--imatrix", kImportance, "FILE"},
    OptionTopic{"--ignore-imatrix-rules", kImportance, ""},
    OptionTopic{"--hide-imatrix", kImportance, ""},
    OptionTopic{"--include-weights", kImportance, "NAME"},
    OptionTopic{"--exclude-weights", kImportance, "NAME"},

    OptionTopic{"--against", kFiles, "FILE"},
    OptionTopic{"--keep-split", kFiles, ""},
    OptionTopic{"--split-max-size", kFiles, "SIZE"},
    OptionTopic{"--split-max-tensors", kFiles, "N"},
    OptionTopic{"--override-kv", kFiles, "KEY=TYPE:VALUE"},
    OptionTopic{"--prune-layers", kFiles, "N,..."},

    OptionTopic{"nthreads", kArguments, "N"},
    OptionTopic{"--threads", kMemory, "N"},
    OptionTopic{"--memory", kMemory, "SIZE"},
    OptionTopic{"--max-buffer-size", kMemory, "SIZE"},
    OptionTopic{"--io", kMemory, ""},
    OptionTopic{"--spindle", kMemory, ""},
    OptionTopic{"--effort", kMemory, ""},
    OptionTopic{"--isa", kMemory, ""},

    OptionTopic{"--dry-run", kSafety, ""},
    OptionTopic{"--verify", kSafety, ""},
    OptionTopic{"--checkpoint", kSafety, "SECONDS"},
    OptionTopic{"--restart", kSafety, ""},
    OptionTopic{"--verify-resume", kSafety, ""},

    OptionTopic{"--type", "Options", "TYPE"},

    OptionTopic{"--json", kOutput, ""},
    OptionTopic{"--output", kOutput, "FILE"},
    OptionTopic{"--html", kOutput, "FILE"},
    OptionTopic{"--report", kOutput, "FILE"},
    OptionTopic{"--trace", kOutput, "FILE"},
    OptionTopic{"--quiet", kOutput, ""},
    OptionTopic{"--log-file", kOutput, "FILE"},
    OptionTopic{"--help", kOutput, ""},
    OptionTopic{"--version", kOutput, ""},
};

}  // namespace

const OptionTopic* find_option_topic(std::string_view option) {
  const auto found = std::find_if(kOptions.begin(), kOptions.end(),
                                  [&](const OptionTopic& o) { return o.option == option; });
  return found == kOptions.end() ? nullptr : found;
}

std::span<const std::string_view> topic_order() {
  return kOrder;
}

}  // namespace sluice::cli
