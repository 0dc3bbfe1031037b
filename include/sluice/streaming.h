#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "sluice/codec.h"

#pragma GCC visibility push(default)

namespace sluice {

/// How input files are read. Whichever way, what the page cache held of them before it holds
/// afterwards, and what reading brings in goes again.
enum class IoMode {
  automatic,  ///< what the page cache has from there, the rest as async; without io_uring mmap
  mmap,       ///< memory maps (Boost.Interprocess); see below on SIGBUS
  async,      ///< asynchronous reads (Boost.Asio on io_uring), past the page cache where possible
  plain,      ///< one pread after the other
};

/// Whether files share a disk whose head has to move between them.
enum class Spindle {
  automatic,  ///< by the files' devices
  shared,     ///< reads and writes, or reads of the one and of the other, come in larger batches
  separate,   ///< neither waits for the other
};

/// What all that streams models has in common: quantize, verify and compare.
///
/// These, and plan, forecast and inspect, may run at once, on any threads of a process, several of
/// each, on the same inputs too; of two runs that make the same output the second ends with
/// ErrorCode::output_open. Each has its own budget, buffers and threads. What they share with the
/// process:
///
///  - SIGBUS. While a file or a part of one is mapped (IoMode::mmap, what IoMode::automatic
///    takes from the page cache, any importance matrix), the process has a handler for it, so that a page that cannot be read is an Error and not the end. Other SIGBUS
///    go to whichever handler was there before; a handler that is installed meanwhile takes this
///    away, and must pass on what is not its own.
///  - oneTBB's workers. A run has a task_arena of its own with `threads` places. Only where that is
///    more than oneTBB allows the process (max_allowed_parallelism: one a core) does a global_control
///    raise it, to the most that any run under way asks for; nothing is ever lowered.
///
/// An Observer, and what `stop` points to, must be able to bear what is done with them: an observer
/// that serves two runs is called by both at once.
struct StreamingOptions {
  int threads = 0;  ///< compute workers; 0: one a core
  /// Bytes for all that the run allocates to work with: input, scratch and output together. Headers
  /// and importance matrices come on top, as does what the host or another run holds.
  std::uint64_t memory = std::uint64_t{512} << 20;
  /// Count against `memory` all that the process holds, not the run's buffers alone: for a program
  /// that does nothing else and promises a bound.
  bool memory_of_process = false;
  IoMode io = IoMode::automatic;
  Spindle spindle = Spindle::automatic;  ///< verify, compare: of the two models
  Isa isa = best_isa();                  ///< kernels to run; the results are the same for all
  /// Write a Chrome trace of the run to this file; empty: none. Where it cannot be created, the run
  /// does not begin; where writing it fails later, it is cut short and a note says so.
  std::string trace;
  /// Set to true, by another thread or a signal handler, it ends the run within a second, with what
  /// is done kept (ErrorCode::interrupted). May be null.
  const std::atomic<bool>* stop = nullptr;
};

}  // namespace sluice

#pragma GCC visibility pop
