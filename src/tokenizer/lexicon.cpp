#include "tokenizer/lexicon.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <optional>

#include "base/text.h"
#include "tokenizer/failure.h"
#include "tokenizer/vocabulary.h"

namespace sluice::tokenizer {
namespace {

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kScores = "tokenizer.ggml.scores";
constexpr const char* kTypes = "tokenizer.ggml.token_type";

/// The first numbers of an array of 4-byte numbers, or nothing if the key is missing.
template <class T>
std::optional<std::vector<T>> numbers_of(const gguf::Header& model, std::string_view key,
                                         gguf::ValueType element, std::int32_t count,
                                         const std::string& file) {
  static_assert(sizeof(T) == 4);
  const gguf::Value* const value = model.find(key);
  if (value == nullptr) return std::nullopt;
  const auto array = value->as_array();
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
  if (!array || array->element != element || value->bytes.size() < bytes + 12) {
    fail(file, fmt::format("{} is no array of {}, one for each of {} tokens", key,
                           gguf::name(element), count));
  }
  std::vector<T> numbers(static_cast<std::size_t>(count));
  std::memcpy(numbers.data(), value->bytes.data() + 12, bytes);
  return numbers;
}

Role role_of(std::int32_t type) {
  switch (static_cast<TokenType>(type)) {
    case TokenType::user_defined:
      return Role::user_defined;
    case TokenType::control:
    case TokenType::unknown:
      return Role::control;
    default:
      return Role::word;
  }
}

bool names_any(const gguf::Header& model, const std::vector<std::string_view>& keys) {
  return std::any_of(keys.begin(), keys.end(), [&](std::string_view key) {
    return model.find(fmt::format("tokenizer.ggml.{}_token_id", key)) != nullptr;
  });
}

// Whatever their type says, llama.cpp takes these for control tokens.
constexpr std::string_view kEnds[] = {"<|eot_id|>",
                                      "<|im_end|>",
                                      "<|end|>",
                                      "<|return|>",
                                      "<|call|>",
                                      "<|flush|>",
                                      "<|calls|>",
                                      "<end_of_turn>",
                                      "<|endoftext|>",
                                      "</s>",
                                      "<|eom_id|>",
                                      "<EOT>",
                                      "_<EOT>",
                                      "[EOT]",
                                      "[EOS]",
                                      "<|end_of_text|>",
                                      "<eos>",
                                      "<end_of_utterance>",
                                      "<turn|>",
                                      "<|tool_response>",
                                      "<\uff5cend\u2581of\u2581sentence\uff5c>",
                                      "[e~["};

// And one of each of these, if the metadata name none.
struct Infill {
  std::vector<std::string_view> keys;
  std::vector<std::string_view> texts;
};
const std::vector<Infill>& infill_tokens() {
  static const std::vector<Infill> kRows = {
      {{"fim_pre", "prefix"},
       {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<\uff5cfim\u2581begin\uff5c>", "<PRE>",
        "\u2581<PRE>", "<|code_prefix|>", "<|prefix|>"}},
      {{"fim_suf", "suffix"},
       {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<\uff5cfim\u2581hole\uff5c>", "<SUF>",
        "\u2581<SUF>", "<|code_suffix|>", "<|suffix|>"}},
      {{"fim_mid", "middle"},
       {"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<\uff5cfim\u2581end\uff5c>", "<MID>",
        "\u2581<MID>", "<|code_middle|>", "<|middle|>"}},
      {{"fim_pad"}, {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"}},
      {{"fim_rep"}, {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"}},
      {{"fim_sep"}, {"<|file_sep|>"}},
  };
  return kRows;
}

void set_role(Lexicon& lexicon, std::string_view text, Role role) {
  if (const std::int32_t id = lexicon.find(text); id >= 0) {
    lexicon.roles[static_cast<std::size_t>(id)] = role;
  }
}

/// What llama.cpp makes of tokens by their texts alone.
void set_roles_by_text(Lexicon& lexicon, const gguf::Header& model) {
  const auto has = [&](std::string_view text) { return lexicon.find(text) >= 0; };
  for (const std::string_view text : kEnds) set_role(lexicon, text, Role::control);
  for (const Infill& infill : infill_tokens()) {
    if (names_any(model, infill.keys)) continue;
    const auto found = std::find_if(infill.texts.begin(), infill.texts.end(), has);
    if (found != infill.texts.end()) set_role(lexicon, *found, Role::control);
  }
  for (const char* text : {"<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"}) {
    set_role(lexicon, text, Role::user_defined);
  }
  const bool calls = has("<|call|>") || has("<|calls|>");
  if (calls && (has("<|return|>") || has("<|flush|>"))) {
    set_role(lexicon, "<|end|>", Role::user_defined);
  }
  if (has("<|tool_response>")) set_role(lexicon, "</s>", Role::word);
}

/// Phi 3's special tokens swallow the spaces behind them; the model is known by its name.
void set_strips(Lexicon& lexicon, const gguf::Header& model) {
  lexicon.strips.resize(lexicon.texts.size());
  const gguf::Value* const value = model.find("general.name");
  const std::string name = lower(value ? value->as_string().value_or("") : "");
  if (name.find("phi-3") == std::string::npos && name.find("phi3") == std::string::npos) return;
  for (std::size_t id = 0; id < lexicon.texts.size(); ++id) {
    const std::string& text = lexicon.texts[id];
    lexicon.strips[id] = lexicon.roles[id] != Role::word && text != "<unk>" && text != "<s>" &&
                         text != "<|endoftext|>";
  }
}

}  // namespace

std::vector<std::string> strings_of(const gguf::Header& model, std::string_view key,
                                    const std::string& file) {
  const gguf::Value* const value = model.find(key);
  std::optional<std::vector<std::string>> strings;
  if (value != nullptr) strings = value->as_strings();
  if (!strings) {
    fail(file, fmt::format("{} {}", key, value ? "is no array of strings" : "is missing"));
  }
  return *std::move(strings);
}

std::vector<float> scores_of(const gguf::Header& model, std::int32_t tokens,
                             const std::string& file) {
  const gguf::Value* const value = model.find(kScores);
  const auto array = value ? value->as_array() : std::nullopt;
  std::vector<float> scores(static_cast<std::size_t>(tokens));
  if (array && array->element == gguf::ValueType::i32) {
    const auto ints =
        numbers_of<std::int32_t>(model, kScores, gguf::ValueType::i32, tokens, file).value();
    std::copy(ints.begin(), ints.end(), scores.begin());
  } else if (auto floats = numbers_of<float>(model, kScores, gguf::ValueType::f32, tokens, file)) {
    scores = *std::move(floats);
  }
  if (std::any_of(scores.begin(), scores.end(), [](float s) { return std::isnan(s); })) {
    fail(file, fmt::format("{} has one that is no number", kScores));
  }
  return scores;
}

std::int32_t Lexicon::find(std::string_view text) const {
  const auto found = ids.find(text);
  return found == ids.end() ? -1 : found->second;
}

Lexicon Lexicon::of(const gguf::Header& model, const std::string& file) {
  Lexicon lexicon;
  lexicon.texts = strings_of(model, kTokens, file);
  if (lexicon.texts.empty() || lexicon.texts.size() > kMostTokens) {
    fail(file, fmt::format("{} has {} tokens; 1 to {} are possible", kTokens, lexicon.texts.size(),
                           kMostTokens));
  }
  lexicon.ids.reserve(lexicon.texts.size());
  for (std::int32_t id = 0; id < lexicon.size(); ++id) {
    std::string& text = lexicon.texts[static_cast<std::size_t>(id)];
    if (text.empty()) text = fmt::format("[EMPTY_{}]", id);
    if (!lexicon.ids.emplace(text, id).second) {
      fail(file, fmt::format("the tokens {} and {} are both '{}'", lexicon.find(text), id,
                             printable(text)));
    }
  }
  const auto types =
      numbers_of<std::int32_t>(model, kTypes, gguf::ValueType::i32, lexicon.size(), file);
  lexicon.roles.assign(lexicon.texts.size(), Role::word);
  if (types) std::transform(types->begin(), types->end(), lexicon.roles.begin(), role_of);
  set_roles_by_text(lexicon, model);
  set_strips(lexicon, model);
  return lexicon;
}

}  // namespace sluice::tokenizer
