#include "instruction_count.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::bench {

std::uint64_t count_instructions(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child < 0) return 0;
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);
    raise(SIGSTOP);  // counting starts
    work();
    raise(SIGSTOP);  // counting ends
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::uint64_t steps = 0;
  while (WIFSTOPPED(status)) {
    const bool ended = WSTOPSIG(status) == SIGSTOP && steps > 0;
    if (ended || ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
    waitpid(child, &status, 0);
    ++steps;
  }
  const bool counted = WIFSTOPPED(status);
  kill(child, SIGKILL);
  if (counted) waitpid(child, &status, 0);
  return counted ? steps : 0;
}

}  // namespace sluice::bench
