// `sluice inspect`: what it shows of files that were put together byte by byte.

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/sparse_model.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
using Json = nlohmann::json;

class Inspect : public testing::Test {
 protected:
  Inspect() {
    std::vector<std::string> tokens;
    for (int i = 0; i < 1000; ++i) tokens.push_back("token-" + std::to_string(i));
    Bytes nested;
    put(nested, std::uint32_t{9});  // arrays
    put(nested, std::uint64_t{2});
    const Bytes numbers = array_bytes<std::int32_t>(5, {1, -2});
    put_bytes(nested, numbers.data(), numbers.size());
    const Bytes texts = string_array_bytes({"x", "y"});
    put_bytes(nested, texts.data(), texts.size());
    GgufBuilder builder;
    builder.string("general.architecture", "llama")
        .u32("llama.block_count", 2)
        .i32("a.negative", -5)
        .f32("a.float", 1e-5f)
        .boolean("a.bool", true)
        .strings("tokenizer.ggml.tokens", tokens)
        .f32s("a.floats", {0.5f, -2.0f})
        .raw("a.nested", 9, nested)
        .raw("a.large", 10, bytes_of(std::vector<std::uint64_t>{~std::uint64_t{0}}))
        .tensor("blk.0.attn_q.weight", {256, 4}, 1, Bytes(2048))
        .tensor("blk.1.attn_q.weight", {256, 4}, 12, Bytes(4 * 144))
        .tensor("output_norm.weight", {256}, 0, Bytes(1024));
    write_file(model_, builder.build());
  }

  Finished inspect(std::vector<std::string> words) {
    words.insert(words.begin(), {SLUICE_PROGRAM, "inspect"});
    return run(words);
  }

  Json json_of(std::vector<std::string> words) {
    words.push_back("--json");
    const Finished done = inspect(words);
    EXPECT_EQ(done.status, 0) << done.errors;
    return Json::parse(done.out);
  }

  TempFolder folder_;
  std::string model_ = folder_ / "model.gguf";
};

TEST_F(Inspect, JsonHasEveryValueAndTensor) {
  const Json json = json_of({model_});
  EXPECT_EQ(json["files"][0]["path"], model_);
  EXPECT_EQ(json["files"][0]["version"], 3);
  EXPECT_EQ(json["files"][0]["size"], std::filesystem::file_size(model_));
  const Json& metadata = json["metadata"];
  EXPECT_EQ(metadata["general.architecture"], (Json{{"type", "string"}, {"value", "llama"}}));
  EXPECT_EQ(metadata["a.negative"]["value"], -5);
  EXPECT_EQ(metadata["a.float"]["value"], 1e-5) << "as short as a float needs";
  EXPECT_EQ(metadata["a.bool"]["value"], true);
  EXPECT_EQ(metadata["a.large"]["value"], ~std::uint64_t{0});
  EXPECT_EQ(metadata["a.floats"]["value"], (Json{0.5, -2.0}));
  EXPECT_EQ(metadata["a.nested"]["value"], Json::parse(R"([[1, -2], ["x", "y"]])"));
  const Json& tokens = metadata["tokenizer.ggml.tokens"];
  EXPECT_EQ(tokens["count"], 1000);
  EXPECT_EQ(tokens["element"], "string");
  EXPECT_EQ(tokens["value"].size(), 6u);
  EXPECT_EQ(tokens["value"][5], "token-5");
  ASSERT_EQ(json["tensors"].size(), 3u);
  const Json& tensor = json["tensors"][1];
  EXPECT_EQ(tensor["name"], "blk.1.attn_q.weight");
  EXPECT_EQ(tensor["shape"], (Json{256, 4}));
  EXPECT_EQ(tensor["type"], "q4_k");
  EXPECT_EQ(tensor["size"], 4 * 144);
  EXPECT_EQ(tensor["offset"], std::filesystem::file_size(model_) - 1024 - 4 * 144);
  EXPECT_EQ(json["weights"], 256 * 9);
  EXPECT_EQ(json["types"]["q4_k"], (Json{{"tensors", 1}, {"weights", 1024}, {"bytes", 576}}));
  EXPECT_NEAR(json["bits_per_weight"].get<double>(), 8.0 * (2048 + 576 + 1024) / (256 * 9), 1e-9);
  EXPECT_EQ(json_of({model_, "--full"})["metadata"]["tokenizer.ggml.tokens"]["value"].size(),
            1000u);
}

