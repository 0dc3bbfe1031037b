#include "api/calibration_tokens.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <span>
#include <vector>

#include "base/stop.h"
#include "io/file.h"
#include "sluice/amounts.h"
#include "sluice/error.h"
#include "tokenizer/encoder.h"
#include "tokenizer/token_ids.h"

namespace sluice {
namespace {

std::string read_text(const std::string& path, const std::atomic<bool>* stop) {
  constexpr std::size_t kPiece = std::size_t{16} << 20;
  const io::File file = io::File::open_input(path, stop);
  std::string text(file.size(), '\0');
  const auto bytes = std::as_writable_bytes(std::span(text));
  std::size_t done = 0;
  while (done < bytes.size()) {
    throw_if_stopped(stop);
    const std::size_t got =
        file.read_at(done, bytes.subspan(done, std::min(kPiece, bytes.size() - done)));
    if (got == 0) break;
    done += got;
  }
  text.resize(done);
  return text;
}

model::Tokens cut(std::vector<std::int32_t> ids, const CalibrationOptions& options) {
  const std::uint64_t length = options.context;
  std::uint64_t sequences = ids.size() / length;
  if (sequences == 0) {
    const std::string& file = options.texts.empty() ? options.tokens : options.texts.front();
    throw Error(ErrorCode::usage,
                fmt::format("too short: {} are fewer than a sequence has, {}",
                            counted(ids.size(), "token"), length),
                {.file = file,
                 .cure = "Give more text, or shorter sequences (--ctx-size, --calibrate-context)"});
  }
  if (options.chunks > 0) sequences = std::min(sequences, options.chunks);
  ids.resize(sequences * length);
  return {.ids = std::move(ids), .sequence_length = length};
}

model::Tokens tokens_of_texts(const CalibrationOptions& options, const gguf::Header& model,
                              const std::string& model_file, const std::atomic<bool>* stop) {
  const auto encoder = tokenizer::Encoder::of(model, model_file);
  std::vector<std::int32_t> ids;
  for (const std::string& path : options.texts) {
    const std::vector<std::int32_t> more =
        encoder->encode(read_text(path, stop), true, options.parse_special);
    ids.insert(ids.end(), more.begin(), more.end());
    throw_if_stopped(stop);
  }
  model::Tokens tokens = cut(std::move(ids), options);
  if (encoder->adds_bos && encoder->bos >= 0) {
    for (std::size_t i = 0; i < tokens.ids.size(); i += tokens.sequence_length) {
      tokens.ids[i] = encoder->bos;
    }
  }
  return tokens;
}

}  // namespace

model::Tokens calibration_tokens(const CalibrationOptions& options, const gguf::Header& model,
                                 const std::string& model_file, std::uint64_t vocabulary,
                                 const std::atomic<bool>* stop) {
  if (!options.texts.empty()) return tokens_of_texts(options, model, model_file, stop);
  const std::string ids = read_text(options.tokens, stop);
  return cut(tokenizer::read_token_ids(ids, vocabulary, options.tokens), options);
}

std::uint64_t hash_of(const model::Tokens& tokens) {
  return XXH3_64bits_withSeed(tokens.ids.data(), tokens.ids.size() * sizeof(std::int32_t),
                              tokens.sequence_length);
}

}  // namespace sluice
