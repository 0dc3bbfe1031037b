#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::cli {

/// How the program speaks.
struct ConsoleOptions {
  bool quiet = false;    ///< nothing but errors, and what was asked for (a plan, findings)
  std::string log_file;  ///< gets all that is said, with times, also when quiet; empty: none
};

/// What the program says while it works. Results go to stdout, all else to stderr; a log file gets
/// both. One console a process, since a process has one stderr. Call from one thread at a time.
namespace console {

/// Begins, before anything else is said.
/// \param command  what was typed; the log begins with it
/// \throws Error (output_open)
void begin(const ConsoleOptions& options, const std::string& command);

/// `sluice: …`, whatever the options.
void error(std::string_view text);

/// A line to the user after an error: what to do now.
void hint(std::string_view text);

/// `note: …`
void note(std::string_view text);

/// A line of progress, to stay.
void step(std::string_view text);

/// Lines on what a run did, to stdout unless quiet.
/// \throws Error (output_write)
void summary(std::string_view text);

/// Lines that were asked for, to stdout.
/// \throws Error (output_write)
void result(std::string_view text);

/// Sees to it that all results have left the program.
/// \throws Error (output_write)
void flush_results();

/// Into the log only.
void log(std::string_view text);

bool quiet();

/// Whether stderr is a terminal that can redraw a line. Not if TERM is "dumb", nor when quiet.
bool can_redraw();

/// What to write text with.
enum class Style { plain, bold, red, yellow, green };

/// `text` in a style if `descriptor` is a terminal that has colours, NO_COLOR is not set (see
/// no-color.org) and TERM is not "dumb"; else as it is.
std::string styled(std::string_view text, Style style, int descriptor);

/// Columns of a terminal; 80 if it is none or does not tell.
std::size_t columns(int descriptor);

}  // namespace console
}  // namespace sluice::cli