TEST_F(Inspect, TextShortensWhatIsLong) {
  const Finished done = inspect({model_});
  EXPECT_EQ(done.status, 0) << done.errors;
  EXPECT_NE(done.out.find("string[1000]  [\"token-0\", "), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("…]"), std::string::npos);
  EXPECT_EQ(done.out.find("token-7"), std::string::npos);
  EXPECT_NE(inspect({model_, "--full"}).out.find("token-999"), std::string::npos);
}

TEST_F(Inspect, FiltersChooseKeysTensorsAndTypes) {
  const Json keys = json_of({model_, "--key", "*.architecture", "--key", "a.b*"});
  EXPECT_EQ(keys["metadata"].size(), 2u);
  EXPECT_FALSE(keys.contains("tensors"));
  const auto names = [&](std::vector<std::string> words) {
    const Json json = json_of(std::move(words));
    EXPECT_FALSE(json.contains("metadata"));
    std::string all;
    for (const Json& tensor : json["tensors"]) all += tensor["name"].get<std::string>() + " ";
    return all;
  };
  EXPECT_EQ(names({model_, "--tensor", "blk.*.attn_?.weight"}),
            "blk.0.attn_q.weight blk.1.attn_q.weight ");
  EXPECT_EQ(names({model_, "--tensor", "attn_q"}), "") << "a shell pattern is for the whole name";
  EXPECT_EQ(names({model_, "--regex", "--tensor", R"(^blk\.[1-9].*q)"}), "blk.1.attn_q.weight ");
  EXPECT_EQ(names({model_, "--type", "F16", "--type", "f32"}),
            "blk.0.attn_q.weight output_norm.weight ");
  for (const auto& [option, note] : {std::pair("--key", "no metadata fits --key"),
                                     std::pair("--tensor", "no tensor fits --tensor\n"),
                                     std::pair("--type", "no tensor fits --type\n")}) {
    const Finished none = inspect({model_, option, "iq1_m"});
    EXPECT_EQ(none.status, 0);
    EXPECT_NE(none.errors.find(note), std::string::npos) << none.errors;
  }
  EXPECT_EQ(inspect({model_, "--type", "q9"}).status, 2);
  EXPECT_EQ(inspect({model_, "--regex", "--key", "("}).status, 2);
}

TEST_F(Inspect, PartsAreJoined) {
  const std::vector<std::string> files{"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"};
  for (std::uint16_t part = 0; part < 2; ++part) {
    GgufBuilder builder;
    builder.string("general.architecture", "llama")
        .u16("split.no", part)
        .u16("split.count", 2)
        .i32("split.tensors.count", 2)
        .tensor(part == 0 ? "first" : "second", {256}, 0, Bytes(1024));
    write_file(folder_ / files[part], builder.build());
  }
  const Json json = json_of({folder_ / "m-00002-of-00002.gguf"});
  EXPECT_EQ(json["files"].size(), 2u);
  ASSERT_EQ(json["tensors"].size(), 2u);
  EXPECT_EQ(json["tensors"][0]["file"], 0);
  EXPECT_EQ(json["tensors"][1]["file"], 1);
  EXPECT_NE(inspect({folder_ / "m-00001-of-00002.gguf"}).out.find("part"), std::string::npos);
}

TEST_F(Inspect, AnyGgufFileWillDo) {
  const Json matrix = json_of({std::string(SLUICE_TEST_DATA) + "/imatrix/tiny-llama.imatrix.gguf"});
  EXPECT_EQ(matrix["metadata"]["general.type"]["value"], "imatrix");
  EXPECT_GT(matrix["tensors"].size(), 10u);
  write_file(model_, GgufBuilder().build());
  EXPECT_EQ(json_of({model_})["tensors"].size(), 0u);
  EXPECT_EQ(inspect({model_}).status, 0);
  write_file(model_, Bytes(100));
  EXPECT_EQ(inspect({model_}).status, 3);
  EXPECT_EQ(inspect({folder_ / "none.gguf"}).status, 3);
}

