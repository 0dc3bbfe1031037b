// Files that are broken, or made to break the reader: each is one clear error, and nothing large is
// allocated for it.

#include <gtest/gtest.h>

#include "tokenizer/checkpoint_files.h"
#include "tokenizer/checkpoints.h"

namespace sluice::tokenizer {
namespace {

using nlohmann::json;

// ---- SentencePiece's protobuf, written field by field ----

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(0x80 | (value & 0x7f));
  return out + static_cast<char>(value);
}
std::string tag(std::uint64_t number, unsigned wire) {
  return varint(number << 3 | wire);
}
std::string bytes_field(std::uint64_t number, const std::string& bytes) {
  return tag(number, 2) + varint(bytes.size()) + bytes;
}
std::string score_field(float score) {
  return tag(2, 5) + std::string(reinterpret_cast<const char*>(&score), sizeof(score));
}
std::string type_field(std::uint64_t type) {
  return tag(3, 0) + varint(type);
}
std::string piece(const std::string& fields) {
  return bytes_field(1, fields);
}

CheckpointFiles sentencepiece(const std::string& model) {
  CheckpointFiles files;
  files.model.architecture = "llama";
  files.texts["tokenizer.model"] = model;
  return files;
}

TEST(HostileSentencePiece, WhatAModelMayHave) {
  // Fields out of order, left out, unknown ones of every kind, and other messages between.
  const std::string unknown = tag(9, 0) + varint(~0ull) + tag(10, 1) + std::string(8, 'x') +
                              bytes_field(11, "y") + tag(1u << 28, 5) + "abcd";
  const Tokenizer read =
      sentencepiece(bytes_field(2, "trainer") + piece(type_field(2) + bytes_field(1, "<unk>")) +
                    piece(unknown + score_field(-2.5) + bytes_field(1, "a")) + unknown + piece("") +
                    piece(bytes_field(1, "<0x0A>") + type_field(6)) +
                    piece(bytes_field(1, "user") + type_field(4)) +
                    piece(bytes_field(1, "unused") + type_field(5)))
          .read();
  EXPECT_EQ(strings(read, "tokenizer.ggml.tokens"),
            (std::vector<std::string>{"<unk>", "a", "", "<0x0A>", "user", "unused"}));
  EXPECT_EQ(numbers<float>(read, "tokenizer.ggml.scores"),
            (std::vector<float>{0, -2.5, 0, 0, 0, 0}));
  EXPECT_EQ(numbers<std::int32_t>(read, "tokenizer.ggml.token_type"),
            (std::vector<std::int32_t>{2, 1, 1, 6, 1, 5}));
}

TEST(HostileSentencePiece, BrokenFields) {
  const std::string good = piece(bytes_field(1, "a"));
  const std::string nan("\xff\xff\xff\xff", 4);
  for (const std::string& model : {
           std::string(),
           std::string("\n"),
           good + "\x0a",
           good + tag(1, 2) + varint(100) + "short",
           good + tag(1, 2) + varint(~0ull),
           good + std::string(11, '\xff'),
           good + tag(1, 3),
           good + tag(1, 7),
           tag(1, 0) + varint(5),
           tag(1, 5) + "abcd",
           piece(tag(1, 0) + varint(1)),
           piece(bytes_field(2, "abcd")),
           piece(tag(2, 1) + "abcdefgh"),
           piece(bytes_field(3, "a")),
           piece(type_field(0)),
           piece(type_field(7)),
           piece(type_field(1ull << 32 | 1)),
           piece(bytes_field(1, "\xff")),
           piece(bytes_field(1, "\xed\xa0\x80")),
           piece(bytes_field(1, "a")).substr(0, 4),
           piece(tag(2, 5) + nan),
           piece(tag(1, 2) + varint(1)),
           bytes_field(2, "only a trainer"),
       }) {
    const std::string error = sentencepiece(model).error();
    EXPECT_NE(error.find("tokenizer.model: is no SentencePiece model"), std::string::npos) << error;
  }
}

TEST(HostileSentencePiece, CutOffAnywhere) {
  const std::string whole = read_text(kCheckpoints + "llama2_spm/tokenizer.model");
  std::size_t readable = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    try {
      readable += sentencepiece(whole.substr(0, size)).read().tokens <= 300 ? 1 : 0;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input_format);
      EXPECT_TRUE(error.context().offset) << error.what();
    }
  }
  EXPECT_LE(readable, 302u) << "between pieces only";
}

// ---- JSON ----

CheckpointFiles with_json(const std::string& text) {
  CheckpointFiles files;
  files.pre = "gpt-2";
  files.texts["tokenizer.json"] = text;
  return files;
}
CheckpointFiles with_model(const std::string& vocab, const std::string& merges) {
  return with_json(R"({"model": {"type": "BPE", "vocab": )" + vocab + R"(, "merges": )" + merges +
                   "}}");
}

