#pragma once

#include <string>
#include <string_view>

#include "io/http/environment.h"
#include "io/http/url.h"

namespace sluice::io {

/// "Basic ..." for "NAME:PASSWORD".
std::string basic_authorization(std::string_view user);

/// What a request to `url` says of who asks; empty: nothing. The hub's token goes to the hub's own
/// origin over TLS, a URL's user to the URL's server, and neither to where these redirect.
std::string authorization_for(const Url& url, const Environment& environment);

}  // namespace sluice::io
