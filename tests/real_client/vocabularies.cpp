// Real vocabularies, from npm packages: FOLDER has tokenizer.json and its like.
//
// vocabularies compare FOLDER ARCHITECTURE LISTING
//   with the metadata that llama.cpp's converter made of them
// vocabularies write FOLDER ARCHITECTURE VOCAB_SIZE OUT [flat | PRE]
//   as a GGUF file without tensors; flat: with one score for all tokens, as that converter has it;
//   PRE: with that pre-tokenizer
// vocabularies encode MODEL TEXTS
//   the tokens of texts, a list in JSON, as another, with what control tokens are read as such

#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tokenizer/checkpoint_files.h"
#include "tokenizer/encoder.h"

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

int write(CheckpointFiles files, const std::string& vocab_size, const std::string& out,
          const std::string& change) {
  files.model.vocab_size = std::stoull(vocab_size);
  const bool flat = change == "flat";
  if (!flat) files.pre = change;
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

int encode(const std::string& model, const std::string& file) {
  const std::string bytes = read_text(model);
  const auto header =
      gguf::parse_header(std::as_bytes(std::span(bytes.data(), bytes.size())), bytes.size(), model);
  const std::unique_ptr<Encoder> encoder = Encoder::of(header.value(), model);
  auto tokens = nlohmann::json::array();
  for (const std::string text : nlohmann::json::parse(read_text(file))) {
    tokens.push_back(encoder->encode(text, false, true));
  }
  std::puts(tokens.dump().c_str());
  return 0;
}

}  // namespace

int main(int count, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + count);
  if (words.size() == 3 && words[0] == "encode") return encode(words[1], words[2]);
  if (words.size() < 4) return 2;
  CheckpointFiles files = CheckpointFiles::of_folder(words[1]);
  files.model.architecture = words[2];
  if (words[0] == "compare") return compare(files, words[3]);
  return words.size() < 5 ? 2 : write(files, words[3], words[4], words.size() > 5 ? words[5] : "");
}
