#include "io/http/hub.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/text.h"
#include "io/http/network.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kScheme = "hf://";
// Repositories have up to 100,000 files; each is a line of some hundred bytes.
constexpr std::size_t kMostListing = std::size_t{64} << 20;

bool is_commit(const std::string& text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// A path that stays within what it is a part of.
bool is_plain_path(std::string_view path) {
  return is_plain_utf8(path) && !path.starts_with('/') &&
         ("/" + std::string(path) + "/").find("/../") == std::string::npos;
}

HubListing parse_listing(const std::string& text) {
  HubListing listing;
  try {
    const Json json = Json::parse(text);
    listing.commit = json.at("sha");
    for (const Json& file : json.at("siblings")) {
      std::string path = file.at("rfilename");
      if (is_plain_path(path)) listing.files.push_back(std::move(path));
    }
  } catch (const Json::exception&) {
    listing.commit.clear();
  }
  if (!is_commit(listing.commit)) {
    throw Error(ErrorCode::input_open, "the hub's answer is no list of a model's files",
                {.cure = "Check HF_ENDPOINT"});
  }
  std::ranges::sort(listing.files);
  return listing;
}

std::string without_slashes(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '/' ? std::string("%2F") : std::string(1, c);
  return result;
}

std::string some_of(const std::vector<std::string>& files) {
  constexpr std::size_t kShown = 8;
  std::vector<std::string> shown;
  std::size_t more = 0;
  for (const std::string& file : files) {
    if (!file.ends_with(".gguf") && !file.ends_with(".safetensors")) continue;
    if (shown.size() < kShown) {
      shown.push_back(printable(file));
    } else {
      ++more;
    }
  }
  std::string text = shown.empty() ? "no weights" : fmt::format("{}", fmt::join(shown, ", "));
  if (more > 0) text += fmt::format(" and {} more", more);
  return text;
}

}  // namespace

bool is_hub_name(std::string_view name) {
  return lower(name.substr(0, kScheme.size())) == kScheme;
}

HubName parse_hub_name(std::string_view name) {
  // A revision with slashes in it: the hub's own refs, or any with %2F for the slashes.
  static const std::regex kForm(
      R"(hf://([\w.-]+/[\w.-]+)(?:@(refs/(?:pr|convert)/[^/]+|[^/]+))?(?:/(.*))?)",
      std::regex::icase);
  std::cmatch match;
  const std::string text(name);
  if (!std::regex_match(text.c_str(), match, kForm) || !is_plain_path(match.str(3))) {
    throw Error(ErrorCode::usage, "is no name of a model on the hub",
                {.file = text,
                 .cure = "Write hf://ORG/NAME, hf://ORG/NAME@REVISION or "
                         "hf://ORG/NAME/FILE"});
  }
  HubName parsed{match.str(1), match.str(2), match.str(3)};
  for (std::size_t at; (at = parsed.revision.find("%2F")) != std::string::npos;) {
    parsed.revision.replace(at, 3, "/");
  }
  while (parsed.path.ends_with('/')) parsed.path.pop_back();
  return parsed;
}

std::string hub_name_of(const std::string& repository, const std::string& revision) {
  if (revision.empty()) return fmt::format("{}{}", kScheme, repository);
  const bool own = revision.starts_with("refs/");
  return fmt::format("{}{}@{}", kScheme, repository, own ? revision : without_slashes(revision));
}

HubRepository open_repository(const std::string& name, const std::atomic<bool>* stop) {
  std::shared_ptr<Network> network = Network::current();
  std::shared_ptr<const HubListing> listing = network->hub.listing(name, stop);
  return {std::move(network), std::move(listing)};
}

HubListing Hub::ask(const HubName& name, const std::atomic<bool>* stop) const {
  const Environment& environment = network_.client.environment();
  if (environment.offline) {
    throw Error(ErrorCode::input_open, "is on the hub, and HF_HUB_OFFLINE is set",
                {.cure = "Unset HF_HUB_OFFLINE, or name a folder on a disk"});
  }
  const std::string revision = path_encoded(name.revision.empty() ? "main" : name.revision);
  Url url = environment.hub;
  url.path += fmt::format("/api/models/{}/revision/{}", name.repository, without_slashes(revision));
  return parse_listing(network_.client.text(url, kMostListing, network_.wait(stop)));
}

std::shared_ptr<const HubListing> Hub::listing(const std::string& name,
                                               const std::atomic<bool>* stop) {
  const HubName parsed = parse_hub_name(name);
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const HubListing>& listing = listings_[parsed.repository + "@" + parsed.revision];
  if (!listing) {
    patiently(network_, name, stop, 0,
              [&] { listing = std::make_shared<const HubListing>(ask(parsed, stop)); });
  }
  return listing;
}

Url Hub::place_of(const std::string& name, const HubListing& listing) const {
  const HubName parsed = parse_hub_name(name);
  if (!std::ranges::binary_search(listing.files, parsed.path)) {
    throw Error(ErrorCode::input_open, "the repository has no such file",
                {.file = name, .cure = "It has " + some_of(listing.files)});
  }
  Url url = network_.client.environment().hub;
  url.path += fmt::format("/{}/resolve/{}/{}", parsed.repository, listing.commit,
                          path_encoded(parsed.path));
  return url;
}

}  // namespace sluice::io
