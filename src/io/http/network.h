#pragma once

#include <memory>
#include <string>

#include "io/http/client.h"
#include "io/http/hub.h"
#include "io/http/retries.h"
#include "sluice/error.h"

namespace sluice::io {

/// What all remote files that are open at a time share: connections, what the environment says, and
/// which commits the hub's names stand for.
class Network {
 public:
  explicit Network(Environment environment, const Patience& how_patient = {})
      : patience(how_patient), client(std::move(environment)) {}

  /// The one in use; else a new one, by the environment as it is now.
  static std::shared_ptr<Network> current();

  Wait wait(const std::atomic<bool>* stop) const {
    return {.stall_s = client.environment().stall_s, .stop = stop};
  }

  const Patience patience;
  Client client;
  Hub hub{*this};
};

/// Repeats `attempt` while it throws Transient and patience lasts.
/// \param name  of the file, for errors
/// \param done  bytes that came so far: an attempt that adds to them was not in vain
/// \throws Error naming the file
template <typename Attempt>
auto patiently(const Network& network, const std::string& name, const std::atomic<bool>* stop,
               const std::size_t& done, Attempt attempt) {
  Retries retries(network.patience, stop);
  try {
    for (;;) {
      const std::size_t before = done;
      try {
        return attempt();
      } catch (const Transient& failure) {
        retries.wait(failure, done > before, network.client.answered());
      }
    }
  } catch (const Refused& refused) {
    throw Refused(refused.status, Error::in_file(name, refused));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted || !error.context().file.empty()) throw;
    throw Error::in_file(name, error);
  }
}

}  // namespace sluice::io
