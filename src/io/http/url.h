#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/urls.h"

namespace sluice::io {

/// An http or https URL, in the parts that a request needs. No part holds blanks, control characters
/// or bytes beyond ASCII: what the text had of them is percent-encoded here.
struct Url {
  bool tls = true;
  std::string user;  ///< "NAME:PASSWORD", decoded; empty: none
  std::string host;  ///< in lower case; an IPv6 address without brackets
  std::uint16_t port = 443;
  std::string path = "/";
  std::string query;  ///< with its question mark; empty: none

  /// "https://HOST[:PORT]": what two URLs of one server have in common.
  std::string origin() const;
  /// "HOST[:PORT]", without the scheme's own port.
  std::string authority() const;
  /// The whole, without the user.
  std::string text() const { return origin() + path + query; }
};

/// \throws Error (usage) naming the URL, masked, if it is no http or https URL
Url parse_url(std::string_view text);

/// Where a reference (as of a redirect) found in an answer from `base` leads.
/// \throws Error (usage)
Url resolve(const Url& base, std::string_view reference);

/// `text` as a part of a path: all but letters, digits and `-._~/` is percent-encoded.
std::string path_encoded(std::string_view text);

/// The name of the file `name` beside `url`, with the same query. Also for names of hubs.
std::string sibling(std::string_view url, std::string_view name);

}  // namespace sluice::io
