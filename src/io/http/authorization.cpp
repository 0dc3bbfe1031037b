#include "io/http/authorization.h"

#include <openssl/evp.h>

namespace sluice::io {

std::string basic_authorization(std::string_view user) {
  std::string text((user.size() + 2) / 3 * 4 + 1, '\0');
  const int size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(user.data()),
                                     static_cast<int>(user.size()));
  text.resize(static_cast<std::size_t>(size));
  return "Basic " + text;
}

std::string authorization_for(const Url& url, const Environment& environment) {
  if (!url.user.empty()) return basic_authorization(url.user);
  const bool hub = url.tls && url.origin() == environment.hub.origin();
  return hub && !environment.token.empty() ? "Bearer " + environment.token : std::string();
}

}  // namespace sluice::io
