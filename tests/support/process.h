#pragma once

// Runs programs, as a shell would, and keeps what they print.

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::testing_support {

struct Finished {
  int status = -1;     ///< exit status, or 128 + the signal's number
  std::string out;     ///< standard output
  std::string errors;  ///< standard error
};

inline std::string drain(int descriptor) {
  std::string text;
  char buffer[65536];
  for (ssize_t got; (got = ::read(descriptor, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(descriptor);
  return text;
}

inline int wait_status(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

[[noreturn]] inline void exec_words(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

/// Runs a program to its end. `prepare` runs in the child before the program does.
inline Finished run(
    const std::vector<std::string>& words, const std::function<void()>& prepare = [] {}) {
  int out[2];
  char error_file[] = "/tmp/sluice-stderr-XXXXXX";
  const int errors = ::mkstemp(error_file);
  if (errors < 0 || ::pipe(out) != 0) throw std::runtime_error("no pipe");
  ::unlink(error_file);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(errors, STDERR_FILENO);
    ::close(out[0]);
    ::close(out[1]);
    prepare();
    exec_words(words);
  }
  ::close(out[1]);
  Finished finished;
  finished.out = drain(out[0]);
  finished.status = wait_status(child);
  ::lseek(errors, 0, SEEK_SET);
  finished.errors = drain(errors);
  return finished;
}

/// Starts a run that makes `output`, and kills it once its journal tells of something that is done.
/// Its status is that of the kill, or its own if it ended before.
inline Finished kill_once_begun(std::vector<std::string> words, const std::string& output) {
  const std::string script =
      "\"$@\" 2>/dev/null & size() { stat -c %s \"$0.part.journal\" 2>/dev/null || echo 0; }; "
      "grows() { until [ $(size) -gt $1 ] || ! kill -0 $! 2>/dev/null; do sleep 0.01; done; }; "
      "grows 0; grows $(size); kill -KILL $!; wait $!";
  words.insert(words.begin(), {"bash", "-c", script, output});
  return run(words);
}

/// Runs a program on a terminal of its own; all that it shows is in `out`.
inline Finished run_on_terminal(const std::vector<std::string>& words, unsigned short columns) {
  int terminal = -1;
  winsize size{24, columns, 0, 0};
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (child < 0) throw std::runtime_error("no terminal");
  if (child == 0) exec_words(words);
  Finished finished;
  finished.out = drain(terminal);
  finished.status = wait_status(child);
  return finished;
}

}  // namespace sluice::testing_support
