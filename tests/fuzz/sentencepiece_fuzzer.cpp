// SentencePiece models of any bytes.
//
// Input: a byte for the family, two for the size of the vocabulary (0: the model's), then the model.

#include <cstdint>
#include <string_view>

#include "fuzz/input.h"
#include "fuzz/tokenizer_promises.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzzing;
  constexpr const char* kFamilies[] = {"llama", "gemma3", "phi3"};
  Input input(data, size);
  sluice::tokenizer::Model model{kFamilies[input.below(std::size(kFamilies))], {}};
  model.vocab_size = input.number<std::uint16_t>();
  const auto rest = input.rest();
  sluice::tokenizer::Files files{.folder = kFile, .texts = {}};
  files.texts["tokenizer.model"] = {reinterpret_cast<const char*>(rest.data()), rest.size()};
  files.texts["added_tokens.json"] = R"({"<|pad|>": 4, "hello": 5, "beyond": 70000})";
  files.texts["tokenizer_config.json"] =
      R"({"bos_token": "<s>", "added_tokens_decoder": {"0": {"content": "<unk>", "special": true}}})";
  try_tokenizer(files, model, {});
  return 0;
}
