#include "io/bus_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>

namespace sluice::io {

// One entry of a list that the signal handler walks: entries are added and used again, never freed.
struct BusGuard::Region {
  std::atomic<std::uintptr_t> begin = kNone;  // address; kNone while the entry is free
  std::atomic<std::uintptr_t> end = 0;
  std::atomic<std::uintptr_t> fault = 0;  // address of the first page that was missing
  Region* next = nullptr;

  static constexpr std::uintptr_t kNone = UINTPTR_MAX;
};

namespace {

using Region = BusGuard::Region;

static_assert(std::atomic<std::uintptr_t>::is_always_lock_free, "needed in a signal handler");

std::atomic<Region*> regions = nullptr;
const std::uintptr_t page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));

std::mutex guards_mutex;  // of what follows, and of adding to the list
std::size_t guards = 0;
bool installed = false;
struct sigaction previous {};

// The region that holds an address. `begin` is read twice, for an entry may be freed and used again
// between the first look and that at `end`.
Region* find(std::uintptr_t address) noexcept {
  for (Region* region = regions.load(); region != nullptr; region = region->next) {
    const std::uintptr_t begin = region->begin.load();
    const std::uintptr_t end = region->end.load();
    if (begin <= address && address < end && region->begin.load() == begin) return region;
  }
  return nullptr;
}

// Async-signal-safe. A fault that was not ours happens again once the handler is the default one.
void pass_on(int signal, siginfo_t* info, void* context) noexcept {
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
    return;
  }
  const bool sent = info->si_code <= 0;  // by kill() and the like, not by touching memory
  if (previous.sa_handler == SIG_IGN && sent) return;
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
    return;
  }
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(signal, &standard, nullptr);
  if (sent) ::raise(signal);
}

void on_bus_error(int signal, siginfo_t* info, void* context) noexcept {
  const int saved_errno = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  Region* region = info->si_code > 0 ? find(address) : nullptr;
  const std::uintptr_t page = address & ~(page_size - 1);
  if (region != nullptr && ::mmap(reinterpret_cast<void*>(page), page_size, PROT_READ,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
    std::uintptr_t none = 0;
    region->fault.compare_exchange_strong(none, page);
  } else {
    pass_on(signal, info, context);
  }
  errno = saved_errno;
}

bool is_ours(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == on_bus_error;
}

void install() {
  struct sigaction ours {};
  ours.sa_sigaction = on_bus_error;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(SIGBUS, nullptr, &previous);
  ::sigaction(SIGBUS, &ours, nullptr);
  installed = true;
}

// A handler that somebody put over this one may pass signals on to it: then it stays.
void remove() {
  struct sigaction current {};
  ::sigaction(SIGBUS, nullptr, &current);
  if (!is_ours(current)) return;
  ::sigaction(SIGBUS, &previous, nullptr);
  installed = false;
}

Region* free_region() {
  for (Region* region = regions.load(); region != nullptr; region = region->next) {
    if (region->begin.load() == Region::kNone) return region;
  }
  auto* region = new Region;
  region->next = regions.load();
  regions.store(region);
  return region;
}

}  // namespace

BusGuard::BusGuard(std::span<const std::byte> mapping) {
  const std::lock_guard lock(guards_mutex);
  region_ = free_region();
  const auto begin = reinterpret_cast<std::uintptr_t>(mapping.data());
  region_->fault.store(0);
  region_->end.store(begin + mapping.size());
  region_->begin.store(begin);
  ++guards;
  if (!installed) install();
}

BusGuard::~BusGuard() {
  if (region_ == nullptr) return;
  const std::lock_guard lock(guards_mutex);
  region_->begin.store(Region::kNone);
  if (--guards == 0 && installed) remove();
}

std::optional<std::size_t> BusGuard::first_fault() const noexcept {
  const std::uintptr_t page = region_->fault.load();
  if (page == 0) return std::nullopt;
  return page - region_->begin.load();
}

}  // namespace sluice::io
