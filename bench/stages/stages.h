#pragma once

#include <ctime>
#include <string>

namespace sluice::bench {

/// Processor time of the calling thread: other programs on the machine count for little.
inline double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Seconds that a byte costs on one core.
struct KernelCosts {
  double decode = 0;  ///< of BF16, and looking for NaN and infinities
  double check = 0;   ///< the latter alone, of what is copied
  double crc32 = 0;
  double xxh3 = 0;
  double put = 0;  ///< into the buffer that gathers output
};

KernelCosts kernel_costs();

/// Seconds that a core takes to encode a weight.
/// \param type  the name of a type with an encoder
double encode_cost(const std::string& type);

/// Seconds that a thread of which a run has one spends for a byte.
struct ThreadCosts {
  double reader = 0;         ///< of input, with a disk that takes no time
  double fill = 0;           ///< on workers: copying input from the page cache
  double reader_cached = 0;  ///< of input in the page cache
  double writer = 0;         ///< of input, with an encoder that takes none
  double writer_cached = 0;  ///< the same of input in the page cache
  double writes = 0;         ///< of output: gathering and starting writes on a disk that takes none
};

/// \param file  some input, cached
ThreadCosts thread_costs(const std::string& file);

}  // namespace sluice::bench
