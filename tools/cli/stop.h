#pragma once

#include <atomic>
#include <string>

namespace sluice::cli {

/// Set by Ctrl-C, SIGTERM and by a terminal that closes, once catch_stop_signals() was called. A
/// second signal ends the process at once.
const std::atomic<bool>& stop_requested();

void catch_stop_signals();

/// The command that was typed, quoted for a shell.
std::string command_line(int argc, char** argv);

}  // namespace sluice::cli
