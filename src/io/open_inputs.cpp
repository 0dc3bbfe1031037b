#include <algorithm>
#include <atomic>
#include <exception>

#include "base/thread.h"
#include "io/file.h"
#include "sluice/urls.h"

namespace sluice::io {
namespace {

// Opening takes round trips and hardly any bytes.
constexpr std::size_t kAtOnce = 8;

}  // namespace

std::vector<File> open_inputs(std::span<const std::string> paths, const std::atomic<bool>* stop) {
  std::vector<File> files(paths.size());
  std::vector<std::exception_ptr> errors(paths.size());
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto open_some = [&] {
    for (std::size_t i; !failed && (i = next++) < paths.size();) {
      try {
        files[i] = File::open_input(paths[i], stop);
      } catch (...) {
        errors[i] = std::current_exception();
        failed = true;
      }
    }
  };
  std::vector<Thread> threads;
  if (std::ranges::any_of(paths, is_url)) {
    while (threads.size() + 1 < std::min(kAtOnce, paths.size())) threads.emplace_back(open_some);
  }
  open_some();
  for (Thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  return files;
}

}  // namespace sluice::io
