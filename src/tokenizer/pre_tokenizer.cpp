#include "tokenizer/pre_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace sluice::tokenizer {
namespace {

// Regular expressions as they stand in tokenizer.json, byte for byte.
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|)"
    R"( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kSeedCoder =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n"
    R"(\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N})"
    "\r\n"
    R"(]+|\s*[)"
    "\r\n"
    R"(]+|\s+(?!\S)|\s+)";
constexpr std::string_view kBailing = R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}|)"
                                      R"( ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekkenRegex =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepseekV3 = R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^)"
                                         "\r\n"
                                         R"(\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[)"
                                         "\r\n"
                                         R"(]*|\s*[)"
                                         "\r\n"
                                         R"(]+|\s+(?!\S)|\s+)";
constexpr std::string_view kKanji = "[一-龥\u3040-ゟ゠-ヿ]+";
constexpr std::string_view kLineEnds = "[\r\n]";
constexpr std::string_view kChineseAndMore = "[一-龥ࠀ-一가-\ud7ff]+";
// An alphabet of some 600 bytes goes on here, of which there are several spellings.
constexpr std::string_view kLettersBegin = R"(\s?[A-Za-zµÀ-Ö)";
constexpr std::string_view kDeepseekPunctuation = R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)";

// Steps that are no Split by a regular expression.
constexpr std::string_view kByteLevel = "ByteLevel";
constexpr std::string_view kDigits = "Digits";
constexpr std::string_view kEachDigit = "Digits, each alone";
constexpr std::string_view kPunctuation = "Punctuation, Contiguous";

/// One line of the table: the steps, and what else must hold for the name.
struct Row {
  std::string_view name;
  std::vector<std::string_view> steps;
  std::string_view architecture = {};  ///< GGUF's name begins so
  bool ignore_merges = false;          ///< tokenizer.json must say so
};

// The first that fits counts. What a name sets beside the regular expression is in
// llama-vocab.cpp; names that it treats alike (smaug-bpe and dbrx, gpt-4o and llama4, …) are told
// apart by the family, as converters do.
const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {"glm4", {kLlama3}, "glm4"},
      {"dbrx", {kLlama3}, "phi3"},
      {"dbrx", {kLlama3}, "olmo2"},
      {.name = "llama-bpe", .steps = {kLlama3}, .ignore_merges = true},
      {"smaug-bpe", {kLlama3}},
      {"qwen2", {kQwen2}},
      {"qwen35", {kQwen35}},
      {"bailingmoe2", {kBailing}},
      {"seed-coder", {kSeedCoder}},
      {"llama4", {kGpt4o}, "llama4"},
      {"minimax-m2", {kGpt4o}, "minimax-m2"},
      {"gpt-4o", {kGpt4o}},
      {"tekken", {kTekkenRegex}},
      {"deepseek-v3", {R"(\p{N}{1,3})", kKanji, kDeepseekV3}},
      {"deepseek-llm",
       {kLineEnds, kLettersBegin, kDeepseekPunctuation, R"(\s+$)", kChineseAndMore, kDigits}},
      {"deepseek-llm",
       {kLineEnds, kLettersBegin, kDeepseekPunctuation, R"(\s+$)", kChineseAndMore, kEachDigit}},
      {"deepseek-coder", {kLineEnds, R"(\s?\p{L}+)", R"(\s?\p{P}+)", kChineseAndMore, kEachDigit}},
      {"starcoder", {kEachDigit, kByteLevel}},
      {"gpt-2", {kByteLevel}},
      {"falcon", {kPunctuation, kByteLevel, kDigits, "[0-9][0-9][0-9]"}},
  };
  return kRows;
}

/// A step as the table has it: a regular expression, or its kind and what it sets.
std::string step_text(const Json& step) {
  const std::string type = as_text(at_key(step, "type")).value_or("");
  const std::optional<std::string> regex = as_text(at_key(at_key(step, "pattern"), "Regex"));
  if (type == "Split" && regex && at_key(step, "behavior") == "Isolated" &&
      at_key(step, "invert") != true) {
    return *regex;
  }
  if (type == "ByteLevel" && at_key(step, "use_regex") != false) return std::string(kByteLevel);
  if (type == "Digits") {
    return std::string(at_key(step, "individual_digits") == true ? kEachDigit : kDigits);
  }
  if (type == "Punctuation" && at_key(step, "behavior") == "Contiguous") {
    return std::string(kPunctuation);
  }
  return step.dump();
}

