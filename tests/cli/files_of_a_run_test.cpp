// Which files a run writes, and which it leaves alone.

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli_fixture.h"

namespace sluice::testing_support {
namespace {

namespace fs = std::filesystem;

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
  EXPECT_EQ(sluice({"report", model_, "--measured", list, "-o", list}).status, 4);
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

TEST_F(Cli, AWriteThatCannotSucceedIsNotReportedAsDone) {
  const Finished done =
      run({SLUICE_PROGRAM, "quantize", "--pure", "--report", "/dev/full", model_, output_, "Q8_0"});
  EXPECT_EQ(done.status, 4) << done.errors;
}

}  // namespace
}  // namespace sluice::testing_support
