// SentencePiece's own file, tokenizer.model, and the tokens that other files add to it.

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "gguf/bytes.h"
#include "tokenizer/protobuf.h"
#include "tokenizer/source.h"

namespace sluice::tokenizer {
namespace {

constexpr const char* kModelFile = "tokenizer.model";
constexpr float kAddedScore = -1000;
constexpr float kFilledScore = -10000;

// Numbers of fields, from sentencepiece_model.proto.
constexpr std::uint64_t kPieces = 1;
constexpr std::uint64_t kPieceText = 1;
constexpr std::uint64_t kPieceScore = 2;
constexpr std::uint64_t kPieceType = 3;

struct PieceOfModel {
  std::string_view text;
  float score = 0;
  std::uint64_t type = 1;
};

void expect(const Protobuf& message, bool holds, const char* what) {
  if (!holds) message.fail_here(what);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    if (!character.valid) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

PieceOfModel read_piece(Protobuf message) {
  using Wire = Protobuf::Wire;
  PieceOfModel piece;
  while (!message.ends()) {
    const Protobuf::Field field = message.next();
    if (field.number == kPieceText) {
      expect(message, field.wire == Wire::bytes, "a piece's text is no text");
      piece.text = field.bytes;
    } else if (field.number == kPieceScore) {
      expect(message, field.wire == Wire::fixed32, "a piece's score is no float");
      piece.score = load<float>(std::as_bytes(std::span(field.bytes)).data());
    } else if (field.number == kPieceType) {
      expect(message, field.wire == Wire::varint, "a piece's type is no number");
      piece.type = field.value;
    }
  }
  expect(message, is_utf8(piece.text), "a piece's text is not UTF-8");
  expect(message, std::isfinite(piece.score), "a piece's score is no finite number");
  expect(message, piece.type >= 1 && piece.type <= 6, "a piece's type is unknown");
  return piece;
}

/// GGUF's numbers of types are SentencePiece's. A user-defined piece is a normal one, as converters
/// write it, unless another file lists it as added.
TokenType type_of(const PieceOfModel& piece) {
  const auto type = static_cast<TokenType>(piece.type);
  return type == TokenType::user_defined ? TokenType::normal : type;
}

Vocabulary read_pieces_of_model(std::string_view bytes, const std::string& file) {
  Vocabulary vocabulary;
  Protobuf model(bytes, file, 0);
  while (!model.ends()) {
    const Protobuf::Field field = model.next();
    if (field.number != kPieces) continue;
    expect(model, field.wire == Protobuf::Wire::bytes, "a piece is no message");
    expect(model, vocabulary.size() < kMostTokens, "more pieces than any vocabulary has");
    const PieceOfModel piece = read_piece({field.bytes, file, field.offset});
    vocabulary.set(vocabulary.size(), std::string(piece.text), type_of(piece), piece.score);
  }
  expect(model, vocabulary.size() > 0, "it has no pieces");
  return vocabulary;
}

/// Adds tokens beside the model's own, of types that `type` says; those beyond `size` are left out,
/// as the model has no rows for them.
template <class Type>
void add_tokens(Vocabulary& vocabulary, const std::vector<AddedToken>& tokens, std::uint64_t size,
                std::vector<std::string>& notes, Type type) {
  const AddedToken* first_left_out = nullptr;
  std::size_t left_out = 0;
  for (const AddedToken& token : tokens) {
    if (token.id < size) {
      vocabulary.set(token.id, token.text, type(token), kAddedScore);
    } else if (left_out++ == 0) {
      first_left_out = &token;
    }
  }
  if (left_out == 0) return;
  notes.push_back(fmt::format(
      "Added tokens of ids beyond vocab_size, {}, are left out: {} of them, the first is '{}', {}.",
      size, left_out, printable(first_left_out->text), first_left_out->id));
}

TokenType type_as_marked(const AddedToken& token) {
  return token.special ? TokenType::control : TokenType::user_defined;
}

void add_decoder_tokens(Vocabulary& vocabulary, std::vector<AddedToken> tokens, std::uint64_t size,
                        std::vector<std::string>& notes) {
  for (AddedToken& token : tokens) {
    token.special = token.special || looks_special(token.text);
    if (!token.special) token.text = with_spaces(token.text);
  }
  add_tokens(vocabulary, tokens, size, notes, type_as_marked);
}

/// Llama 3's and Kimi's lists of ranks have been published under this name too.
bool is_list_of_ranks(std::string_view text) {
  constexpr std::string_view kBase64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  const std::size_t end = text.find_first_not_of(kBase64);
  return end != 0 && end != std::string_view::npos && text[end] == ' ';
}

bool is_sentencepiece(const Source& source) {
  const auto text = source.files.find(kModelFile);
  if (!text || is_list_of_ranks(*text)) return false;
  if (!source.choices.sentencepiece_first) return !source.json;
  const bool is_gpt2 = at_key(source.tokenizer_config, "tokenizer_class") == "GPT2Tokenizer";
  return !(source.choices.phi3_added_tokens && is_gpt2);
}

Tokens read_sentencepiece(Source& source) {
  const std::string file = source.files.path(kModelFile);
  Tokens tokens{.model = "llama", .pre = "default", .vocabulary = {}};
  tokens.vocabulary = read_pieces_of_model(*source.files.find(kModelFile), file);
  const std::uint64_t pieces = tokens.vocabulary.size();
  const std::uint64_t size =
      source.model.vocab_size.value_or(0) == 0 ? pieces : checked_vocab_size(source);
  if (pieces > size) {
    source.notes.push_back(fmt::format(
        "{} has {} pieces; those from vocab_size, {}, on are left out.", file, pieces, size));
  }
  tokens.vocabulary.fill(size, kFilledScore);
  add_tokens(tokens.vocabulary, added_tokens_file(source), size, source.notes,
             [](const AddedToken& /*token*/) { return TokenType::user_defined; });
  if (source.choices.phi3_added_tokens) {
    add_tokens(tokens.vocabulary, added_tokens_decoder(source), size, source.notes, type_as_marked);
    if (source.json) {
      add_tokens(tokens.vocabulary, source.json->added_tokens, size, source.notes, type_as_marked);
    }
  } else {
    add_decoder_tokens(tokens.vocabulary, added_tokens_decoder(source), size, source.notes);
  }
  return tokens;
}

}  // namespace

const Kind kSentencePiece = {is_sentencepiece, read_sentencepiece};

}  // namespace sluice::tokenizer
