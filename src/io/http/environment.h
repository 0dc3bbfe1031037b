#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "io/http/url.h"

namespace sluice::io {

/// What environment variables and the hub's files say about the network.
struct Environment {
  Url hub;               ///< HF_ENDPOINT, else https://huggingface.co
  std::string token;     ///< for the hub's host alone; empty: none
  bool offline = false;  ///< HF_HUB_OFFLINE: the hub is not to be asked
  double stall_s = 10;   ///< HF_HUB_DOWNLOAD_TIMEOUT: a server silent for so long is asked anew
  std::string http_proxy;
  std::string https_proxy;
  std::string no_proxy;  ///< hosts that are reached without, separated by commas

  /// The proxy for a URL, if there is to be one.
  /// \throws Error (usage) if it is not reached over http
  std::optional<Url> proxy_for(const Url& url) const;
};

/// A variable's value, empty if it is not set.
using Variables = std::function<std::string(const char* name)>;

/// \throws Error (usage) for an endpoint that is no URL, a token that cannot be sent
Environment read_environment(const Variables& variable);
/// The same, with those of the process.
Environment read_environment();

}  // namespace sluice::io
