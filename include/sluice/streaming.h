#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "sluice/codec.h"

#pragma GCC visibility push(default)

namespace sluice {

/// How input files are read.
enum class IoMode {
  automatic,  ///< async where io_uring is to be had, else read
  mmap,       ///< memory maps (Boost.Interprocess)
  async,      ///< asynchronous reads (Boost.Asio on io_uring), past the page cache where possible
  plain,      ///< one pread after the other
};

/// Whether files share a disk whose head has to move between them.
enum class Spindle {
  automatic,  ///< by the files' devices
  shared,     ///< reads and writes take turns, in large batches
  separate,   ///< neither waits for the other
};

/// What all that streams models has in common: quantize, verify and compare.
///
/// All functions of the library may run at once, on whatever threads, with an observer for each
/// call; only two runs that make the same output may not. What a run changes in its process while
/// it lasts: memory maps have a handler of SIGBUS, which passes on what is not its own; and more
/// threads than there are cores raise oneTBB's max_allowed_parallelism.
struct StreamingOptions {
  int threads = 0;                                  ///< compute workers; 0: one a core
  std::uint64_t memory = std::uint64_t{512} << 20;  ///< bytes for all of the run's buffers together
  /// Count against `memory` all that the process holds, not the run's buffers alone: for a program
  /// that does nothing else and promises a bound.
  bool memory_of_process = false;
  IoMode io = IoMode::automatic;
  Spindle spindle = Spindle::automatic;
  Isa isa = best_isa();  ///< kernels to run; the results are the same for all
  std::string trace;     ///< write a Chrome trace of the run to this file; empty: none
  /// Set to true, by another thread or a signal handler, it ends the run within a second, with what
  /// is done kept (ErrorCode::interrupted). May be null.
  const std::atomic<bool>* stop = nullptr;
};

}  // namespace sluice

#pragma GCC visibility pop
