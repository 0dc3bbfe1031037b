#include "io/http/network.h"

#include <mutex>

namespace sluice::io {

std::shared_ptr<Network> Network::current() {
  static std::mutex mutex;
  static std::weak_ptr<Network> in_use;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Network> network = in_use.lock();
  if (!network) in_use = network = std::make_shared<Network>(read_environment());
  return network;
}

}  // namespace sluice::io
