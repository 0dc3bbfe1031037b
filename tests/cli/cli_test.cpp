// The program as its users meet it: arguments, what it prints, exit status.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "sluice/version.h"
#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

class Cli : public testing::Test {
 protected:
  Cli() {
    std::vector<std::uint16_t> halves(256 * 600);
    for (std::size_t i = 0; i < halves.size(); ++i) {
      halves[i] = static_cast<std::uint16_t>(0x2c00 + i * 7919 % 1024 + (i % 3 == 0 ? 0x8000 : 0));
    }
    GgufBuilder builder;
    builder.string("general.architecture", "llama")
        .u32("llama.block_count", 1)
        .u32("llama.attention.head_count", 8)
        .u32("llama.attention.head_count_kv", 8)
        .tensor("token_embd.weight", {256, 600}, 1, bytes_of(halves))
        .tensor("blk.0.attn_q.weight", {256, 600}, 1, bytes_of(halves))
        .tensor("output_norm.weight", {256}, 0, bytes_of(std::vector<float>(256, 1.0f)))
        .tensor("output.weight", {256, 600}, 1, bytes_of(halves));
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

TEST_F(Cli, WritesSeveralFiles) {
  const std::string report = folder_ / "report.json";
  const std::vector<std::string> arguments{"--pure", "--split-max-size", "200K", model_, output_,
                                           "Q8_0"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), arguments.begin(), arguments.end());
    return sluice(words);
  };
  const Finished planned = with({"plan"});
  const Finished planned_json = with({"plan", "--json"});
  const Finished done = with({"quantize", "--report", report});
  ASSERT_EQ(done.status, 0) << done.errors;
  const auto plan = nlohmann::json::parse(planned_json.out);
  const auto told = nlohmann::json::parse(std::ifstream(report));
  ASSERT_EQ(plan["parts"].size(), 3u);
  EXPECT_EQ(plan["parts"], told["parts"]);
  for (const auto& part : plan["parts"]) {
    EXPECT_EQ(fs::file_size(part["file"].get<std::string>()), part["bytes"]);
    EXPECT_NE(planned.out.find(part["file"]), std::string::npos) << planned.out;
    EXPECT_NE(done.out.find(part["file"]), std::string::npos) << done.out;
  }
  EXPECT_EQ(plan["parts"][1]["file"], folder_ / "out-00002-of-00003.gguf");
  EXPECT_EQ(plan["parts"][1]["tensors"], 2);  // one and the norm
  EXPECT_EQ(plan["tensors"][3]["part"], 2);
  EXPECT_FALSE(fs::exists(output_));
  EXPECT_EQ(sluice({"verify", plan["parts"][1]["file"], "--against", model_}).status, 0);
  EXPECT_EQ(sluice({"quantize", "--pure", "--allow-requantize", "--keep-split",
                    plan["parts"][0]["file"], folder_ / "kept.gguf", "Q4_0"})
                .status,
            0);
  EXPECT_TRUE(fs::exists(folder_ / "kept-00003-of-00003.gguf"));
}

TEST_F(Cli, WrongSplitsAreRefused) {
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
           {"--split-max-size", "40"},
           {"--split-max-size", "0M"},
           {"--split-max-size", "-5M"},
           {"--split-max-size", "40X"},
           {"--split-max-size", "G"},
           {"--split-max-tensors", "0"},
           {"--split-max-tensors", "-1"},
           {"--split-max-tensors", "2", "--keep-split"},
           {"--split-max-size", "40G", "--split-max-tensors", "2"}}) {
    std::vector<std::string> words{"plan", model_, output_, "Q8_0"};
    words.insert(words.end(), wrong.begin(), wrong.end());
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 2) << wrong[1] << "\n" << done.out;
    EXPECT_NE(done.errors.find("--split-max"), std::string::npos) << done.errors;
  }
}

