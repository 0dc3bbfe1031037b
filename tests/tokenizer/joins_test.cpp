// Joining against the definition: look at all neighbours, join the best pair, look again.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>

#include "tokenizer/encoder_models.h"

namespace sluice::tokenizer {
namespace {

using Pieces = std::vector<std::string>;

/// How early two neighbours are joined, the least first; nothing: never.
using Order = std::function<std::optional<double>(const std::string&, const std::string&)>;

Pieces join_by_definition(Pieces pieces, const Order& order) {
  while (true) {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
      const auto rank = order(pieces[i], pieces[i + 1]);
      if (rank && (!best || *rank < *order(pieces[*best], pieces[*best + 1]))) best = i;
    }
    if (!best) return pieces;
    pieces[*best] += pieces[*best + 1];
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(*best) + 1);
  }
}

std::string random_word(std::mt19937& random, const Pieces& letters, std::size_t most) {
  std::string word;
  for (std::size_t n = 1 + random() % most; n > 0; --n) word += letters[random() % letters.size()];
  return word;
}

/// Characters of a text of these letters.
Pieces split(std::string_view text, const Pieces& letters) {
  Pieces out;
  while (!text.empty()) {
    for (const std::string& letter : letters) {
      if (!text.starts_with(letter)) continue;
      out.push_back(letter);
      text.remove_prefix(letter.size());
      break;
    }
  }
  return out;
}

TEST(Joins, ByScoresAreWhatTheDefinitionSays) {
  const Pieces letters = {"a", "b", "\u00e4", "\u2581"};
  std::mt19937 random(16);
  for (int round = 0; round < 60; ++round) {
    std::map<std::string, double> scores;
    for (const std::string& letter : letters) scores[letter] = 0;
    for (int i = 0; i < 40; ++i) {
      scores[random_word(random, letters, 5)] = -static_cast<double>(random() % 20);
    }
    // In every other round no token has a space within, so that words are taken one by one.
    std::vector<SmallToken> tokens;
    for (const auto& [text, score] : scores) {
      const bool has_space_within = text.find("\u2581", 1) != std::string::npos;
      if (round % 2 == 0 || !has_space_within) tokens.push_back({text, static_cast<float>(score)});
    }
    gguf::Header model = small_vocabulary("llama", tokens);
    model.set("tokenizer.ggml.add_space_prefix", gguf::Value::of(false));
    std::map<std::string, double> kept;
    for (const SmallToken& token : tokens) kept[token.text] = token.score;
    const auto encoder = encoder_of(model);
    const Order by_score = [&](const std::string& l, const std::string& r) {
      const auto found = kept.find(l + r);
      return found == kept.end() ? std::nullopt : std::optional(-found->second);
    };
    for (int i = 0; i < 30; ++i) {
      const std::string text = random_word(random, {"a", "b", "\u00e4", " "}, 40);
      std::string escaped;
      for (const char c : text) escaped += c == ' ' ? "\u2581" : std::string(1, c);
      EXPECT_EQ(texts_of(model, encoder->encode(text, false, false)),
                join_by_definition(split(escaped, letters), by_score))
          << text;
    }
  }
}

TEST(Joins, ByMergesAreWhatTheDefinitionSays) {
  const Pieces letters = {"a", "b", "c"};
  std::mt19937 random(17);
  for (int round = 0; round < 60; ++round) {
    Pieces known = letters;
    std::vector<std::string> merges;
    std::map<std::pair<std::string, std::string>, double> ranks;
    for (int i = 0; i < 30; ++i) {
      const std::string left = known[random() % known.size()];
      const std::string right = known[random() % known.size()];
      ranks.emplace(std::pair(left, right), static_cast<double>(merges.size()));
      merges.push_back(left + " " + right);
      if (std::find(known.begin(), known.end(), left + right) == known.end()) {
        known.push_back(left + right);
      }
    }
    std::vector<SmallToken> tokens;
    for (const std::string& text : known) tokens.push_back({text});
    const gguf::Header model = small_pairs("gpt-2", tokens, merges);
    const auto encoder = encoder_of(model);
    const Order by_rank = [&](const std::string& l, const std::string& r) {
      const auto found = ranks.find({l, r});
      return found == ranks.end() ? std::nullopt : std::optional(found->second);
    };
    for (int i = 0; i < 30; ++i) {
      const std::string word = random_word(random, letters, 30);
      EXPECT_EQ(texts_of(model, encoder->encode(word, false, false)),
                join_by_definition(split(word, letters), by_rank))
          << word;
    }
  }
}

TEST(Joins, WhatAMergeLeavesThatIsNoTokenIsSpelledByItsBytes) {
  const gguf::Header model =
      small_pairs("gpt-2", {{"a"}, {"b"}, {"c"}, {"abc"}}, {"a b", "ab c", "b c"});
  const auto encoder = encoder_of(model);
  EXPECT_EQ(texts_of(model, encoder->encode("abc", false, false)), (Pieces{"abc"}));
  EXPECT_EQ(texts_of(model, encoder->encode("abab", false, false)), (Pieces{"a", "b", "a", "b"}));
  // The letters of bytes beyond ASCII have two bytes, of which llama.cpp looks for tokens too.
  EXPECT_EQ(texts_of(model, encoder->encode("a\u00e4", false, false)), (Pieces{"a"}));
}

TEST(Joins, BytesStandForWhatNoTokenHas) {
  const gguf::Header model =
      small_vocabulary("llama", {{"<unk>"}, {"\u2581"}, {"a"}, {"<0xC3>"}, {"<0xA4>"}, {"<0xFF>"}});
  const auto encoder = encoder_of(model);
  EXPECT_EQ(texts_of(model, encoder->encode("a\u00e4\xff", false, false)),
            (Pieces{"\u2581", "a", "<0xC3>", "<0xA4>", "<0xFF>"}));
}

TEST(Joins, AMegabyteOfOneLetterTakesNoTimeToSpeakOf) {
  std::vector<SmallToken> tokens = {{"x"}, {"xx", -1}, {"xxxx", -2}};
  const std::string text(1 << 20, 'x');
  gguf::Header model = small_vocabulary("llama", tokens);
  model.set("tokenizer.ggml.add_space_prefix", gguf::Value::of(false));
  EXPECT_EQ(encoder_of(model)->encode(text, false, false).size(), text.size() / 4);
  model = small_pairs("llama-bpe", tokens, {"x x", "xx xx"});
  model.set("tokenizer.ggml.add_bos_token", gguf::Value::of(false));
  EXPECT_EQ(encoder_of(model)->encode(text, false, false).size(), text.size() / 4);
}

}  // namespace
}  // namespace sluice::tokenizer
