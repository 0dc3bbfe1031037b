// Patterns against the C++ standard library's own regular expressions, with which llama.cpp
// (--tensor-type) and ik_llama.cpp (--custom-q) look for them: std::regex and std::regex_search.

#include "base/pattern.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.h"
#include "support/seed.h"

namespace sluice {
namespace {

std::optional<std::regex> peer(const std::string& text) {
  try {
    return std::regex(text);
  } catch (const std::regex_error&) {
    return std::nullopt;
  }
}

std::optional<Pattern> ours(const std::string& text) {
  try {
    return std::optional<Pattern>(std::in_place, text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage) << text;
    EXPECT_FALSE(error.context().cure.empty()) << text;
    EXPECT_LT(std::string_view(error.what()).size(), 400u) << text;
    return std::nullopt;
  }
}

// Names as models have them, and some that show where two dialects part.
std::vector<std::string> names() {
  std::vector<std::string> all = {
      "output.weight",
      "output_norm.weight",
      "token_embd.weight",
      "per_layer_token_embd.weight",
      "rope_freqs.weight",
      "v.blk.3.attn_q.weight",
      "mm.1.weight",
      "",
      "\n",
      "blk.1.attn_q.weight\n",
      "a\nb",
      "a\rb",
      "\r\nb",
      "blk.1.é.weight",
      std::string("a\0b", 3),
      "A",
      "]",
      "{}",
      "-",
      "a\\b",
  };
  for (const int layer : {0, 1, 2, 3, 9, 10, 11, 12, 19, 20, 46, 60, 99, 100}) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    for (const char* name :
         {"attn_q.weight", "attn_k.weight", "attn_k_b.weight", "attn_v.weight", "attn_v.bias",
          "attn_output.weight", "attn_kv_a_mqa.weight", "attn_norm.weight", "ffn_gate.weight",
          "ffn_up.weight", "ffn_down.weight", "ffn_gate_exps.weight", "ffn_up_exps.weight",
          "ffn_down_exps.weight", "ffn_down_shexp.weight", "ffn_gate_inp.weight",
          "ssm_out.weight"}) {
      all.push_back(block + name);
    }
  }
  return all;
}

// As users of both programs write them in their recipes and threads.
TEST(Pattern, OfUsersMeanWhatTheyMeanToThePeers) {
  const std::vector<std::string> all = names();
  for (const std::string text : {
           "attn_q",
           "attn",
           "ffn_down",
           "token_embd.weight",
           R"(token_embd\.weight)",
           R"(output\.weight)",
           R"(^output\.weight$)",
           R"(blk\.(0|1)\.attn_q.*)",
           R"(blk\..*\.attn_k.*)",
           R"(blk\..*\.ffn_down\.weight)",
           R"(blk\..*\.ffn_(gate|up)\.weight)",
           R"(blk\..*\.ffn_(gate|up)_exps\.weight)",
           R"(blk\.(1)\.ffn_down_exps\.weight)",
           R"(blk\.[0-5]\.ffn_down_exps)",
           R"(blk\.[3-9]\.ffn_down_exps\.weight)",
           R"(blk\.[1-5][0-9]\.ffn_down_exps\.weight)",
           R"(blk\.60\.ffn_down_exps\.weight)",
           R"(\.ffn_.*_shexp\.weight)",
           R"(ffn_.*_exps)",
           R"(blk\.([0-9]|1[0-9]|20)\.attn_(q|k|v)\.weight)",
           R"(^blk\.([0-9]|1[0-2])\.ffn)",
           R"(\.(\d*[13579])\.attn_k)",
           R"(blk\.\d{1,2}\.ffn_up)",
           R"(blk\.(?:[0-9]|[1-3][0-9])\.ffn_(?:gate|up|down)_exps\.weight)",
           R"(^(?!.*exps).*ffn)",
           R"(^(?!blk\.(?:0|1)\.).*\.weight$)",
           R"(.*\.weight)",
           R"(ffn_(?=down|up))",
           R"((attn_(?:q|k|v|output)|ffn_(?:gate|up|down))\.weight)",
           R"(blk\.\d+\.attn_[qkv](?!_b)\.weight)",
           R"([[:digit:]]{2})",
           R"(^blk\.([0-9]+)\.[a-z_]+\.(weight|bias)$)",
           R"(\bweight\b)",
           R"(blk\.(\d)\1\.)",
           "blk.*.ffn_up.*",
           "attn_[qk]|ffn_(?:up|gate)",
       }) {
    const auto expected = peer(text);
    ASSERT_TRUE(expected) << text;
    const auto pattern = ours(text);
    ASSERT_TRUE(pattern) << text;
    std::size_t found = 0;
    for (const std::string& name : all) {
      EXPECT_EQ(pattern->found_in(name), std::regex_search(name, *expected))
          << text << " in " << name;
      found += pattern->found_in(name) ? 1 : 0;
    }
    EXPECT_GT(found, 0u) << text;
    EXPECT_LT(found, all.size()) << text;
  }
}

// One pattern for each place in which PCRE2 by itself reads otherwise than ECMAScript.
TEST(Pattern, MeansWhatItMeansWhereDialectsPart) {
  const std::vector<std::string> all = names();
  for (const std::string text : {"weight$",
                                 "^$",
                                 "$",
                                 "a.b",
                                 "a[^x]b",
                                 "[]",
                                 "a[]",
                                 "[^]",
                                 "^[^]$",
                                 "a[^]b",
                                 "[]]",
                                 "[^]]",
                                 R"(\sb)",
                                 R"(^\s)",
                                 R"(\n)",
                                 R"(\r)",
                                 R"(\x61)",
                                 R"(\u0061)",
                                 R"(a\0b)",
                                 R"([\b])",
                                 R"(\bb)",
                                 R"([a-c-e])",
                                 "[--a]",
                                 "[a-]",
                                 "[-a]",
                                 R"([\d-])",
                                 R"([\w.-]+)",
                                 R"([\\])",
                                 "[[]",
                                 "}",
                                 "]",
                                 "a]",
                                 R"(\{\})",
                                 R"(\_)",
                                 R"(attn\_q)",
                                 R"(\-)",
                                 R"(\w\W\w)",
                                 "é",
                                 "[é]",
                                 R"(^.\W)",
                                 "()",
                                 "a||b",
                                 "|",
                                 "(|a)*b",
                                 "a{0}b",
                                 "(?:)",
                                 "(?!)",
                                 "a{1,}?",
                                 "a??",
                                 R"((a)|b\1)",
                                 R"((?:(a)|b)*\1)",
                                 "(a*)*b",
                                 "(a*)+$",
                                 "^(?:a|ab)(?:c|bcd)$",
                                 "[[:alpha:]_]+$",
                                 "[^[:space:]]",
                                 R"(\D\d\D)",
                                 R"(\S+\.)",
                                 "^(?=.*q)(?=.*b)",
                                 R"((?=(a))\1)",
                                 R"((?!(a))\1)",
                                 R"(blk\.*\.ffn)"}) {
    const auto expected = peer(text);
    const auto pattern = ours(text);
    ASSERT_TRUE(expected && pattern) << text;
    for (const std::string& name : all) {
      EXPECT_EQ(pattern->found_in(name), std::regex_search(name, *expected))
          << text << " in " << name;
    }
  }
}

// Refused, because the C++ library refuses it too, or reads it as none would guess: an escaped
// letter as the letter, a++ as (a+)+.
TEST(Pattern, OfAnotherDialectIsRefusedRatherThanReadOtherwise) {
  for (const std::string text :
       {"(?i)a",     "(?<=a)b",    "(?<!a)b",  "(?<n>a)",      "(?>a)",     "(?|a)",    "(?#a)",
        "(?1)",      "(*ACCEPT)",  "(*UTF)a",  "(*:a)",        "a++",       "a*+",      "a?+",
        "a{2}+",     "a**",        "a{2}{3}",  "a???",         "(?=a)*",    "(?!a){2}", R"(\b*)",
        R"(\Aa)",    R"(a\Z)",     R"(a\z)",   R"(\Qa.b\E)",   R"(\h)",     R"(\v)",    R"(\cA)",
        R"(\x4)",    R"(\x{61})",  R"(\u61)",  R"(\u0161)",    R"(\01)",    R"(\10)",   R"(\p{L})",
        R"(\K)",     R"(\G)",      R"(\e)",    R"(\1(a))",     R"((a\1))",  R"((a)\2)", "[[.a.]]",
        "[[=a=]]",   "[[:word:]]", "[[:<:]]a", "[[:^alpha:]]", "[[:alpha]", R"([\h])",  R"([\B])",
        R"([a-\d])", R"([\Q])",    "[b-a]",    "a{",           "a{,5}",     "a{1, 2}",  "{1}",
        "a{2,1}",    "^*",         "$+",       "*a",           "(+)",       "a|*",      "(",
        ")",         "(a",         "[a",       "a\\",          "",          "[^",       "[]?",
        "[]{0}a"}) {
    EXPECT_FALSE(ours(text)) << text;
  }
}

// GNU's library takes the place from which it looks ahead for the begin of the name, against
// ECMAScript: it finds a(?=^b) in "ab".
bool asks_for_the_begin_when_looking_ahead(const std::string& text) {
  static const std::regex kSuch(R"(\(\?[=!](.|\n)*(\^|\\b))");
  return std::regex_search(text, kSuch);
}

// Short patterns and names of few letters.
TEST(Pattern, FindsWhatThePeersFind) {
  std::mt19937 random(testing_support::random_seed());
  const auto draw = [&](const std::vector<std::string>& pieces, std::size_t most) {
    std::string text;
    for (std::size_t left = 1 + random() % most; left > 0; --left) {
      text += pieces[random() % pieces.size()];
    }
    return text;
  };
  const std::vector<std::string> tokens = {
      "a",     "a",    "a",     "b",     "b",   ".",   "1",         "-",   "_",   "*",   "+",
      "?",     "(",    "(",     ")",     ")",   "|",   "[",         "[",   "]",   "]",   "^",
      "$",     "\\",   "\\.",   "\\d",   "\\w", "\\b", "\\1",       "(?:", "(?=", "(?!", "{2}",
      "{0,1}", "{1,}", "[^",    "[a-b]", ",",   "{",   "}",         "=",   "!",   ":",   "\n",
      "\r",    "\\s",  "\\x61", "h",     "Q",   "E",   "[:alpha:]", "2"};
  const std::vector<std::string> letters = {"a", "a", "b", ".", "1", "-", "_", "\n", "\r", "2"};
  std::size_t accepted = 0;
  std::size_t found = 0;
  for (int i = 0; i < 40000; ++i) {
    const std::string text = draw(tokens, 8);
    if (asks_for_the_begin_when_looking_ahead(text)) continue;
    const auto expected = peer(text);
    const auto pattern = ours(text);
    if (!expected) {
      EXPECT_FALSE(pattern) << text;
    }
    if (!expected || !pattern) continue;
    ++accepted;
    for (int j = 0; j < 5; ++j) {
      const std::string name = draw(letters, 8);
      const bool should = std::regex_search(name, *expected);
      found += should ? 1 : 0;
      EXPECT_EQ(pattern->found_in(name), should) << text << " in " << name;
    }
  }
  EXPECT_GT(accepted, 5000u);
  EXPECT_GT(found, 5000u);
}

std::string complaint_of_match(const std::string& text, const std::string& name) {
  const Pattern pattern(text);
  try {
    EXPECT_FALSE(pattern.found_in(name));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.what();
  }
  return "";
}

// Where backtracking would take longer than the universe has, there is an answer or an error.
TEST(Pattern, OfHarmEndsWithAnErrorThatNamesIt) {
  const std::string name = std::string(500, 'a') + "b" + std::string(500, 'a');
  for (const std::string text :
       {"(a+)+$b", "(a|a)+$b", "(.*.*.*.*)*bb", "(?:a?){60}a{60}bb", "^(a|aa)+$", "(a+)+\\1bb"}) {
    const std::string complaint = complaint_of_match(text, name);
    EXPECT_NE(complaint.find("the pattern '" + text + "' takes too long"), std::string::npos)
        << text << ": " << complaint;
    EXPECT_LT(complaint.size(), 400u);
  }
  const std::string short_name = std::string(100, 'a') + "b" + std::string(100, 'a');
  EXPECT_NE(complaint_of_match("^(?:.*.*.*)bb", short_name), "") << "a million steps";
  EXPECT_EQ(complaint_of_match("(a+)+$b", "blk.0.ffn_down.weight"), "");
  std::string groups;
  for (int i = 0; i < 1000; ++i) groups += "()";
  EXPECT_THROW(Pattern("^(?:a|" + groups + ")*$").found_in(std::string(10000, 'a')), Error)
      << "hundreds of megabytes";
  EXPECT_EQ(complaint_of_match(".*weight", std::string(65535, 'a')), "");
  for (const std::string& text :
       {std::string("x{100000}"), std::string("(((a{50}){50}){50}){50}"),
        std::string("a{99999999999999999999}"), std::string("(a)\\") + std::string(40, '7'),
        std::string(100000, '('), std::string(1000, '(') + std::string(1000, ')'),
        std::string(100000, 'a'), "[" + std::string(100000, 'a'), std::string(100000, '\\')}) {
    EXPECT_FALSE(ours(text)) << text.substr(0, 40);
  }
}

}  // namespace
}  // namespace sluice