TEST_F(Cli, NumbersThatAreNoneAreRefused) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--memory", "-1"},
                                             {"--memory", "nan"},
                                             {"--checkpoint", "nan"},
                                             {"--checkpoint", "-1"},
                                             {"--checkpoint", "inf"}}) {
    std::vector<std::string> words{"quantize", model_, output_, "Q8_0"};
    words.insert(words.end(), wrong.begin(), wrong.end());
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 2) << wrong[1];
    EXPECT_NE(done.errors.find(wrong[0]), std::string::npos) << done.errors;
  }
  for (const std::string command : {"verify", "compare"}) {
    std::vector<std::string> words{command, model_, "--memory", "-1"};
    if (command == "compare") words.push_back(model_);
    EXPECT_EQ(sluice(words).status, 2) << command;
  }
  EXPECT_FALSE(fs::exists(output_));
}

TEST_F(Cli, NoFileIsWrittenOverAnother) {
  const std::string list = folder_ / "types.txt";
  write_file(list, bytes_of(std::vector<char>{'a', '=', 'q', '8', '_', '0'}));
  const std::vector<std::byte> model = read_file(model_);
  const auto status = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"quantize", "--pure", model_, output_, "Q8_0"});
    const Finished done = sluice(words);
    EXPECT_NE(done.errors.find("Name another file"), std::string::npos) << done.errors;
    EXPECT_FALSE(fs::exists(output_));
    return done.status;
  };
  for (const std::string option : {"--report", "--trace", "--log-file"}) {
    EXPECT_EQ(status({option, model_}), 4) << option;
    EXPECT_EQ(status({option, list, "--tensor-type-file", list}), 4) << option;
    EXPECT_EQ(status({option, list, "--imatrix", list}), 4) << option;
    EXPECT_EQ(status({option, output_}), 2) << option;
    EXPECT_EQ(status({option, output_ + ".part"}), 2) << option;
  }
  EXPECT_EQ(status({"--report", folder_ / "r", "--trace", folder_ / "./r"}), 2);
  EXPECT_EQ(sluice({"verify", model_, "--report", model_}).status, 4);
  EXPECT_EQ(sluice({"compare", model_, model_, "--html", model_}).status, 4);
  EXPECT_EQ(sluice({"report", list, "-o", list}).status, 4);
  EXPECT_TRUE(read_file(model_) == model);
  EXPECT_EQ(fs::file_size(list), 6u);
}

// Another program's download, or what another run goes on with.
TEST_F(Cli, NoFileIsWrittenOverAHalfMadeOne) {
  const std::vector<std::byte> journal =
      bytes_of(std::vector<char>{'s', 'l', 'u', 'i', 'c', 'e', 'J', '1', '.'});
  for (const std::string name : {"other.gguf.part", "other.gguf.part-00002", "journal"}) {
    const std::string file = folder_ / name;
    write_file(file, journal);
    for (const std::string option : {"--report", "--trace", "--log-file"}) {
      EXPECT_EQ(sluice({"quantize", "--pure", option, file, model_, output_, "Q8_0"}).status, 2);
    }
    EXPECT_EQ(sluice({"compare", model_, model_, "--html", file}).status, 2);
    EXPECT_TRUE(read_file(file) == journal);
  }
}

TEST_F(Cli, StandardInputAndOutputAreNoModels) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"quantize", model_, "-", "Q8_0"},
                                             {"quantize", "-", output_, "Q8_0"},
                                             {"quantize", "--report", "-", model_, output_, "Q8_0"},
                                             {"plan", model_, "-", "Q8_0"},
                                             {"verify", "-"},
                                             {"compare", model_, "-"},
                                             {"inspect", "-"}}) {
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 2) << words[0];
    EXPECT_NE(done.errors.find("Name a file on a disk"), std::string::npos) << done.errors;
    EXPECT_FALSE(fs::exists("-"));
  }
}

TEST_F(Cli, AReportDoesNotReplaceAPartOfTheOutput) {
  const std::string part = folder_ / "out-00002-of-00003.gguf";
  EXPECT_EQ(sluice({"quantize", "--pure", "--split-max-size", "200K", "--report", part, model_,
                    output_, "Q8_0"})
                .status,
            2);
  EXPECT_EQ(sluice({"verify", part}).status, 0);
}

