// Real vocabularies, from npm packages, against the metadata that llama.cpp's converter made of
// them: vocabularies FOLDER LISTING ARCHITECTURE. FOLDER has tokenizer.json and its like.

#include <cstdio>
#include <string>

#include "tokenizer/checkpoint_files.h"

using namespace sluice::tokenizer;

int main(int count, char** words) {
  if (count != 4) return 2;
  const auto listing = nlohmann::json::parse(read_text(words[2]));
  CheckpointFiles files = CheckpointFiles::of_folder(words[1]);
  files.texts["config.json"] = listing["config"].dump();
  files.model = {.architecture = words[3], .vocab_size = listing["config"]["vocab_size"]};
  const Tokenizer tokenizer = files.read();
  // The converter gives all tokens the same score where it has no SentencePiece model, which loses
  // the order of merges.
  const std::string found = differences(tokenizer, listing, {"tokenizer.ggml.scores"});
  std::fputs(found.c_str(), stderr);
  return found.empty() ? 0 : 1;
}