TEST_F(Inspect, ShowsTypesThatNobodyKnows) {
  write_file(model_, GgufBuilder()
                         .string("general.architecture", "llama")
                         .tensor("blk.0.ffn_up.weight", {256, 8}, 77, Bytes(70))
                         .tensor("blk.0.ffn_down.weight", {256, 8}, 144, Bytes(8 * 140))
                         .build());
  const Finished done = inspect({model_});
  EXPECT_EQ(done.status, 0) << done.errors;
  for (const char* text : {"general.architecture", "blk.0.ffn_up.weight", "256 x 8", "#77", "<= 96",
                           "iq4_ks", " 1120 "}) {
    EXPECT_NE(done.out.find(text), std::string::npos) << text << " in " << done.out;
  }
  EXPECT_NE(done.errors.find("llama.cpp has no types #77, iq4_ks"), std::string::npos);
  const Json json = json_of({model_});
  EXPECT_EQ(json["tensors"][0]["type"], "#77");
  EXPECT_EQ(json["tensors"][0]["size"], 96);
  EXPECT_EQ(json["tensors"][0]["size_known"], false);
  EXPECT_FALSE(json["tensors"][1].contains("size_known"));
  EXPECT_EQ(json["notes"].size(), 1u);
  EXPECT_EQ(json_of({model_, "--type", "IQ4_KS"})["tensors"].size(), 1u);
}

TEST_F(Inspect, ATerabyteIsItsHeader) {
  write_sparse_model(model_, "deepseek-v3");
  const Json json = json_of({model_});
  EXPECT_GT(json["files"][0]["size"], std::uint64_t{1} << 40);
  EXPECT_EQ(json["metadata"]["tokenizer.ggml.tokens"]["count"], 200000);
}

TEST_F(Inspect, APageHasTheSame) {
  const std::string page = folder_ / "page.html";
  const Finished done = inspect({model_, "--html", page});
  EXPECT_EQ(done.status, 0) << done.errors;
  EXPECT_EQ(done.out, page + "\n");
  const Bytes bytes = read_file(page);
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_NE(text.find("<h1>model.gguf</h1>"), std::string::npos);
  const std::string begin = "id=\"data\">";
  const std::size_t from = text.find(begin) + begin.size();
  const Json data = Json::parse(text.substr(from, text.find("</script>", from) - from));
  EXPECT_EQ(data["page"], "model");
  EXPECT_EQ(data["model"], json_of({model_}));
  // A page never takes the place of a model.
  EXPECT_EQ(inspect({model_, "--html", model_}).status, 4);
  EXPECT_EQ(inspect({model_}).status, 0);
  write_file(page, read_file(model_));
  EXPECT_EQ(inspect({model_, "--html", page}).status, 2);
  EXPECT_EQ(read_file(page), read_file(model_));
  EXPECT_EQ(inspect({model_, "--html", folder_ / "no/page.html"}).status, 4);
}

TEST_F(Inspect, NamesAndValuesCannotDriveTheTerminal) {
  const std::string bad =
      "a\x1b[2J\xc2\x9b"
      "2J\n<script>";
  GgufBuilder builder;
  builder.string("key" + bad, bad).strings("list", {bad}).tensor("t" + bad, {256}, 0, Bytes(1024));
  write_file(model_, builder.build());
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{model_}, {model_, "--full"}, {model_, "--json"}}) {
    const Finished done = inspect(words);
    EXPECT_EQ(done.status, 0);
    EXPECT_EQ(done.out.find('\x1b'), std::string::npos) << done.out;
    EXPECT_EQ(done.out.find("\xc2\x9b"), std::string::npos) << done.out;
    EXPECT_EQ(done.out.find("\n<script>"), std::string::npos) << done.out;
  }
  EXPECT_EQ(json_of({model_})["tensors"][0]["name"], "t" + bad);
}

}  // namespace
