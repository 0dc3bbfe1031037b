#include "sluice/urls.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sluice {
namespace {

constexpr std::string_view kHidden = "***";

std::string masked_query(std::string_view query) {
  std::string result;
  bool value = false;
  for (const char c : query) {
    if (c == '&') value = false;
    if (!value) result += c;
    if (c == '=' && !value) {
      value = true;
      result += kHidden;
    }
  }
  return result;
}

}  // namespace

bool is_url(std::string_view name) {
  constexpr std::array<std::string_view, 3> kSchemes = {"https://", "http://", "hf://"};
  return std::ranges::any_of(kSchemes, [&](std::string_view scheme) {
    return lower(name.substr(0, scheme.size())) == scheme;
  });
}

std::string masked(std::string_view name) {
  const std::size_t colon = name.find("://");  // of whatever scheme: a proxy's may be another
  if (colon == name.npos) return std::string(name);
  const std::string_view scheme = name.substr(0, colon + 3);
  std::string_view rest = name.substr(scheme.size());
  const std::size_t query = std::min(rest.find('?'), rest.size());
  std::string_view place = rest.substr(0, query);
  std::string user;
  const std::size_t at = place.substr(0, place.find('/')).rfind('@');
  if (at != place.npos) {
    user = fmt::format("{}@", kHidden);
    place.remove_prefix(at + 1);
  }
  return fmt::format("{}{}{}{}", scheme, user, place, masked_query(rest.substr(query)));
}

}  // namespace sluice
