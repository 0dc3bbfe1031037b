#include "io/http/url.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/text.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";

[[noreturn]] void fail_url(std::string_view url, std::string_view what) {
  throw Error(ErrorCode::usage, fmt::format("is no URL that can be read: {}", what),
              {.file = masked(url), .cure = "Write https://HOST/PATH"});
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

template <typename Keep>
std::string encoded(std::string_view text, Keep keep) {
  std::string result;
  for (const char c : text) {
    if (keep(c)) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

// What a request line can hold; what is encoded already stays so.
std::string sendable(std::string_view text) {
  return encoded(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const char* begin = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(begin, begin + 2, value, 16).ptr == begin + 2) {
      result += static_cast<char>(value);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::uint16_t parse_port(std::string_view url, std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    fail_url(url, "its port is no number from 1 to 65535");
  }
  return port;
}

void set_host_and_port(Url& url, std::string_view text, std::string_view whole) {
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && end == text.npos) fail_url(whole, "a bracket is open");
  std::string_view rest = text.substr(std::min(end, text.size()));
  url.host = lower(bracketed ? text.substr(1, end - 1) : text.substr(0, end));
  if (bracketed) rest.remove_prefix(1);
  const auto is_host_letter = [&](char c) { return is_unreserved(c) || (bracketed && c == ':'); };
  if (url.host.empty() || !std::ranges::all_of(url.host, is_host_letter)) {
    fail_url(whole, "it names no host");
  }
  if (rest.empty()) return;
  if (!rest.starts_with(':')) fail_url(whole, "something follows the host");
  url.port = parse_port(whole, rest.substr(1));
}

// Takes "." and ".." out of a path that begins with a slash.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(end);
    const bool up = part == "/..";
    if (up && !kept.empty()) kept.pop_back();
    if (!up && part != "/.") {
      kept.push_back(part);
    } else if (path.empty()) {
      kept.push_back("/");
    }
  }
  return fmt::format("{}", fmt::join(kept, ""));
}

}  // namespace

std::string Url::authority() const {
  const std::string name = host.find(':') == host.npos ? host : fmt::format("[{}]", host);
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::origin() const {
  return fmt::format("{}{}", tls ? kHttps : kHttp, authority());
}

Url parse_url(std::string_view text) {
  Url url;
  url.tls = lower(text.substr(0, kHttps.size())) == kHttps;
  const std::string_view scheme = text.substr(0, url.tls ? kHttps.size() : kHttp.size());
  if (!url.tls && lower(scheme) != kHttp) {
    fail_url(text, "it begins neither with https:// nor http://");
  }
  url.port = url.tls ? 443 : 80;
  std::string_view rest = text.substr(scheme.size());
  rest = rest.substr(0, rest.find('#'));
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view place = rest.substr(0, path);
  rest.remove_prefix(path);
  if (const std::size_t at = place.rfind('@'); at != place.npos) {
    url.user = decoded(place.substr(0, at));
    place.remove_prefix(at + 1);
  }
  set_host_and_port(url, place, text);
  const std::size_t query = std::min(rest.find('?'), rest.size());
  if (query > 0) url.path = without_dots(sendable(rest.substr(0, query)));
  url.query = sendable(rest.substr(query));
  return url;
}

Url resolve(const Url& base, std::string_view reference) {
  if (reference.starts_with("//")) {
    return parse_url(fmt::format("{}:{}", base.tls ? "https" : "http", reference));
  }
  const std::size_t colon = reference.find(':');
  if (colon != reference.npos && reference.find_first_of("/?") > colon) return parse_url(reference);
  std::string path = base.path;
  if (reference.starts_with('/')) {
    path.clear();
  } else if (!reference.starts_with('?')) {
    path.erase(path.rfind('/') + 1);
  }
  Url url = parse_url(fmt::format("{}{}{}", base.origin(), path, reference));
  url.user = base.user;
  return url;
}

std::string path_encoded(std::string_view text) {
  return encoded(text, [](char c) { return c == '/' || is_unreserved(c); });
}

std::string sibling(std::string_view url, std::string_view name) {
  const std::size_t query = std::min(url.find('?'), url.size());
  const std::size_t slash = url.substr(0, query).rfind('/');
  return fmt::format("{}{}{}", url.substr(0, slash + 1), name, url.substr(query));
}

}  // namespace sluice::io
