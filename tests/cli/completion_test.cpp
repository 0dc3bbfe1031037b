// Completion in real shells.

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/needs.h"
#include "support/process.h"
#include "support/program_help.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
using WordSet = std::set<std::string>;

bool there_is(const std::string& program) {
  return run({"sh", "-c", "command -v " + program}).status == 0;
}

WordSet lines_of(const std::string& text, char until = '\n') {
  WordSet lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.insert(line.substr(0, line.find(until)));
  return lines;
}

class Completion : public testing::Test {
 protected:
  Completion() {
    std::filesystem::create_directory(folder_ / "models");
    for (const std::string name : {"models/my model.gguf", "models/tiny.gguf"}) {
      std::ofstream(folder_ / name) << "x";
    }
  }

  std::string script(const std::string& shell) {
    const std::string path = folder_ / ("script." + shell);
    std::ofstream(path) << run({SLUICE_PROGRAM, "completion", shell}).out;
    return path;
  }

  TempFolder folder_;
};

struct CompletionCase {
  std::vector<std::string> line;  // after the program's name; the last word is to be completed
  WordSet offered;
};

std::vector<CompletionCase> common_cases() {
  return {{{"quant"}, {"quantize"}},
          {{"--vers"}, {"--version"}},
          {{"quantize", "--im"}, {"--imatrix"}},
          {{"quantize", "--io", ""}, {"auto", "mmap", "async", "read"}},
          {{"plan", "--effort", "f"}, {"fast"}},
          {{"quantize", "in.gguf", "out.gguf", "IQ1"},
           {"IQ1_KT", "IQ1_M", "IQ1_M_R4", "IQ1_S", "IQ1_S_R4"}},
          {{"quantize", "in.gguf", "out.gguf", "Q4_K_"}, {"Q4_K_M", "Q4_K_S"}},
          {{"quantize", "--output-tensor-type", "Q4_K"}, {"Q4_K"}},
          {{"inspect", "--type", "IQ1"}, {"IQ1_KT", "IQ1_M", "IQ1_M_R4", "IQ1_S", "IQ1_S_R4"}},
          {{"completion", ""}, {"bash", "zsh", "fish"}},
          {{"help", "exit"}, {"exit-status"}},
          {{"verify", "out.gguf", "--against", "models/t"}, {"models/tiny.gguf"}}};
}

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

class BashCompletion : public Completion {
 protected:
  WordSet offered(const std::vector<std::string>& line) {
    std::string words;
    for (const std::string& word : line) words += " '" + word + "'";
    const Finished done =
        run({"bash", "--norc", "-c",
             std::string("cd ") + folder_ / "" + " && source script.bash && COMP_WORDS=(sluice" +
                 words + ") COMP_CWORD=" + std::to_string(line.size()) +
                 " && _sluice && printf '%s\\n' \"${COMPREPLY[@]}\""});
    EXPECT_EQ(done.errors, "");
    WordSet words_offered = lines_of(done.out);
    words_offered.erase("");
    return words_offered;
  }
};

TEST_F(BashCompletion, OffersCommandsOptionsValuesTypesAndFiles) {
  script("bash");
  for (const CompletionCase& c : common_cases())
    EXPECT_EQ(offered(c.line), c.offered) << joined(c.line, " ");
  for (const CompletionCase& c : std::vector<CompletionCase>{
           // As bash cuts --io=as.
           {{"quantize", "--io", "=", "as"}, {"async"}},
           {{"quantize", "--io", "="}, {"auto", "mmap", "async", "read"}},
           {{"quantize", "--memory", ""}, {}},
           {{"quantize", "a", "b", "iq1"}, {"IQ1_KT", "IQ1_M", "IQ1_M_R4", "IQ1_S", "IQ1_S_R4"}},
           {{"quantize", "models/m"}, {"models/my model.gguf"}},
           {{"demo", "mod"}, {"models"}},
           {{"nonsense", ""}, {}}}) {
    EXPECT_EQ(offered(c.line), c.offered) << joined(c.line, " ");
  }
}

TEST_F(BashCompletion, OffersAllThatTheHelpLists) {
  script("bash");
  const std::vector<std::string> commands = program_commands();
  EXPECT_EQ(offered({""}), WordSet(commands.begin(), commands.end()));
  for (const std::string& command : commands) {
    const std::vector<std::string> options =
        options_in(run({SLUICE_PROGRAM, command, "--help"}).out);
    EXPECT_EQ(offered({command, "-"}), WordSet(options.begin(), options.end())) << command;
  }
}

