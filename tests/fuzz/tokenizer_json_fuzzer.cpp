// The JSON files of a tokenizer, of any text, which stands for all of them at once: their keys are
// not the same.
//
// Input: a byte for the family, one for whether the pre-tokenizer is named, then the text.

#include <cstdint>
#include <string_view>

#include "fuzz/input.h"
#include "fuzz/tokenizer_promises.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzzing;
  constexpr const char* kFamilies[] = {"llama", "llama4", "glm4moe", "gemma3", "deepseek2"};
  Input input(data, size);
  const sluice::tokenizer::Model model{kFamilies[input.below(std::size(kFamilies))], {}};
  const std::string_view pre = input.below(2) == 0 ? "" : "gpt-2";
  const auto rest = input.rest();
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  sluice::tokenizer::Files files{.folder = kFile, .texts = {}};
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
    files.texts[name] = text;
  }
  try_tokenizer(files, model, pre);
  // The other formats, of which the first that is there counts.
  files.texts.erase("tokenizer.json");
  files.texts["tekken.json"] = text;
  try_tokenizer(files, model, pre);
  files.texts.erase("tekken.json");
  files.texts["tiktoken.model"] = text;
  files.texts.erase("config.json");
  files.texts.erase("tokenizer_config.json");
  try_tokenizer(files, model, pre);
  return 0;
}