TEST_F(Cli, AReportThatCannotBeWrittenIsFoundBeforeTheRun) {
  for (const std::string& report : {folder_ / "none/report.json", folder_ / "."}) {
    const Finished done =
        sluice({"quantize", "--pure", "--report", report, model_, output_, "q8_0"});
    EXPECT_EQ(done.status, 4) << done.errors;
    EXPECT_FALSE(fs::exists(output_));
  }
  const std::string report = folder_ / "report.json";
  EXPECT_EQ(sluice({"quantize", "--report", report, folder_ / "none", output_, "Q8_0"}).status, 3);
  EXPECT_FALSE(fs::exists(report)) << "nothing is left of a run that failed";
  // The summary has no reader, the report is there nevertheless.
  sluice({"quantize", "--pure", "--report", report, model_, output_, "q8_0"});
  fs::remove(report);
  run({"sh", "-c",
       std::string(SLUICE_PROGRAM) + " quantize --pure --report " + report + " " + model_ + " " +
           output_ + " q8_0 >/dev/full"});
  EXPECT_TRUE(fs::exists(report));
}

TEST_F(Cli, APipeAsInputIsRefusedAtOnce) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Finished done = sluice({"quantize", pipe, output_, "Q8_0"});
  EXPECT_EQ(done.status, 3);
  EXPECT_NE(done.errors.find("is not a regular file"), std::string::npos) << done.errors;
}

TEST_F(Cli, AReaderThatWentAwayDoesNotEndTheRun) {
  const Finished done = run({SLUICE_PROGRAM, "quantize", "--pure", model_, output_, "Q8_0"}, [] {
    int ends[2];
    if (::pipe(ends) != 0) ::_exit(126);
    ::close(ends[0]);
    ::dup2(ends[1], STDERR_FILENO);
  });
  EXPECT_EQ(done.status, 0);
  EXPECT_TRUE(fs::exists(output_));
}

TEST_F(Cli, ALimitOfFileSizesIsAnError) {
  const Finished done = run({SLUICE_PROGRAM, "quantize", "--pure", model_, output_, "Q8_0"}, [] {
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  });
  EXPECT_EQ(done.status, 4) << done.errors;
  EXPECT_NE(done.errors.find("File too large"), std::string::npos) << done.errors;
  EXPECT_NE(done.errors.find("ulimit -f"), std::string::npos) << done.errors;
}

TEST_F(Cli, TheLimitOfOpenFilesIsRaised) {
  const Finished done = run({SLUICE_PROGRAM, "quantize", "--pure", model_, output_, "Q8_0"}, [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 6;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  });
  EXPECT_EQ(done.status, 0) << done.errors;
}

TEST_F(Cli, VerifiesWhatItMade) {
  const std::string quantized = folder_ / "quantize.json";
  const std::string verified = folder_ / "verify.json";
  ASSERT_EQ(
      sluice({"quantize", "--verify", "--pure", "--report", quantized, model_, output_, "q4_k"})
          .status,
      0);
  const Finished good =
      sluice({"verify", output_, "--against", model_, "--report", verified, "--memory", "64M"});
  EXPECT_EQ(good.status, 0) << good.out << good.errors;
  EXPECT_NE(good.out.find("good, 4 tensors"), std::string::npos) << good.out;
  const auto made = nlohmann::json::parse(std::ifstream(quantized));
  const auto seen = nlohmann::json::parse(std::ifstream(verified));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(made["tensors"][i]["crc32"], seen["tensors"][i]["crc32"]);
  }

  std::vector<std::byte> bytes = read_file(output_);
  std::fill(bytes.end() - 2000, bytes.end() - 1000, std::byte{});
  write_file(output_, bytes);
  const Finished bad = sluice({"verify", output_, "--against", model_, "--report", verified});
  EXPECT_EQ(bad.status, 4);
  EXPECT_NE(bad.out.find("output.weight: rows "), std::string::npos) << bad.out;
  const auto findings = nlohmann::json::parse(std::ifstream(verified));
  EXPECT_FALSE(findings["good"]);
  EXPECT_EQ(findings["findings"][0]["tensor"], "output.weight");

  EXPECT_EQ(sluice({"verify", folder_ / "none.gguf"}).status, 3);
  EXPECT_EQ(sluice({"verify"}).status, 2);
}