/// The steps, less the last one if that only spells bytes as letters.
std::vector<std::string> steps_of(const Json& pre_tokenizer) {
  const Json& sequence = at_key(pre_tokenizer, "pretokenizers");
  std::vector<std::string> steps;
  const auto add = [&](const Json& step, bool is_last) {
    const bool only_spells =
        at_key(step, "type") == "ByteLevel" && at_key(step, "use_regex") == false;
    if (!is_last || !only_spells) steps.push_back(step_text(step));
  };
  if (at_key(pre_tokenizer, "type") == "Sequence" && sequence.is_array()) {
    for (const Json& step : sequence) add(step, &step == &sequence.back());
  } else if (!pre_tokenizer.is_null()) {
    add(pre_tokenizer, true);
  }
  return steps;
}

bool fits(const Row& row, const std::vector<std::string>& steps, const Source& source) {
  const auto is_step = [](const std::string& step, std::string_view wanted) {
    return wanted == kLettersBegin ? step.starts_with(wanted) : step == wanted;
  };
  return std::equal(steps.begin(), steps.end(), row.steps.begin(), row.steps.end(), is_step) &&
         source.model.architecture.starts_with(row.architecture) &&
         (!row.ignore_merges || source.json->ignore_merges);
}

constexpr const char* kNameIt =
    "Name llama.cpp's pre-tokenizer that does the same with --pre NAME, for example --pre "
    "llama-bpe; "
    "`sluice inspect` shows it as tokenizer.ggml.pre in any GGUF model of the family";

}  // namespace

std::string chosen_pre_tokenizer(const Source& source, const std::string& file) {
  if (source.pre.empty()) {
    fail(file, "has tokens, but does not say how text is cut into words before they are joined",
         kNameIt);
  }
  return std::string(source.pre);
}

std::string pre_tokenizer(const Source& source) {
  if (!source.pre.empty()) return std::string(source.pre);
  const std::vector<std::string> steps = steps_of(source.json->pre_tokenizer);
  const auto row = std::find_if(rows().begin(), rows().end(),
                                [&](const Row& r) { return fits(r, steps, source); });
  if (row != rows().end()) return std::string(row->name);
  // Escaped, as a terminal may be sent it, but whole: it is what one has to look for.
  fail(source.json->file,
       "its pre_tokenizer is none that has a name here: " + Json(steps).dump(-1, ' ', true),
       kNameIt);
}

std::span<const std::string_view> pre_tokenizers() noexcept {
  static constexpr std::string_view kNames[] = {"a.x-4.0",       "afmoe",
                                                "bailingmoe",    "bailingmoe2",
                                                "bloom",         "chameleon",
                                                "chatglm-bpe",   "codeshell",
                                                "cohere2moe",    "command-r",
                                                "dbrx",          "deepseek-coder",
                                                "deepseek-llm",  "deepseek-r1-qwen",
                                                "deepseek-v3",   "default",
                                                "exaone",        "exaone-moe",
                                                "exaone4",       "f2llmv2",
                                                "falcon",        "falcon-h1",
                                                "falcon3",       "gemma4",
                                                "gigachat",      "glm4",
                                                "gpt-2",         "gpt-4o",
                                                "gpt3-finnish",  "granite-docling",
                                                "grok-2",        "hunyuan",
                                                "hunyuan-dense", "jais",
                                                "jais-2",        "joyai-llm",
                                                "kanana2",       "kimi-k2",
                                                "kormo",         "laguna",
                                                "lfm2",          "llada-moe",
                                                "llama-bpe",     "llama-v3",
                                                "llama3",        "llama4",
                                                "megrez",        "mellum",
                                                "mellum2",       "midm-2.0",
                                                "minerva-7b",    "minicpm5",
                                                "minimax-m2",    "modern-bert",
                                                "mpt",           "olmo",
                                                "phi-2",         "pixtral",
                                                "poro-chat",     "qwen2",
                                                "qwen35",        "refact",
                                                "sarvam-moe",    "seed-coder",
                                                "smaug-bpe",     "smollm",
                                                "solar-open",    "stablelm2",
                                                "starcoder",     "superbpe",
                                                "tekken",        "tiny_aya",
                                                "trillion",      "viking",
                                                "youtu"};
  return kNames;
}

bool begins_with_bos(std::string_view pre) {
  constexpr std::string_view kNames[] = {"llama-bpe", "falcon3", "pixtral", "lfm2", "tekken"};
  return std::find(std::begin(kNames), std::end(kNames), pre) != std::end(kNames);
}

}  // namespace sluice::tokenizer
