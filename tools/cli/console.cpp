#include "console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "log_file.h"
#include "sluice/error.h"
#include "sluice/version.h"

namespace sluice::cli::console {
namespace {

struct State {
  bool quiet = false;
  std::unique_ptr<LogFile> log;
};

State& state() {
  static State state;
  return state;
}

bool terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

std::string_view escape(Style style) {
  switch (style) {
    case Style::plain:
      return "";
    case Style::bold:
      return "\x1b[1m";
    case Style::red:
      return "\x1b[1;31m";
    case Style::yellow:
      return "\x1b[1;33m";
    case Style::green:
      return "\x1b[1;32m";
  }
  return "";
}

// One write a message, so that lines of several programs on a terminal do not mix. That stderr
// cannot be written is nothing that anybody could be told.
void print_error(std::string_view text) {
  std::string whole(text);
  if (!whole.ends_with('\n')) whole += '\n';
  std::fflush(stdout);  // what was said earlier is seen earlier
  std::fwrite(whole.data(), 1, whole.size(), stderr);
  std::fflush(stderr);
}

void print_result(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.ends_with('\n')) std::fputc('\n', stdout);
  flush_results();
}

}  // namespace

void begin(const ConsoleOptions& options, const std::string& command) {
  state().quiet = options.quiet;
  if (options.log_file.empty()) return;
  state().log = std::make_unique<LogFile>(options.log_file);
  log(fmt::format("sluice {}: {}", version(), command));
}

void error(std::string_view text) {
  print_error(fmt::format("{} {}", styled("sluice:", Style::red, STDERR_FILENO), text));
  log(fmt::format("error: {}", text));
}

void hint(std::string_view text) {
  print_error(text);
  log(text);
}

void note(std::string_view text) {
  if (!state().quiet) {
    print_error(fmt::format("{} {}", styled("note:", Style::yellow, STDERR_FILENO), text));
  }
  log(fmt::format("note: {}", text));
}

void step(std::string_view text) {
  if (!state().quiet) print_error(text);
  log(text);
}

void summary(std::string_view text) {
  if (!state().quiet) print_result(text);
  log(text);
}

void result(std::string_view text) {
  print_result(text);
  log(text);
}

void log(std::string_view text) {
  if (state().log && !state().log->append(text)) {
    const std::string path = state().log->path();
    state().log.reset();
    print_error(fmt::format("note: {}: cannot be written; nothing is logged any more", path));
  }
}

void flush_results() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw Error(ErrorCode::output_write, "standard output cannot be written",
                {.cure = "See whether the disk is full, or what the output is piped into"});
  }
}

bool quiet() {
  return state().quiet;
}

bool can_redraw() {
  return !state().quiet && terminal(STDERR_FILENO);
}

std::string styled(std::string_view text, Style style, int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  if (style == Style::plain || !terminal(descriptor) || (no_color != nullptr && *no_color != 0)) {
    return std::string(text);
  }
  return fmt::format("{}{}\x1b[0m", escape(style), text);
}

std::size_t columns(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace sluice::cli::console