TEST(HostileJson, IdsThatAreNone) {
  for (const std::string id :
       {"-1", "1048576", "4294967295", "4294967296", "18446744073709551615", "18446744073709551616",
        "1.5", "1e300", "true", "null", "\"1\"", "[1]", "{}"}) {
    const std::string error = with_model(R"({"a": )" + id + "}", R"(["a b"])").error();
    EXPECT_NE(error.find("the token 'a' has the id"), std::string::npos) << id << ": " << error;
    const std::string added =
        with_json(R"({"added_tokens": [{"content": "a", "id": )" + id +
                  R"(}], "model": {"type": "BPE", "vocab": {"b": 0}, "merges": ["a b"]}})")
            .error();
    EXPECT_NE(added.find("the token 'a' has the id"), std::string::npos) << id << ": " << added;
  }
}

TEST(HostileJson, IdsThatAreGivenTwice) {
  const std::string vocab = with_model(R"({"a": 5, "b": 5})", R"(["a b"])").error();
  EXPECT_NE(vocab.find("the id 5 is given to 'a' and to 'b'"), std::string::npos) << vocab;
  const std::string model = R"(, "model": {"type": "BPE", "vocab": {"a": 5}, "merges": ["a b"]}})";
  const std::string added =
      with_json(R"({"added_tokens": [{"content": "x", "id": 7}, {"content": "y", "id": 7}])" +
                model)
          .error();
  EXPECT_NE(added.find("the id 7 is given to the added tokens 'x' and 'y'"), std::string::npos)
      << added;
  // An added token may stand for one of the model's.
  EXPECT_EQ(strings(with_json(R"({"added_tokens": [{"content": "x", "id": 5}])" + model).read(),
                    "tokenizer.ggml.tokens")[5],
            "x");
}

TEST(HostileJson, MergesThatAreNotOfTwoParts) {
  for (const std::string merge :
       {R"("a b c")", R"("ab")", R"("")", R"(["a"])", R"(["a", "b", "c"])", R"(["a", 1])",
        R"([["a"], "b"])", "[]", "{}", "5", "null"}) {
    const std::string error = with_model(R"({"a": 0})", R"(["a b", )" + merge + "]").error();
    EXPECT_NE(error.find("merge 1 is not of two parts"), std::string::npos) << merge << error;
  }
}

TEST(HostileJson, OtherModels) {
  for (const std::string type : {"\"Unigram\"", "\"WordPiece\"", "\"\\u001b[2J\"", "5", "null"}) {
    const std::string error =
        with_json(R"({"model": {"type": )" + type + R"(, "vocab": [["a", -1.5]]}})").error();
    EXPECT_NE(error.find("only BPE"), std::string::npos) << error;
    EXPECT_EQ(error.find('\x1b'), std::string::npos);
  }
}

TEST(HostileJson, WhatIsNoTokenizer) {
  for (const std::string text :
       {"", "{", "[]", "5", "null", "{}", R"({"model": 5})", R"({"model": []})",
        R"({"model": {"type": "BPE"}})", R"({"model": {"type": "BPE", "vocab": 5, "merges": 5}})",
        R"({"model": {"vocab": ["a"], "merges": {"a": "b c"}}})", R"({"added_tokens": [5]})",
        R"({"added_tokens": {"a": 1}, "model": {}})", R"({"added_tokens": [{"id": 5}]})"}) {
    EXPECT_NE(with_json(text).error(), "no error") << text;
  }
}

TEST(HostileJson, TextThatIsNotUtf8) {
  for (const std::string bytes : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\\ud800",
                                  "\\udc00", "\\ud800\\ud800"}) {
    const std::string error = with_model("{\"" + bytes + "\": 0}", R"(["a b"])").error();
    EXPECT_NE(error.find("is no JSON text"), std::string::npos) << error;
  }
}

TEST(HostileJson, CutOffAnywhere) {
  const std::string whole = read_text(kCheckpoints + "llama32_tied/tokenizer.json");
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    EXPECT_NE(with_json(whole.substr(0, size)).error(), "no error") << size;
  }
}

TEST(HostileJson, DeepNesting) {
  const std::string deep(1 << 20, '[');
  for (const std::string key :
       {"model", "pre_tokenizer", "post_processor", "added_tokens", "other"}) {
    const std::string error = with_json("{\"" + key + "\": " + deep).error();
    EXPECT_NE(error.find("nested more than 64 deep"), std::string::npos) << error;
  }
  for (const std::string name :
       {"config.json", "tokenizer_config.json", "added_tokens.json", "chat_template.json"}) {
    CheckpointFiles files = sentencepiece(piece(bytes_field(1, "a")));
    files.texts["tokenizer_config.json"] = "{}";
    files.texts[name] = "{\"chat_template\": " + deep;
    EXPECT_NE(files.error().find("nested more than 64 deep"), std::string::npos) << name;
  }
}

TEST(HostileJson, AsDeepAsIsAllowed) {
  const auto nested = [](std::size_t levels) {
    return with_json(R"({"other": )" + std::string(levels, '[') + std::string(levels, ']') +
                     R"(, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}})");
  };
  EXPECT_EQ(nested(63).read().tokens, 1u);
  EXPECT_NE(nested(64).error().find("nested more than 64 deep"), std::string::npos);
}

