// How text is cut into words before their bytes are joined. The regular expressions are those of
// llama.cpp, written for PCRE2 so that they match what llama.cpp's do, which is not always what the
// published tokenizers do: it has one category for all letters, and reads every space beyond ASCII
// as a vertical tab, so that such a space is in no range of characters.

#include "tokenizer/words.h"

#include <algorithm>

namespace sluice::tokenizer {
namespace {

// 's, 't, 're, … in capitals too. (?i) would take U+017F for an s.
const std::string kEnding = R"('(?:[sStTmMdD]|[rRvV][eE]|[lL][lL]))";
const std::string kSpaces = R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string kSigns = R"(| ?[^\s\p{L}\p{N}]+[\r\n]*)";
const std::string kSignsAndSlashes = R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*)";
const std::string kWord = R"(|[^\r\n\p{L}\p{N}]?\p{L}+)";

const std::string kUpToThree = R"(\p{N}{1,3})";
const std::string kEach = R"(\p{N})";
const std::string kLlama3Words = kEnding + kWord + "|" + kUpToThree + kSigns + kSpaces;
const std::string kQwen2Words = kEnding + kWord + "|" + kEach + kSigns + kSpaces;
const std::string kQwen35Words = kEnding + R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N})" +
                                 R"(| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)" + kSpaces;
const std::string kGpt2Words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Capitals, then others, one of which there must be or not. Only A to Z and a to z are told apart.
const std::string kOtherLast = R"([^\r\n\p{L}\p{N}]?[^\P{L}a-z]*[^\P{L}A-Z]+)";
const std::string kCapitalFirst = R"([^\r\n\p{L}\p{N}]?[^\P{L}a-z]+[^\P{L}A-Z]*)";
const std::string kTekkenWords =
    kOtherLast + "|" + kCapitalFirst + "|" + kEach + kSignsAndSlashes + kSpaces;
const std::string kGpt4oWords = kOtherLast + "(?:" + kEnding + ")?|" + kCapitalFirst +
                                "(?:" + kEnding + ")?|" + kUpToThree + kSignsAndSlashes + kSpaces;

const std::string kKanjiAndKana = "[一-龥\\x{3040}-ゟ゠-ヿ]+";
const std::string kDeepseekV3Words =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
    R"( ?[\p{P}\p{S}]+[\r\n]*)" +
    kSpaces;

// All that ends a line or a text stands alone; the rest of \s may begin a word.
const std::string kLineEnd = R"([\r\n])";
const std::string kLastSpaces = R"(\s++(*SKIP)\z)";
const std::string kEastAsian = "(?:(?!\\s)[一-龥\\x{800}-一가-\\x{d7ff}])++";
const std::string kDeepseekSigns = R"(\s?(?:(?!\s)[!-/:-~！-／：-～‘-‟\x{3000}-。])++)";
const std::string kDeepseekLetters =
    R"(\s?[)"
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯ"
    "Ա-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅ"
    "Ὀ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥ"
    "ῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃ"
    "ↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-"
    "ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
    R"(]+)";

// Ideographs as llama.cpp lists them for Kimi, whose own expression has \p{Han}.
const std::string kHan =
    R"(\x{4e00}-\x{9fff}\x{3400}-\x{4dbf}\x{20000}-\x{2a6df}\x{2a700}-\x{2ebef})"
    R"(\x{f900}-\x{faff}\x{2f800}-\x{2fa1f})";
const std::string kKimiWords = "[" + kHan + R"(]+|[^\r\n\p{L}\p{N}]?[^\P{L})" + kHan +
                               "]+(?:" + kEnding + ")?|" + kUpToThree + kSigns + kSpaces;

const std::string kThreeDigits = "[0-9][0-9][0-9]";

const std::vector<PreTokenizer>& pre_tokenizer_rows() {
  static const std::vector<PreTokenizer> kRows = {
      {.names = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0",
                 "lfm2", "jina-v5-nano"},
       .cuts = {kLlama3Words},
       .ignores_merges = true,
       .begins_with_bos = true},
      {.names = {"dbrx", "smaug-bpe"}, .cuts = {kLlama3Words}},
      {.names = {"glm4", "chatglm-bpe"}, .cuts = {kLlama3Words}, .has_default_bos = false},
      {.names = {"qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan",
                 "solar-open", "grok-2"},
       .cuts = {kQwen2Words}},
      {.names = {"qwen35"}, .cuts = {kQwen35Words}},
      {.names = {"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"}, .cuts = {kGpt4oWords}},
      {.names = {"tekken"},
       .cuts = {kTekkenWords},
       .ignores_merges = true,
       .begins_with_bos = true},
      {.names = {"kimi-k2"}, .cuts = {kKimiWords}, .is_without_merges = true},
      {.names = {"deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"},
       .cuts = {kUpToThree, kKanjiAndKana, kDeepseekV3Words}},
      {.names = {"deepseek-llm"},
       .cuts = {kLineEnd, kDeepseekLetters, kDeepseekSigns, kLastSpaces, kEastAsian, R"(\p{N}+)"}},
      {.names = {"deepseek-coder"},
       .cuts = {kLineEnd, R"(\s?\p{L}+)", R"(\s?\p{P}+)", kEastAsian, kEach}},
      {.names = {"gpt-2", "phi-2", "mpt", "olmo", "jais", "gigachat", "a.x-4.0", "mellum",
                 "exaone4", "trillion", "granite-docling"},
       .cuts = {kGpt2Words}},
      {.names = {"starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b",
                 "mellum2"},
       .cuts = {kEach, kGpt2Words}},
      {.names = {"falcon"}, .cuts = {R"([\p{P}$+<=>^~|`]+)", kGpt2Words, kThreeDigits}},
      {.names = {"default"},
       .cuts = {R"([\p{P}$+<=>^~|]+)", kGpt2Words, R"(\p{N}+)", kThreeDigits}},
      {.names = {"minicpm5"},
       .cuts = {kUpToThree, kEnding + kWord + R"(|\p{N}+)" + kSigns + kSpaces},
       .ignores_merges = true},
      {.names = {"seed-coder"},
       .cuts = {kEnding + kWord + R"(|\p{N}| ?[^\s\p{L}\p{N}\r\n]+)" + kSpaces}},
      {.names = {"bailingmoe", "bailingmoe2", "llada-moe"},
       .cuts = {kEnding + kWord + R"(|\p{N})" + kSigns + R"(|\s*[\r\n]|\s+(?!\S)|\s+)"}},
      {.names = {"poro-chat", "bloom", "gpt3-finnish"}, .cuts = {" ?[^(\\s|.,!?…。，、।۔،)]+"}},
      {.names = {"viking"}, .cuts = {" ?[^(\\s|.,!?…。，、।۔،)]+", kEach}},
  };
  return kRows;
}

}  // namespace

const PreTokenizer* find_pre_tokenizer(std::string_view name) {
  for (const PreTokenizer& row : pre_tokenizer_rows()) {
    if (std::find(row.names.begin(), row.names.end(), name) != row.names.end()) return &row;
  }
  return nullptr;
}

}  // namespace sluice::tokenizer
