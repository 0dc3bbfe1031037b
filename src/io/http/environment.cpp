#include "io/http/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iterator>

#include "base/text.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

std::string first_set(const Variables& variable, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = variable(name); !value.empty()) return value;
  }
  return {};
}

bool is_on(const std::string& value) {
  constexpr std::array<std::string_view, 4> kOn = {"1", "on", "yes", "true"};
  return std::ranges::find(kOn, lower(value)) != kOn.end();
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlank) + 1 - first));
}

std::string token_file(const Variables& variable) {
  if (std::string path = variable("HF_TOKEN_PATH"); !path.empty()) return path;
  if (const std::string home = variable("HF_HOME"); !home.empty()) return home + "/token";
  std::string cache = variable("XDG_CACHE_HOME");
  if (cache.empty()) cache = variable("HOME") + "/.cache";
  return cache + "/huggingface/token";
}

std::string token_of(const Variables& variable) {
  std::string token = trimmed(first_set(variable, {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}));
  if (token.empty() && !is_on(variable("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) {
    std::ifstream file(token_file(variable));
    token = trimmed(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; })) {
    throw Error(ErrorCode::usage, "the hub's token has characters that no token has",
                {.cure = "Check HF_TOKEN and the file that `hf auth login` wrote"});
  }
  return token;
}

double stall_of(const Variables& variable, double otherwise) {
  const std::string text = variable("HF_HUB_DOWNLOAD_TIMEOUT");
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool good = error == std::errc() && seconds > 0 && seconds < 86400;
  return good ? seconds : otherwise;
}

// As curl and others read NO_PROXY: `*`, a host, or a domain with all that is below it.
bool is_excepted(std::string_view list, const std::string& host) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string entry = lower(trimmed(list.substr(0, end)));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (entry.starts_with('.')) entry.erase(0, 1);
    if (entry.empty()) continue;
    if (entry == "*" || entry == host || host.ends_with("." + entry)) return true;
  }
  return false;
}

}  // namespace

std::optional<Url> Environment::proxy_for(const Url& url) const {
  const std::string& proxy = url.tls ? https_proxy : http_proxy;
  if (proxy.empty() || is_excepted(no_proxy, url.host)) return std::nullopt;
  Url parsed = parse_url(proxy.find("://") == proxy.npos ? "http://" + proxy : proxy);
  if (parsed.tls) {
    throw Error(ErrorCode::usage, "proxies that are themselves reached over TLS are not supported",
                {.file = masked(proxy), .cure = "Name one that begins with http://"});
  }
  return parsed;
}

Environment read_environment(const Variables& variable) {
  Environment found;
  const std::string endpoint = variable("HF_ENDPOINT");
  found.hub = parse_url(endpoint.empty() ? "https://huggingface.co" : endpoint);
  while (found.hub.path.ends_with('/')) found.hub.path.pop_back();
  found.token = token_of(variable);
  found.offline = is_on(variable("HF_HUB_OFFLINE"));
  found.stall_s = stall_of(variable, found.stall_s);
  // Not HTTP_PROXY: in a CGI program anybody can set it by a header `Proxy`.
  found.http_proxy = first_set(variable, {"http_proxy", "all_proxy", "ALL_PROXY"});
  found.https_proxy = first_set(variable, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  found.no_proxy = first_set(variable, {"no_proxy", "NO_PROXY"});
  return found;
}

Environment read_environment() {
  return read_environment([](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  });
}

}  // namespace sluice::io
