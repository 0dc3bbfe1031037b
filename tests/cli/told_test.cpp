// What a run tells: on a terminal, in its summary, in its report; and the plan, before.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "cli_fixture.h"
#include "sluice/version.h"

namespace sluice::testing_support {
namespace {

namespace fs = std::filesystem;

TEST_F(Cli, OnATerminalOneLiveLine) {
  const Finished done = run_on_terminal({"env", "TERM=xterm", "NO_COLOR=1", SLUICE_PROGRAM,
                                         "quantize", "--pure", model_, output_, "Q4_0"},
                                        60);
  EXPECT_EQ(done.status, 0) << done.out;
  EXPECT_NE(done.out.find('\r'), std::string::npos);
  EXPECT_NE(done.out.find("100.0 %"), std::string::npos) << "the end must be seen";
  EXPECT_EQ(done.out.find("[4/4]"), std::string::npos);
  // No live line may wrap: between two line starts there are fewer columns than the terminal has.
  std::string live = done.out;
  while (live.starts_with("note: ")) live.erase(0, live.find('\n') + 1);
  live = live.substr(0, live.find('\n'));
  std::size_t start = 0;
  for (std::size_t at; (at = live.find('\r', start)) != std::string::npos; start = at + 1) {
    EXPECT_LT(at - start, 60u);
  }
}

TEST_F(Cli, OnATerminalAnErrorHasALineOfItsOwn) {
  std::vector<std::byte> bytes = read_file(model_);
  std::fill(bytes.end() - 1000, bytes.end() - 900, std::byte{0xff});  // NaN
  write_file(model_, bytes);
  const Finished done =
      run_on_terminal({"env", "TERM=xterm", "NO_COLOR=1", SLUICE_PROGRAM, "quantize", "--pure",
                       "--memory", "8M", model_, output_, "Q4_0", "1"},
                      60);
  EXPECT_EQ(done.status, 3) << done.out;
  EXPECT_NE(done.out.find("\nsluice: "), std::string::npos) << done.out;
}

TEST_F(Cli, TheReportHasTheFactsOfTheRun) {
  const std::string report = folder_ / "report.json";
  const Finished done = sluice(
      {"quantize", "--pure", "--io", "read", "--report", report, model_, output_, "Q8_0", "1"});
  ASSERT_EQ(done.status, 0) << done.errors;
  std::ifstream file(report);
  const nlohmann::json json = nlohmann::json::parse(file);
  for (const std::string key : {"wall_s", "read_s", "write_s", "compute_s"}) {
    EXPECT_GT(json[key].get<double>(), 0) << key;
  }
  EXPECT_EQ(json["read_bytes"], 3 * 256 * 600 * 2 + 1024);
  EXPECT_EQ(json["write_bytes"], fs::file_size(output_));
  EXPECT_GT(json["peak_anon_bytes"], 0);
  EXPECT_EQ(json["io"], "read");
  EXPECT_TRUE(json["isa"].is_string());
  EXPECT_EQ(json["threads"], 1);
  ASSERT_EQ(json["tensors"].size(), 4u);
  const nlohmann::json& tensor = json["tensors"][1];
  EXPECT_EQ(tensor["name"], "blk.0.attn_q.weight");
  EXPECT_EQ(tensor["source"], "f16");
  EXPECT_EQ(tensor["type"], "q8_0");
  EXPECT_EQ(tensor["shape"], (std::vector<int>{256, 600}));
  EXPECT_EQ(tensor["bytes"], 256 / 32 * 34 * 600);
  EXPECT_GT(tensor["weighted_error"], 0);
  EXPECT_LT(tensor["plain_error"], 1e-3);
  EXPECT_FALSE(tensor.contains("asked"));
}

TEST_F(Cli, TheReportSaysWhatWasToBeDone) {
  const std::string report = folder_ / "report.json";
  const auto made = [&](std::vector<std::string> words, const std::string& input) {
    words.insert(words.begin(), "quantize");
    words.insert(words.end(), {"--report", report, input, output_, "q8_0"});
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 0) << done.errors;
    nlohmann::json json = nlohmann::json::parse(std::ifstream(report));
    words.insert(words.begin(), SLUICE_PROGRAM);
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
    EXPECT_EQ(json["command"], line);
    return json;
  };
  const nlohmann::json json = made({"--pure"}, model_);
  EXPECT_EQ(json["version"], sluice::version());
  const std::regex date(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)");
  EXPECT_TRUE(std::regex_match(json["date"].get<std::string>(), date)) << json["date"];
  EXPECT_EQ(json["input"], model_);
  EXPECT_EQ(json["output"], output_);
  EXPECT_TRUE(json["model"].is_null());
  EXPECT_EQ(json["architecture"], "llama");
  EXPECT_EQ(json["file_type"], "Q8_0");
  EXPECT_TRUE(json["imatrix"].is_null());
  EXPECT_EQ(json["effort"], "best");
  EXPECT_EQ(json["worst"].size(), 3u);

