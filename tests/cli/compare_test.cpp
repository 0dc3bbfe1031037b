// `sluice compare` and `sluice plan`: what they print, and their exit status.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
using Json = nlohmann::json;

class CompareCli : public testing::Test {
 protected:
  CompareCli() {
    std::vector<std::uint16_t> halves(256 * 600);
    for (std::size_t i = 0; i < halves.size(); ++i) {
      halves[i] = static_cast<std::uint16_t>(0x2c00 + i * 7919 % 1024 + (i % 3 == 0 ? 0x8000 : 0));
    }
    GgufBuilder builder;
    builder.string("general.architecture", "llama")
        .u32("llama.block_count", 1)
        .tensor("blk.0.attn_q.weight", {256, 600}, 1, bytes_of(halves))
        .tensor("blk.0.ffn_up.weight", {256, 600}, 1, bytes_of(halves))
        .tensor("output_norm.weight", {256}, 0, bytes_of(std::vector<float>(256, 1.0f)));
    write_file(model_, builder.build());
  }

  Finished sluice(std::vector<std::string> words) {
    words.insert(words.begin(), SLUICE_PROGRAM);
    return run(words);
  }

  TempFolder folder_;
  std::string model_ = folder_ / "model.gguf";
  std::string output_ = folder_ / "out.gguf";
};

TEST_F(CompareCli, ItsErrorsAreThoseThatTheQuantizerMeasured) {
  const std::string report = folder_ / "report.json";
  const std::string page = folder_ / "page.html";
  ASSERT_EQ(sluice({"quantize", "--pure", "--report", report, model_, output_, "Q4_K"}).status, 0);
  const Finished done = sluice({"compare", model_, output_, "--json", "--html", page});
  EXPECT_EQ(done.status, 0) << done.errors;
  const Json seen = Json::parse(done.out);
  const Json made = Json::parse(std::ifstream(report));
  EXPECT_EQ(seen["complete"], true);
  EXPECT_EQ(seen["identical"], false);
  ASSERT_EQ(seen["tensors"].size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const double expected = made["tensors"][i]["plain_error"];
    EXPECT_EQ(seen["tensors"][i]["name"], made["tensors"][i]["name"]);
    EXPECT_NEAR(seen["tensors"][i]["error"].get<double>(), expected, 1e-9 * expected);
  }
  const double total = made["total_error"]["plain"];
  EXPECT_NEAR(seen["total_error"]["plain"].get<double>(), total, 1e-9 * total);
  EXPECT_TRUE(seen["total_error"]["weighted"].is_null());
  EXPECT_EQ(seen["total_error"]["measured_weights"], 2 * 256 * 600);
  EXPECT_EQ(seen["total_error"]["weights"], 2 * 256 * 600);
  EXPECT_EQ(seen["worst"].size(), 2u);
  const std::string table = sluice({"compare", model_, output_}).out;
  EXPECT_NE(table.find("\n  error   " + fmt::format("{:.4g}", total) +
                       " over the 307 k weights of all tensors that differ\n  worst   blk.0."),
            std::string::npos)
      << table;
  EXPECT_EQ(seen["tensors"][0]["b"]["type"], "q4_k");
  EXPECT_EQ(seen["tensors"][2]["differing_bytes"], 0);
  const std::vector<std::byte> html = read_file(page);
  const std::string text(reinterpret_cast<const char*>(html.data()), html.size());
  EXPECT_NE(text.find("blk.0.attn_q.weight"), std::string::npos);

  const double error = seen["tensors"][0]["error"];
  EXPECT_EQ(sluice({"compare", model_, output_, "--max-error", std::to_string(error * 2)}).status,
            0);
  EXPECT_EQ(sluice({"compare", model_, output_, "--max-error", std::to_string(error / 2)}).status,
            1);
  for (const std::string bound : {"nan", "inf", "-1", "x"}) {
    const Finished refused = sluice({"compare", model_, output_, "--max-error", bound});
    EXPECT_EQ(refused.status, 2) << bound;
    EXPECT_NE(refused.errors.find("needs a number from 0 on"), std::string::npos) << refused.errors;
  }
}

TEST_F(CompareCli, ExitStatusTellsWhetherAllWasCompared) {
  const Finished same = sluice({"compare", model_, model_});
  EXPECT_EQ(same.status, 0);
  EXPECT_NE(same.out.find("byte for byte"), std::string::npos) << same.out;
  EXPECT_TRUE(same.out.ends_with("byte for byte\n")) << same.out;
  write_file(output_, GgufBuilder()
                          .string("general.architecture", "llama")
                          .tensor("blk.0.attn_q.weight", {256, 2}, 0, Bytes(2048))
                          .tensor("extra\x1b[2J", {256}, 0, Bytes(1024))
                          .build());
  const Finished other = sluice({"compare", model_, output_});
  EXPECT_EQ(other.status, 1);
  for (const std::string text : {"only in a", "only in b", "shapes differ: 256 x 600 and 256 x 2",
                                 "4 could not be compared"}) {
    EXPECT_NE(other.out.find(text), std::string::npos) << other.out;
  }
  EXPECT_EQ(other.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(sluice({"compare", model_}).status, 2);
  EXPECT_EQ(sluice({"compare", model_, folder_ / "none.gguf"}).status, 3);
  EXPECT_EQ(sluice({"compare", model_, model_, "--memory", "1M"}).status, 2);
  EXPECT_EQ(sluice({"compare", model_, model_, "--html", folder_ / "no/p.html"}).status, 4);
}

TEST_F(CompareCli, ThePlanTellsWhatTheRunNeeds) {
  const Finished done = sluice({"plan", "--json", "--pure", model_, output_, "Q4_K", "2"});
  ASSERT_EQ(done.status, 0) << done.errors;
  const Json json = Json::parse(done.out);
  EXPECT_NEAR(json["bits_per_weight"].get<double>(),
              (2 * 600 * 256 * 4.5 + 256 * 32) / (2 * 600 * 256 + 256), 1e-9);
  EXPECT_EQ(json["tensors"][0]["bits_per_weight"], 4.5);
  EXPECT_EQ(json["disk"]["needed"], json["output_bytes"]);
  EXPECT_EQ(json["disk"]["enough"], true);
  EXPECT_EQ(json["earlier_run"]["found"], false);
  EXPECT_EQ(json["memory"]["threads"], 2);
  EXPECT_EQ(json["memory"]["enough"], true);
  EXPECT_TRUE(json["spindle_reason"].is_string());
  EXPECT_GT(json["time"]["seconds"], 0);
  EXPECT_EQ(json["time"]["conversions"][0]["type"], "q4_k");

  const Json quick = Json::parse(
      sluice({"plan", "--json", "--no-estimate", "--pure", model_, output_, "Q4_K"}).out);
  EXPECT_TRUE(quick["time"].is_null());
  const Finished text = sluice({"plan", "--memory", "1M", "--pure", model_, output_, "Q4_K"});
  EXPECT_EQ(text.status, 0) << "a plan that cannot be carried out is still a plan";
  for (const std::string part :
       {"needed in", "free", "TOO LITTLE", "spindle", "about", "weights/s"}) {
    EXPECT_NE(text.out.find(part), std::string::npos) << text.out;
  }
}

}  // namespace
