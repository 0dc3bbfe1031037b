#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>

#include "base/thread.h"
#include "io/file.h"
#include "sluice/urls.h"

namespace sluice::io {
namespace {

// Opening takes round trips and hardly any bytes.
constexpr std::size_t kAtOnce = 8;

// Calls `open` for each place, on several threads, until one throws; throws what the first threw.
void for_each_at_once(std::size_t places, const std::function<void(std::size_t)>& open) {
  std::vector<std::exception_ptr> errors(places);
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto open_some = [&] {
    for (std::size_t i; !failed && (i = next++) < places;) {
      try {
        open(i);
      } catch (...) {
        errors[i] = std::current_exception();
        failed = true;
      }
    }
  };
  std::vector<Thread> threads;
  while (threads.size() + 1 < std::min(kAtOnce, places)) threads.emplace_back(open_some);
  open_some();
  for (Thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace

std::vector<File> open_inputs(std::span<const std::string> paths, const std::atomic<bool>* stop) {
  std::vector<File> files(paths.size());
  const auto open = [&](std::size_t i) { files[i] = File::open_input(paths[i], stop); };
  if (std::ranges::any_of(paths, is_url)) {
    for_each_at_once(paths.size(), open);
  } else {
    for (std::size_t i = 0; i < paths.size(); ++i) open(i);
  }
  return files;
}

std::vector<std::optional<File>> open_those_there(std::span<const std::string> urls,
                                                  const std::atomic<bool>* stop) {
  std::vector<std::optional<File>> files(urls.size());
  for_each_at_once(urls.size(),
                   [&](std::size_t i) { files[i] = File::open_if_there(urls[i], stop); });
  return files;
}

}  // namespace sluice::io
