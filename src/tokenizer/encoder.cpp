#include "tokenizer/encoder.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "tokenizer/encoder_kinds.h"
#include "tokenizer/failure.h"
#include "tokenizer/special_texts.h"

namespace sluice::tokenizer {
namespace {

constexpr const char* kGiveTokens =
    "Encode the text with llama.cpp's llama-tokenize --ids, and give the ids with "
    "--calibrate-tokens FILE";

[[noreturn]] void refuse_kind(const std::string& file, const std::string& message) {
  throw Error(ErrorCode::input_type, message, {.file = file, .cure = kGiveTokens});
}

std::string text_of(const gguf::Header& model, std::string_view key) {
  const gguf::Value* const value = model.find(key);
  return value ? value->as_string().value_or("") : "";
}

bool flag_of(const gguf::Header& model, std::string_view key, bool otherwise) {
  const gguf::Value* const value = model.find(key);
  return value ? value->as_bool().value_or(otherwise) : otherwise;
}

/// A special token's id, or -1. As in llama.cpp, an id that is no token's counts as none given.
std::int32_t id_of(const gguf::Header& model, std::string_view key, std::int32_t tokens,
                   std::int32_t otherwise) {
  const gguf::Value* const value = model.find(key);
  const auto given = value ? value->as_uint() : std::nullopt;
  if (given && *given < static_cast<std::uint64_t>(tokens))
    return static_cast<std::int32_t>(*given);
  return otherwise < tokens ? otherwise : -1;
}

/// What a kind of tokenizer has if the metadata do not say otherwise.
struct Defaults {
  std::int32_t bos;
  std::int32_t eos;
  bool adds_bos;
};

class TextEncoder : public Encoder {
 public:
  TextEncoder(const gguf::Header& model, const std::string& file)
      : lexicon_(Lexicon::of(model, file)), specials_(lexicon_) {
    const Defaults defaults = set_kind(model, file);
    tokens = lexicon_.size();
    bos = id_of(model, "tokenizer.ggml.bos_token_id", tokens, defaults.bos);
    eos = id_of(model, "tokenizer.ggml.eos_token_id", tokens, defaults.eos);
    adds_bos = flag_of(model, "tokenizer.ggml.add_bos_token", defaults.adds_bos);
    adds_eos_ = flag_of(model, "tokenizer.ggml.add_eos_token", false);
    if ((adds_bos && bos < 0) || (adds_eos_ && eos < 0)) {
      fail(file, "texts are to begin or end with a token, but its metadata do not say with which");
    }
  }

  std::vector<std::int32_t> encode(std::string_view text, bool add_special,
                                   bool parse_special) const override {
    TokenIds out;
    if (add_special && adds_bos) out.push_back(bos);
    KnownWords known;
    bool is_first = true;
    for (const TextPart& part : specials_.partition(text, parse_special)) {
      if (part.token >= 0) {
        out.push_back(part.token);
      } else {
        kind_->append(text.substr(part.begin, part.end - part.begin), is_first, known, out);
      }
      is_first = part.token >= 0;
    }
    if (add_special && adds_eos_) out.push_back(eos);
    return out;
  }

 private:
  Defaults set_kind(const gguf::Header& model, const std::string& file) {
    const std::string kind = text_of(model, "tokenizer.ggml.model");
    if (kind == "llama") {
      kind_ = by_scores(model, lexicon_, file);
      return {.bos = 1, .eos = 2, .adds_bos = true};
    }
    if (kind != "gpt2") {
      refuse_kind(file, fmt::format("texts cannot be encoded for its tokenizer, '{}': only for "
                                    "'llama' (SentencePiece) and 'gpt2' (byte pairs)",
                                    printable(kind)));
    }
    const std::string name = text_of(model, "tokenizer.ggml.pre");
    if (name.empty()) {
      // llama.cpp warns, and takes its "default", which fits hardly any model.
      refuse_kind(file, "tokenizer.ggml.pre is missing: how texts are cut into words is not known");
    }
    const PreTokenizer* const words = find_pre_tokenizer(name);
    if (words == nullptr) {
      refuse_kind(file,
                  fmt::format("its texts are cut into words as '{}' does, which sluice cannot",
                              printable(name)));
    }
    kind_ = by_merges(model, lexicon_, *words, file);
    return {.bos = words->has_default_bos ? 11 : -1, .eos = 11, .adds_bos = words->begins_with_bos};
  }

  Lexicon lexicon_;
  SpecialTexts specials_;
  std::unique_ptr<PartEncoder> kind_;
  bool adds_eos_ = false;
};

}  // namespace

std::unique_ptr<Encoder> Encoder::of(const gguf::Header& model, const std::string& file) {
  return std::make_unique<TextEncoder>(model, file);
}

}  // namespace sluice::tokenizer
