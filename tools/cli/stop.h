#pragma once

#include <atomic>

namespace sluice::cli {

/// Allows as many open files as the system does, as a split model may need, and makes a limit of
/// file sizes (`ulimit -f`) an error instead of a death.
void lift_limits();

/// Set by Ctrl-C, SIGTERM and by a terminal that closes, once catch_stop_signals() was called. A
/// second Ctrl-C or SIGTERM ends the process at once.
const std::atomic<bool>& stop_requested();

/// From here on a reader of messages that went away does not end the run either.
void catch_stop_signals();

}  // namespace sluice::cli