TEST_F(Cli, QuantizesAndSaysWhatItDid) {
  const Finished done = sluice({"quantize", "--pure", model_, output_, "q4_0", "2"});
  EXPECT_EQ(done.status, 0) << done.errors;
  EXPECT_TRUE(fs::exists(output_));
  // Not on a terminal: a line per tensor.
  for (const std::string name :
       {"token_embd.weight", "blk.0.attn_q.weight", "output_norm.weight", "output.weight"}) {
    EXPECT_NE(done.errors.find(name), std::string::npos) << done.errors;
  }
  EXPECT_NE(done.errors.find("[4/4]"), std::string::npos);
  EXPECT_EQ(done.errors.find('\r'), std::string::npos);
  EXPECT_NE(done.out.find("bits per weight"), std::string::npos) << done.out;
}

TEST_F(Cli, VerifyAndCompareTakeWhatStreamingTakes) {
  ASSERT_EQ(sluice({"quantize", "--pure", model_, output_, "q8_0"}).status, 0);
  for (const std::string mode : {"read", "mmap", "async", "auto"}) {
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"verify", output_, "--against", model_}, {"compare", model_, output_}}) {
      const std::string trace = folder_ / ("trace." + command[0] + mode);
      std::vector<std::string> words = command;
      for (const std::string word : {"--io", mode.c_str(), "--spindle", "shared", "--isa",
                                     "portable", "--trace", trace.c_str(), "--memory", "128M"}) {
        words.push_back(word);
      }
      const Finished done = sluice(words);
      EXPECT_EQ(done.status, 0) << mode << " " << done.errors;
      const auto events = nlohmann::json::parse(std::ifstream(trace), nullptr, false);
      EXPECT_FALSE(events.is_discarded()) << command[0] << " " << mode << ": no trace";
    }
  }
  EXPECT_EQ(sluice({"verify", output_, "--io", "tape"}).status, 2);
  EXPECT_EQ(sluice({"compare", model_, output_, "--trace", model_}).status, 4);
}

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
  const Finished done = run_on_terminal({"env", "TERM=xterm", "NO_COLOR=1", SLUICE_PROGRAM,
                                         "quantize", "--pure", model_, output_, "Q4_0", "1"},
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
  const std::string told = "1 tensor (50.0 % of the weights) with rows that are no whole blocks";
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

TEST_F(Cli, EveryKindOfErrorHasItsStatusAndOneClearMessage) {
  struct Case {
    std::vector<std::string> words;
    int status;
    std::string text;
  };
  const std::string nowhere = folder_ / "none.gguf";
  write_file(folder_ / "junk.gguf", bytes_of(std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
  for (const Case& c : std::vector<Case>{
           {{}, 2, "Usage: sluice COMMAND"},
           {{"quantise", model_, output_, "Q8_0"}, 2, ""},
           {{"quantize", model_, output_}, 2, "type"},
           {{"quantize", model_, output_, "IQ1_X"}, 2, "IQ1_X"},
           {{"quantize", "--frobnicate", model_, output_, "Q8_0"}, 2, "--frobnicate"},
           {{"quantize", "--memory", "lots", model_, output_, "Q8_0"}, 2, "lots"},
           {{"quantize", "--io", "tape", model_, output_, "Q8_0"}, 2, "tape"},
           {{"quantize", "--pure", "--memory", "1M", model_, output_, "Q8_0"}, 2, "the least is"},
           {{"quantize", "--pure", model_, output_, "IQ2_K"}, 2, "ik_llama.cpp"},
           {{"quantize", nowhere, output_, "Q8_0"}, 3, nowhere},
           {{"quantize", folder_ / "junk.gguf", output_, "Q8_0"}, 3, "junk.gguf"},
           {{"quantize", "--pure", model_, model_, "Q8_0"}, 4, "input"},
           {{"quantize", "--pure", model_, folder_ / "no/out.gguf", "Q8_0"}, 4, "no/out.gguf"},
           {{"quantize", model_, output_, "IQ1_M"}, 5, "blk.0.attn_q.weight"},
           {{"quantize", "--imatrix", folder_ / "junk.gguf", model_, output_, "IQ1_M"},
            5,
            "junk.gguf"},
       }) {
    const Finished done = sluice(c.words);
    std::string line;
    for (const std::string& word : c.words) line += word + " ";
    EXPECT_EQ(done.status, c.status) << line << "\n" << done.errors;
    EXPECT_NE(done.errors.find(c.text), std::string::npos) << line << "\n" << done.errors;
    EXPECT_FALSE(done.errors.empty()) << line;
    EXPECT_FALSE(fs::exists(output_)) << line;
  }
}

TEST_F(Cli, HelpAndVersionSucceed) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--help"}, {"quantize", "--help"}, {"plan", "--help"}, {"--version"}}) {
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 0);
    EXPECT_FALSE(done.out.empty());
  }
  EXPECT_NE(sluice({"quantize", "--help"}).out.find("--imatrix"), std::string::npos);
}

