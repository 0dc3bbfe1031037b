#include "tokenizer/choices.h"

#include <algorithm>
#include <iterator>

namespace sluice::tokenizer {
namespace {

constexpr NamedToken kGlm[] = {
    {"bos", "[gMASK]"}, {"eot", "<|user|>"}, {"unk", "<|endoftext|>"}, {"eom", "<|observation|>"}};
constexpr NamedToken kDenseGlm[] = {{"eos", "<|endoftext|>"},
                                    {"eot", "<|user|>"},
                                    {"unk", "<|endoftext|>"},
                                    {"bos", "<|endoftext|>"}};

// Families that are not here (llama4, deepseek2, gpt-oss, …) have tokenizer.json or a list of ranks.
constexpr Choices kFamilies[] = {
    {.architecture = "llama", .sentencepiece_first = true, .llama_keys = true},
    {.architecture = "mistral3", .sentencepiece_first = true, .llama_keys = true},
    {.architecture = "ernie4_5", .sentencepiece_first = true, .llama_keys = true},
    {.architecture = "ernie4_5-moe", .sentencepiece_first = true, .llama_keys = true},
    {.architecture = "smollm3", .sentencepiece_first = true, .llama_keys = true},
    {.architecture = "deepseek", .sentencepiece_first = true},
    {.architecture = "qwen2", .sentencepiece_first = true},
    {.architecture = "qwen2moe", .sentencepiece_first = true},
    {.architecture = "qwen3", .sentencepiece_first = true},
    {.architecture = "qwen3moe", .sentencepiece_first = true},
    {.architecture = "qwen3next", .sentencepiece_first = true},
    {.architecture = "gemma2", .sentencepiece_first = true, .add_space_prefix = false},
    {.architecture = "gemma3", .sentencepiece_first = true, .add_space_prefix = false},
    {.architecture = "phi3", .sentencepiece_first = true, .phi3_added_tokens = true},
    {.architecture = "glm4", .special_tokens = kDenseGlm},
    {.architecture = "glm4moe", .special_tokens = kGlm},
};

constexpr Choices kOfMost = {};

}  // namespace

const Choices& choices_of(std::string_view architecture) {
  const auto* const found =
      std::find_if(std::begin(kFamilies), std::end(kFamilies),
                   [&](const Choices& choices) { return choices.architecture == architecture; });
  return found == std::end(kFamilies) ? kOfMost : *found;
}

}  // namespace sluice::tokenizer