class FishCompletion : public Completion {
 protected:
  WordSet offered(const std::string& line) {
    const Finished done = run(
        {"fish", "--no-config", "-c",
         std::string("cd ") + folder_ / "" + "; source script.fish; complete -C '" + line + "'"},
        [this] { ::setenv("HOME", (folder_ / "").c_str(), 1); });
    return lines_of(done.out, '\t');
  }
};

TEST_F(FishCompletion, OffersCommandsOptionsValuesTypesAndFiles) {
  SLUICE_NEEDS(there_is("fish"), "this machine has no fish");
  script("fish");
  for (const CompletionCase& c : common_cases()) {
    EXPECT_EQ(offered(std::string("sluice ") + joined(c.line, " ")), c.offered)
        << joined(c.line, " ");
  }
  for (const std::string& command : program_commands()) {
    // fish offers short options too where a single dash was typed.
    const std::vector<std::string> options =
        options_in(run({SLUICE_PROGRAM, command, "--help"}).out);
    WordSet wanted(options.begin(), options.end());
    std::erase_if(wanted, [](const std::string& option) { return option.size() == 2; });
    EXPECT_EQ(offered("sluice " + command + " --"), wanted) << command;
  }
}

// zsh completes on a terminal only. `sluice` is a function there that shows what it was given, so
// that what the tab key made of the line can be read.
class ZshCompletion : public Completion {
 protected:
  std::string completed(const std::string& typed) {
    std::ofstream(folder_ / ".zshrc")
        << "PS1='' ; fpath=(" << (folder_ / "functions") << " $fpath)\n"
        << "autoload -Uz compinit && compinit -u -d " << (folder_ / "dump") << "\n"
        << "sluice() { print -r -- \"GOT[${(j:,:)@}]\" }\n"
        << "bindkey '^I' complete-word\nunsetopt zle_bracketed_paste auto_param_slash prompt_cr\n"
        << "print READY\n";
    int terminal = -1;
    winsize size{24, 200, 0, 0};
    const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
    if (child == 0) {
      ::setenv("ZDOTDIR", (folder_ / "").c_str(), 1);
      ::setenv("TERM", "dumb", 1);
      if (::chdir((folder_ / "").c_str()) != 0) ::_exit(126);
      exec_words({"zsh", "-d", "-i"});
    }
    std::string seen = read_until(terminal, "READY\r\n");
    const std::string keys = typed + "\t\n";
    EXPECT_EQ(::write(terminal, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
    seen = read_until(terminal, "]\r\n");
    ::write(terminal, "exit\n", 5) == 5 ? void() : void();
    drain(terminal);
    wait_status(child);
    const std::size_t got = seen.rfind("GOT[");
    if (got == std::string::npos) return "nothing: " + seen;
    return seen.substr(got + 4, seen.rfind("]\r\n") - got - 4);
  }

  static std::string read_until(int terminal, const std::string& mark) {
    std::string text;
    pollfd ready{terminal, POLLIN, 0};
    while (text.find(mark) == std::string::npos && ::poll(&ready, 1, 30000) == 1) {
      char buffer[4096];
      const ssize_t got = ::read(terminal, buffer, sizeof buffer);
      if (got <= 0) break;
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }
};

TEST_F(ZshCompletion, CompletesCommandsOptionsValuesTypesAndFiles) {
  SLUICE_NEEDS(there_is("zsh"), "this machine has no zsh");
  std::filesystem::create_directory(folder_ / "functions");
  std::filesystem::copy(script("zsh"), folder_ / "functions/_sluice");
  EXPECT_EQ(completed("sluice quant"), "quantize");
  EXPECT_EQ(completed("sluice quantize --ignore-im"), "quantize,--ignore-imatrix-rules");
  EXPECT_EQ(completed("sluice quantize --io as"), "quantize,--io,async");
  EXPECT_EQ(completed("sluice quantize --io=as"), "quantize,--io=async");
  EXPECT_EQ(completed("sluice quantize in out iq1_m"), "quantize,in,out,IQ1_M");
  EXPECT_EQ(completed("sluice verify x --against models/t"), "verify,x,--against,models/tiny.gguf");
  EXPECT_EQ(completed("sluice quantize models/my"), "quantize,models/my model.gguf");
  EXPECT_EQ(completed("sluice help exit"), "help,exit-status");
  EXPECT_EQ(completed("sluice completion f"), "completion,fish");
}

}  // namespace
