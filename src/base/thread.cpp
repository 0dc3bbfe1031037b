#include "base/thread.h"

#include <pthread.h>

#include <cstddef>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "sluice/error.h"

namespace sluice {
namespace {

// The hungriest encoder, IQ2_XXS's, takes less than an eighth.
constexpr std::size_t kStackBytes = std::size_t{1} << 20;

}  // namespace

struct Thread::State {
  std::function<void()> run;
  pthread_t handle{};
  std::exception_ptr error{};

  static void* start(void* state) {
    auto& self = *static_cast<State*>(state);
    try {
      self.run();
    } catch (...) {
      self.error = std::current_exception();
    }
    return nullptr;
  }
};

Thread::Thread() noexcept = default;
Thread::Thread(Thread&& other) noexcept = default;
Thread& Thread::operator=(Thread&& other) noexcept = default;

Thread::Thread(std::function<void()> run) : state_(new State{.run = std::move(run)}) {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kStackBytes);
  const int reason = ::pthread_create(&state_->handle, &attributes, State::start, state_.get());
  ::pthread_attr_destroy(&attributes);
  if (reason == 0) return;
  throw Error(ErrorCode::memory_budget,
              "no thread can be started: " + std::generic_category().message(reason),
              {.cure = "Raise the limits of processes and memory (ulimit -u, ulimit -v)"});
}

Thread::~Thread() {
  if (state_) ::pthread_join(state_->handle, nullptr);
}

void Thread::join() {
  if (!state_) return;
  const std::unique_ptr<State> state = std::move(state_);
  ::pthread_join(state->handle, nullptr);
  if (state->error) std::rethrow_exception(state->error);
}

}  // namespace sluice