  const std::string data = SLUICE_TEST_DATA;
  const nlohmann::json real =
      made({"--effort", "fast", "--imatrix", data + "/imatrix/tiny-llama.imatrix.gguf"},
           data + "/model/tiny-llama-f16.gguf");
  EXPECT_EQ(real["effort"], "fast");
  EXPECT_EQ(real["imatrix"], data + "/imatrix/tiny-llama.imatrix.gguf");
  EXPECT_TRUE(real["model"].is_string());
  EXPECT_EQ(real["worst"].size(), 10u);
}

// Of the whole, and of the worst; only where it was measured.
TEST_F(Cli, TheSummaryTellsTheErrorOfTheWhole) {
  const std::string report = folder_ / "report.json";
  const Finished done =
      sluice({"quantize", "--pure", "--report", report, model_, output_, "q4_0", "1"});
  ASSERT_EQ(done.status, 0) << done.errors;
  const auto json = nlohmann::json::parse(std::ifstream(report));
  const std::string total = fmt::format(
      "  error   {:.4g} weighted, {:.4g} plain, over all 461 k quantized weights\n",
      json["total_error"]["weighted"].get<double>(), json["total_error"]["plain"].get<double>());
  EXPECT_NE(done.out.find(total), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("  worst   " + json["worst"][0].get<std::string>()), std::string::npos)
      << done.out;
  EXPECT_NE(done.out.find("on 1 thread\n"), std::string::npos) << done.out;

  fs::remove(output_);
  const std::string checked =
      sluice({"quantize", "--pure", "--verify", model_, output_, "q4_0"}).out;
  EXPECT_NE(checked.find(total), std::string::npos) << checked;
  fs::remove(output_);
  const std::string plain = sluice({"quantize", "--pure", model_, output_, "q4_0"}).out;
  EXPECT_NE(plain.find("error   not measured"), std::string::npos) << plain;
  EXPECT_EQ(plain.find("worst"), std::string::npos) << plain;
  fs::remove(output_);
  const std::string copy = sluice({"quantize", model_, output_, "copy"}).out;
  EXPECT_EQ(copy.find("error"), std::string::npos) << copy;
}

TEST_F(Cli, ThePlanIsJsonAndWritesNothing) {
  const Finished done = sluice({"plan", "--json", model_, output_, "IQ1_M"});
  ASSERT_EQ(done.status, 0) << done.errors;
  const nlohmann::json json = nlohmann::json::parse(done.out);
  ASSERT_EQ(json["tensors"].size(), 4u);
  const nlohmann::json& tensor = json["tensors"][1];
  EXPECT_EQ(tensor["name"], "blk.0.attn_q.weight");
  EXPECT_EQ(tensor["shape"], (std::vector<int>{256, 600}));
  EXPECT_EQ(tensor["source"], "f16");
  EXPECT_EQ(tensor["type"], "iq1_m");
  EXPECT_TRUE(tensor["rule"].is_string());
  EXPECT_EQ(tensor["lacks_importance"], true);
  EXPECT_EQ(tensor["size"], 600 * 56);
  EXPECT_GT(tensor["offset"], json["tensors"][0]["offset"]);
  EXPECT_EQ(json["missing_importance"], (std::vector<std::string>{"blk.0.attn_q.weight"}));
  EXPECT_NE(done.errors.find("without importance"), std::string::npos);
  EXPECT_FALSE(fs::exists(output_));
}

TEST_F(Cli, SubstitutedTypesAreToldBeforeMeanwhileAndAtTheEnd) {
  GgufBuilder builder;
  const Bytes data = bytes_of(std::vector<float>(96 * 8, 0.5f));
  builder.string("general.architecture", "llama")
      .tensor("blk.0.ffn_down.weight", {96, 8}, 0, data)
      .tensor("blk.0.ffn_up.weight", {256, 3}, 0, data);
  write_file(model_, builder.build());
  const std::string told =
      "1 tensor (50.0 % of the weights) with rows that the type asked for does not fit";
  const Finished planned = sluice({"plan", "--json", "--pure", model_, output_, "Q4_K"});
  EXPECT_NE(planned.errors.find(told), std::string::npos) << planned.errors;
  const auto plan = nlohmann::json::parse(planned.out)["tensors"];
  EXPECT_EQ(plan[0]["asked"], "q4_k");
  EXPECT_FALSE(plan[1].contains("asked"));
  const std::string path = folder_ / "report.json";
  const Finished done = sluice({"quantize", "--pure", "--report", path, model_, output_, "Q4_K"});
  ASSERT_EQ(done.status, 0) << done.errors;
  EXPECT_NE(done.errors.find("note: " + told), std::string::npos) << done.errors;
  EXPECT_NE(done.errors.find("f32 -> q5_0 instead of q4_k"), std::string::npos) << done.errors;
  EXPECT_NE(done.out.find("  types   " + told), std::string::npos) << done.out;
  std::ifstream file(path);
  const auto report = nlohmann::json::parse(file);
  EXPECT_EQ(report["tensors"][0]["asked"], "q4_k");
  EXPECT_FALSE(report["tensors"][1].contains("asked"));
  EXPECT_EQ(report["substituted"].get<std::string>().find(told), 0u);
}

}  // namespace
}  // namespace sluice::testing_support