TEST_F(Cli, MemorySizesAreUnderstoodWithUnits) {
  for (const std::string size : {"64M", "64MB", "64MiB", "67108864", "1G", "65536k"}) {
    EXPECT_EQ(sluice({"quantize", "--pure", "--memory", size, model_, output_, "Q8_0"}).status, 0)
        << size;
  }
}

// As in a container that forbids io_uring.
void forbid_io_uring() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{std::size(filter), filter};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    ::_exit(126);
  }
}

TEST_F(Cli, WithoutIoUringItReadsOtherwiseAndSaysSo) {
  ASSERT_EQ(sluice({"quantize", "--pure", model_, output_, "Q8_0"}).status, 0);
  const std::vector<std::byte> expected = read_file(output_);
  for (const std::string mode : {"auto", "async"}) {
    const Finished done =
        run({SLUICE_PROGRAM, "quantize", "--pure", "--io", mode, model_, output_, "Q8_0"},
            forbid_io_uring);
    EXPECT_EQ(done.status, 0) << done.errors;
    EXPECT_NE(done.errors.find("io_uring is not available"), std::string::npos) << done.errors;
    EXPECT_NE(done.errors.find("--io read"), std::string::npos) << done.errors;
    EXPECT_TRUE(read_file(output_) == expected);
  }
}

TEST_F(Cli, TheKernelsCanBeChosenAndTheReportSaysWhichRan) {
  const std::string report = folder_ / "report.json";
  std::vector<std::byte> expected;
  for (const std::string isa : {"portable", "avx2", "avx512"}) {
    const Finished done =
        run({SLUICE_PROGRAM, "quantize", "--pure", "--report", report, model_, output_, "Q4_K"},
            [&] { ::setenv("SLUICE_ISA", isa.c_str(), 1); });
    if (done.status == 2) {
      EXPECT_NE(isa, "portable");
      EXPECT_NE(done.errors.find("this machine has no " + isa), std::string::npos) << done.errors;
      continue;
    }
    ASSERT_EQ(done.status, 0) << done.errors;
    std::ifstream file(report);
    EXPECT_EQ(nlohmann::json::parse(file)["isa"], isa);
    if (expected.empty()) expected = read_file(output_);
    EXPECT_TRUE(read_file(output_) == expected) << isa;
  }
  EXPECT_EQ(sluice({"quantize", "--isa", "mmx", model_, output_, "Q8_0"}).status, 2);
}

TEST_F(Cli, AWriteThatCannotSucceedIsNotReportedAsDone) {
  const Finished done =
      run({SLUICE_PROGRAM, "quantize", "--pure", "--report", "/dev/full", model_, output_, "Q8_0"});
  EXPECT_EQ(done.status, 4) << done.errors;
}

}  // namespace
