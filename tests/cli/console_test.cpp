// How the program speaks: colours, the live line, quiet, logs.

#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "cli/program.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;

class ConsoleTest : public testing::Test {
 protected:
  std::vector<std::string> quantize(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {SLUICE_PROGRAM, "quantize"};
    // Without a note on what the machine's disks are.
    for (const std::string word : {"--spindle", "separate", "--pure", kModel.c_str()})
      words.push_back(word);
    words.insert(words.end(), {output_, "Q8_0"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  static Finished on_terminal(const std::vector<std::string>& variables,
                              const std::vector<std::string>& words, unsigned short columns = 80) {
    std::vector<std::string> all = {"env"};
    all.insert(all.end(), variables.begin(), variables.end());
    all.insert(all.end(), words.begin(), words.end());
    return run_on_terminal(all, columns);
  }

  TempFolder folder_;
  std::string output_ = folder_ / "out.gguf";
};

TEST_F(ConsoleTest, ColoursAppearOnATerminalOnly) {
  const std::vector<std::string> wrong = {SLUICE_PROGRAM, "quantize", "--frobnicate"};
  EXPECT_TRUE(has(on_terminal({"-u", "NO_COLOR", "TERM=xterm"}, wrong).out, "\x1b[1;31msluice:"));
  EXPECT_TRUE(has(on_terminal({"TERM=xterm", "NO_COLOR="}, wrong).out, "\x1b["))
      << "an empty NO_COLOR asks for nothing";
  EXPECT_FALSE(has(on_terminal({"TERM=xterm", "NO_COLOR=1"}, wrong).out, "\x1b"));
  EXPECT_FALSE(has(on_terminal({"-u", "NO_COLOR", "TERM=dumb"}, wrong).out, "\x1b"));
  EXPECT_FALSE(has(on_terminal({"-u", "TERM", "-u", "NO_COLOR"}, wrong).out, "\x1b"));
  EXPECT_FALSE(has(run(wrong).errors, "\x1b"));
  EXPECT_TRUE(has(on_terminal({"TERM=xterm"}, {SLUICE_PROGRAM, "--help"}).out, "\x1b[1m"));
  EXPECT_FALSE(has(run({SLUICE_PROGRAM, "--help"}).out, "\x1b"));
}

TEST_F(ConsoleTest, ATerminalThatCannotRedrawGetsLines) {
  const Finished dumb = on_terminal({"TERM=dumb"}, quantize());
  EXPECT_EQ(dumb.status, 0);
  EXPECT_TRUE(has(dumb.out, "output.weight")) << dumb.out;
  EXPECT_FALSE(std::regex_search(dumb.out, std::regex("\r[^\n]"))) << dumb.out;
  // NO_COLOR is about colours; the live line has none.
  const Finished plain = on_terminal({"TERM=xterm", "NO_COLOR=1"}, quantize({"2"}));
  EXPECT_TRUE(has(plain.out, "100.0 %")) << plain.out;
  EXPECT_FALSE(has(plain.out, "\x1b"));
}

TEST_F(ConsoleTest, ResultsGoToStdoutAndAllElseToStderr) {
  const Finished done = run(quantize());
  EXPECT_TRUE(done.out.starts_with(output_ + "\n  size ")) << done.out;
  EXPECT_FALSE(has(done.errors, "bits per weight"));
  const Finished plan = run({SLUICE_PROGRAM, "plan", "--json", kModel, output_, "IQ1_M"});
  EXPECT_TRUE(plan.out.starts_with("{")) << plan.out;
  EXPECT_TRUE(plan.errors.starts_with("note: ")) << plan.errors;
}

TEST_F(ConsoleTest, QuietSaysNothingButErrorsAndWhatWasAskedFor) {
  for (const Finished& done : {run(quantize({"--quiet"})), run(quantize({"-q"}))}) {
    EXPECT_EQ(done.status, 0);
    EXPECT_EQ(done.out + done.errors, "");
  }
  EXPECT_EQ(on_terminal({"TERM=xterm"}, quantize({"-q"})).out, "");
  std::vector<std::string> before = quantize();
  before.insert(before.begin() + 1, {"--quiet", "--log-file", folder_ / "log"});
  EXPECT_EQ(run(before).out, "");
  EXPECT_TRUE(has(text_of(folder_ / "log"), "exit status 0"));
  EXPECT_EQ(run({SLUICE_PROGRAM, "verify", "--quiet", output_, "--against", kModel}).out, "");

  const Finished plan = run({SLUICE_PROGRAM, "plan", "--quiet", kModel, output_, "IQ1_M"});
  EXPECT_TRUE(has(plan.out, "output.weight"));
  EXPECT_EQ(plan.errors, "");

  const Finished missing =
      run({SLUICE_PROGRAM, "quantize", "--quiet", folder_ / "none.gguf", output_, "Q8_0"});
  EXPECT_EQ(missing.status, 3);
  EXPECT_TRUE(missing.errors.starts_with("sluice: ")) << missing.errors;
  std::ofstream(output_, std::ios::in | std::ios::ate).seekp(-4096, std::ios::end)
      << std::string(2048, '\0');
  const Finished damaged = run({SLUICE_PROGRAM, "verify", "-q", output_, "--against", kModel});
  EXPECT_EQ(damaged.status, 4);
  EXPECT_TRUE(has(damaged.out, "damaged")) << damaged.out;
}

TEST_F(ConsoleTest, TheLogHasAllThatWasSaidWithTimes) {
  const std::string log = folder_ / "run.log";
  ASSERT_EQ(run(quantize({"--quiet", "--log-file", log})).status, 0);
  const std::string first = text_of(log);
  std::istringstream lines(first);
  const std::regex stamped(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z .+)");
  for (std::string line; std::getline(lines, line);) {
    EXPECT_TRUE(std::regex_match(line, stamped)) << line;
  }
  for (const std::string part : {"Z sluice 0.", " quantize --spindle ", "output.weight", "100.0 %",
                                 "bits per weight", "exit status 0"}) {
    EXPECT_TRUE(has(first, part)) << part << "\n" << first;
  }

  EXPECT_EQ(
      run({SLUICE_PROGRAM, "quantize", "--log-file", log, folder_ / "none.gguf", output_, "Q8_0"})
          .status,
      3);
  const std::string both = text_of(log);
  EXPECT_TRUE(both.starts_with(first)) << "a log is added to";
  EXPECT_TRUE(has(both, std::string("error: ") + folder_ / "none.gguf")) << both;
  EXPECT_TRUE(has(both, "exit status 3"));
}

TEST_F(ConsoleTest, ALogThatCannotBeWrittenIsNotInTheWay) {
  const Finished full = run(quantize({"--log-file", "/dev/full"}));
  EXPECT_EQ(full.status, 0);
  EXPECT_TRUE(has(full.errors, "/dev/full: cannot be written")) << full.errors;
  EXPECT_EQ(run(quantize({"--log-file", folder_ / "no/such/folder.log"})).status, 4);

  const std::string model = folder_ / "model.gguf";
  std::filesystem::copy(kModel, model);
  const std::vector<std::byte> before = read_file(model);
  EXPECT_EQ(run(quantize({"--log-file", model})).status, 2) << "a model is not a log";
  EXPECT_TRUE(read_file(model) == before);
}

TEST_F(ConsoleTest, StdoutThatCannotBeWrittenIsAnError) {
  for (const std::string command : {"--help", "completion bash", "plan --pure $MODEL out Q8_0",
                                    "plan --json --pure $MODEL o Q8_0"}) {
    const Finished done =
        run({"sh", "-c", std::string(SLUICE_PROGRAM) + " " + command + " >/dev/full"},
            [] { ::setenv("MODEL", kModel.c_str(), 1); });
    EXPECT_EQ(done.status, 4) << command;
    EXPECT_TRUE(done.errors.starts_with("sluice: ")) << command << done.errors;
  }
}

TEST_F(ConsoleTest, ANarrowTerminalLeavesOutWhatMattersLess) {
  for (const unsigned short columns : {1, 2, 12, 30, 45}) {
    const Finished done = on_terminal({"TERM=xterm"}, quantize(), columns);
    EXPECT_EQ(done.status, 0);
    const std::string live = done.out.substr(0, done.out.find(output_));
    std::size_t start = 0;
    for (std::size_t at; (at = live.find_first_of("\r\n", start)) != std::string::npos;
         start = at + 1) {
      EXPECT_LE(at - start, std::max(1, columns - 1)) << live;
    }
    if (columns >= 12) {
      EXPECT_TRUE(has(live, "100.0 %")) << live;
    }
    EXPECT_EQ(has(live, "limit:"), false) << "there is no room for it";
  }
  EXPECT_TRUE(has(on_terminal({"TERM=xterm"}, quantize(), 45).out, "ETA"));
  EXPECT_TRUE(has(on_terminal({"TERM=xterm"}, quantize(), 120).out, "limit:"));
}

TEST_F(ConsoleTest, ATerminalThatIsMadeNarrowerIsNotDrawnOver) {
  int terminal = -1;
  winsize size{24, 120, 0, 0};
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    ::setenv("TERM", "xterm", 1);
    // Slow enough to be met at work.
    exec_words({SLUICE_PROGRAM, "quantize", "--pure", "--ignore-imatrix-rules", "--isa", "portable",
                kModel, output_, "IQ1_M", "1"});
  }
  std::string text;
  char buffer[4096];
  while (text.find("limit: ") == std::string::npos) {
    const ssize_t got = ::read(terminal, buffer, sizeof buffer);
    ASSERT_GT(got, 0);
    text.append(buffer, static_cast<std::size_t>(got));
  }
  size.ws_col = 30;
  ASSERT_EQ(::ioctl(terminal, TIOCSWINSZ, &size), 0);
  text += drain(terminal);
  ASSERT_EQ(wait_status(child), 0) << text;

  // Wide lines, a line break, then narrow lines only.
  const std::string live = text.substr(0, text.find(output_));
  const std::size_t last_wide = live.rfind("limit: ");
  const std::size_t line_break = live.find('\n', last_wide);
  ASSERT_NE(line_break, std::string::npos);
  const std::string narrow = live.substr(line_break + 1);
  EXPECT_TRUE(has(narrow, "100.0 %")) << text;
  std::size_t start = 0;
  for (std::size_t at; (at = narrow.find_first_of("\r\n", start)) != std::string::npos;
       start = at + 1) {
    EXPECT_LT(at - start, 30u) << text;
  }
}

}  // namespace
