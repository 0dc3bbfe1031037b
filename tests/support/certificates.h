#pragma once

#include <memory>
#include <string>

namespace sluice::testing_support {

/// A certificate and its key, as PEM.
struct Certificate {
  std::string chain;
  std::string key;
};

/// Signs certificates that nobody trusts but who names its file.
class Authority {
 public:
  Authority();
  ~Authority();

  /// The authority's own certificate, for SSL_CERT_FILE.
  std::string pem() const;

  /// \param name  the host's, or its address
  /// \param days  until it expires; negative: since when it has
  Certificate certificate(const std::string& name, int days = 1) const;

 private:
  struct Keys;
  std::unique_ptr<Keys> keys_;
};

}  // namespace sluice::testing_support
