#include "stop.h"

#include <sys/resource.h>

#include <csignal>

namespace sluice::cli {
namespace {

std::atomic<bool> g_stop = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not wait");

}  // namespace

void lift_limits() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  ::signal(SIGXFSZ, SIG_IGN);
}

const std::atomic<bool>& stop_requested() {
  return g_stop;
}

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { g_stop = true; };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    // Of a terminal that closes, kernel and shell both tell: the second is no impatience.
    const bool once = signal != SIGHUP;
    action.sa_flags = static_cast<int>(SA_RESTART | (once ? SA_RESETHAND : 0));
    // What was ignored from the start stays so: nohup relies on it.
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
  }
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace sluice::cli