TEST(HostileJson, SettingsOfMillionsOfValues) {
  std::string many = "[0";
  for (int i = 0; i < 300000; ++i) many += ",0";
  many += ']';
  const std::string error = with_json(R"({"pre_tokenizer": )" + many + "}").error();
  EXPECT_NE(error.find("has more than 262144 values"), std::string::npos) << error;
  // Where nobody looks they may be.
  EXPECT_EQ(with_json(R"({"other": )" + many +
                      R"(, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}})")
                .read()
                .tokens,
            1u);
}

TEST(HostileJson, AddedTokensOfOtherFiles) {
  const auto with = [](const std::string& name, const std::string& text) {
    CheckpointFiles files = sentencepiece(piece(bytes_field(1, "a")));
    files.texts[name] = text;
    return files.error();
  };
  for (const std::string text : {R"({"a": -1})", R"({"a": "1"})", R"({"a": 99999999})"}) {
    EXPECT_NE(with("added_tokens.json", text).find("added_tokens.json"), std::string::npos);
  }
  EXPECT_NE(with("added_tokens.json", "[]").find("no JSON object"), std::string::npos);
  for (const std::string key : {"", "x", "-1", "1x", " 1", "99999999", "18446744073709551616"}) {
    const std::string error = with("tokenizer_config.json", R"({"added_tokens_decoder": {")" + key +
                                                                R"(": {"content": "a"}}})");
    EXPECT_NE(error.find("tokenizer_config.json"), std::string::npos) << error;
  }
  for (const std::string token : {"5", "{}", R"({"content": 5})"}) {
    const std::string error =
        with("tokenizer_config.json", R"({"added_tokens_decoder": {"1": )" + token + "}}");
    EXPECT_NE(error.find("'1' is no id with a token's content"), std::string::npos) << error;
  }
}

TEST(HostileSizes, VocabSizes) {
  CheckpointFiles files = with_model(R"({"a": 0})", R"(["a b"])");
  files.model.vocab_size = 1 << 20;
  EXPECT_EQ(files.read().tokens, 1u << 20);
  CheckpointFiles spm = sentencepiece(piece(bytes_field(1, "a")));
  for (const std::uint64_t size : {(1ull << 20) + 1, 1ull << 40, ~0ull}) {
    files.model.vocab_size = spm.model.vocab_size = size;
    EXPECT_NE(files.error().find("vocab_size"), std::string::npos);
    EXPECT_NE(spm.error().find("vocab_size"), std::string::npos);
  }
}

// ---- lists of ranks ----

TEST(HostileRanks, Lines) {
  for (const std::string line : {"YQ==", "YQ== ", "YQ== x", "YQ== -1", "YQ== 1 2", "YQ= 1",
                                 "Y*== 1", "YQ==  1", " 1", "= 1", "YQ== 99999999999999999999",
                                 "YQ== 1048576", "YQ== 0\nYQ== 1", "YQ== 0\nYg== 0", "\x1b[2J 1"}) {
    CheckpointFiles files;
    files.model.architecture = "deepseek2";
    files.texts["tiktoken.model"] = line;
    const std::string error = files.error();
    EXPECT_NE(error.find("tiktoken.model"), std::string::npos) << line << ": " << error;
    EXPECT_EQ(error.find('\x1b'), std::string::npos);
  }
}

TEST(HostileRanks, ATokenOfMegabytes) {
  CheckpointFiles files;
  files.model.architecture = "deepseek2";
  files.texts["tiktoken.model"] = std::string(4 << 20, 'A') + " 0\n";
  EXPECT_NE(files.error().find("1 to 1024 are possible"), std::string::npos);
}

TEST(HostileRanks, Tekken) {
  const json good = {{"config", {{"default_vocab_size", 3}, {"default_num_special_tokens", 1}}},
                     {"vocab", {{{"rank", 0}, {"token_bytes", "YQ=="}}}},
                     {"special_tokens", {{{"rank", 0}, {"token_str", "<s>"}}}}};
  const auto error = [](const json& tekken) {
    CheckpointFiles files;
    files.texts["tekken.json"] = tekken.dump();
    return files.error();
  };
  EXPECT_EQ(error(good), "no error");
  for (const char* pointer :
       {"/config", "/config/default_vocab_size", "/config/default_num_special_tokens",
        "/vocab/0/rank", "/vocab/0/token_bytes", "/special_tokens", "/special_tokens/0/rank"}) {
    for (const json& value :
         {json(nullptr), json(-1), json(1 << 30), json("?"), json(json::array())}) {
      json broken = good;
      broken[json::json_pointer(pointer)] = value;
      EXPECT_NE(error(broken).find("tekken.json"), std::string::npos) << broken;
    }
  }
}

TEST(HostileFolder, NothingToRead) {
  EXPECT_NE(CheckpointFiles().error().find("has no tokenizer that can be read"), std::string::npos);
}

}  // namespace
}  // namespace sluice::tokenizer
