// Real vocabularies, from npm packages: FOLDER has tokenizer.json and its like.
//
// vocabularies compare FOLDER ARCHITECTURE LISTING
//   with the metadata that llama.cpp's converter made of them
// vocabularies write FOLDER ARCHITECTURE VOCAB_SIZE OUT [flat]
//   as a GGUF file without tensors; flat: with one score for all tokens, as that converter has it

#include <cstdio>
#include <string>
#include <vector>

#include "tokenizer/checkpoint_files.h"

namespace {

using namespace sluice;
using namespace sluice::tokenizer;

int compare(CheckpointFiles files, const std::string& file) {
  const auto listing = nlohmann::json::parse(read_text(file));
  files.texts["config.json"] = listing["config"].dump();
  files.model.vocab_size = listing["config"]["vocab_size"];
  const std::string found = differences(files.read(), listing, {"tokenizer.ggml.scores"});
  std::fputs(found.c_str(), stderr);
  return found.empty() ? 0 : 1;
}

int write(CheckpointFiles files, const std::string& vocab_size, const std::string& out, bool flat) {
  files.model.vocab_size = std::stoull(vocab_size);
  Tokenizer tokenizer = files.read();
  gguf::Header header;
  header.metadata = std::move(tokenizer.metadata);
  header.set("general.architecture", gguf::Value::of("llama"));
  if (flat) {
    const std::vector<float> scores(tokenizer.tokens, -1000.0f);
    header.set("tokenizer.ggml.scores", gguf::Value::of_floats(scores));
  }
  const std::vector<std::byte> bytes = gguf::serialize_header(header);
  std::ofstream file(out, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
  return file.flush() ? 0 : 1;
}

}  // namespace

int main(int count, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + count);
  if (words.size() < 4) return 2;
  CheckpointFiles files = CheckpointFiles::of_folder(words[1]);
  files.model.architecture = words[2];
  if (words[0] == "compare") return compare(files, words[3]);
  return words.size() < 5 ? 2 : write(files, words[3], words[4], words.size() > 5);
}
