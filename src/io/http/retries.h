#pragma once

#include <atomic>
#include <stdexcept>
#include <string>

#include "sluice/error.h"

namespace sluice::io {

/// What may go better the next time: a reset, a stall, a body cut short, a busy server.
struct Transient : std::runtime_error {
  explicit Transient(const std::string& what, double after_s = 0, bool was_refused = false)
      : std::runtime_error(what), retry_after_s(after_s), refused(was_refused) {}

  double retry_after_s;  ///< as the server asks
  bool refused;          ///< by the server that a redirect led to: the link may have expired
};

/// No connection comes about.
struct Unreachable : Transient {
  using Transient::Transient;
};

/// What the server refuses, with a status that tells why, and will refuse the next time.
struct Refused : Error {
  Refused(unsigned with_status, const Error& error) : Error(error), status(with_status) {}

  unsigned status;
};

/// How patiently a request is repeated.
struct Patience {
  int attempts = 10;       ///< without a byte in between
  int first_attempts = 4;  ///< at a server that cannot be reached, before any has answered
  double first_pause_s = 0.25;
  double longest_pause_s = 30;
};

/// Sleeps. \throws Error (interrupted) within a tenth of a second once `stop` is true
void pause(double seconds, const std::atomic<bool>* stop);

/// Counts failures in a row and waits between them, each time about twice as long, and not as long
/// as the next one's neighbour, so that several connections do not come back at once.
class Retries {
 public:
  Retries(const Patience& patience, const std::atomic<bool>* stop)
      : patience_(patience), stop_(stop) {}

  /// Waits until the next attempt.
  /// \param progress  whether bytes came since the last failure
  /// \param answered  whether any server has answered yet: else a name or a cable is wrong
  /// \throws Error (input_read) if there were too many
  void wait(const Transient& failure, bool progress, bool answered);

 private:
  const Patience patience_;
  const std::atomic<bool>* const stop_;
  int failures_ = 0;
  int refusals_ = 0;
};

}  // namespace sluice::io
