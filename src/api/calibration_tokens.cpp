#include "api/calibration_tokens.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <vector>

#include "base/stop.h"
#include "base/text.h"
#include "io/file.h"
#include "sluice/amounts.h"
#include "sluice/error.h"
#include "tokenizer/encoder.h"

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

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::vector<std::int32_t> read_ids(const std::string& path, std::uint64_t vocabulary,
                                   const std::atomic<bool>* stop) {
  const std::string text = read_text(path, stop);
  std::vector<std::int32_t> ids;
  for (auto at = text.begin(); (at = std::find_if(at, text.end(), is_digit)) != text.end();) {
    const auto end = std::find_if_not(at, text.end(), is_digit);
    const std::string_view digits(&*at, static_cast<std::size_t>(end - at));
    const bool negative = at != text.begin() && at[-1] == '-';
    std::int32_t id = 0;
    const bool read = std::from_chars(digits.begin(), digits.end(), id).ec == std::errc();
    if (negative || !read || static_cast<std::uint64_t>(id) >= vocabulary) {
      throw Error(ErrorCode::input_format,
                  fmt::format("{}{} is no token of this model, which has {}", negative ? "-" : "",
                              printable(digits), vocabulary),
                  {.file = path,
                   .offset = static_cast<std::uint64_t>(at - text.begin()),
                   .cure = "Give ids that this model's tokenizer made, from 0 on"});
    }
    ids.push_back(id);
    at = end;
  }
  return ids;
}

model::Tokens cut(std::vector<std::int32_t> ids, const CalibrationOptions& options) {
  const std::uint64_t length = options.context;
  std::uint64_t sequences = ids.size() / length;
  if (sequences == 0) {
    const std::string& file = options.texts.empty() ? options.tokens : options.texts.front();
    throw Error(ErrorCode::usage,
                fmt::format("too short: {} are fewer than a sequence has, {}",
                            counted(ids.size(), "token"), length),
                {.file = file, .cure = "Give more text, or shorter sequences with --ctx-size"});
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
  return options.texts.empty() ? cut(read_ids(options.tokens, vocabulary, stop), options)
                               : tokens_of_texts(options, model, model_file, stop);
}

std::uint64_t hash_of(const model::Tokens& tokens) {
  return XXH3_64bits_withSeed(tokens.ids.data(), tokens.ids.size() * sizeof(std::int32_t),
                              tokens.sequence_length);
}

}  // namespace sluice
