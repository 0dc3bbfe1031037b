#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "io/http/url.h"

namespace sluice::io {

class Network;

/// hf://ORG/NAME[@REVISION][/PATH]
struct HubName {
  std::string repository;  ///< "ORG/NAME"
  std::string revision;    ///< a branch, tag or commit; empty: main
  std::string path;        ///< of a file or folder; empty: all of the repository
};

/// Whether `name` begins with hf://.
bool is_hub_name(std::string_view name);

/// \throws Error (usage)
HubName parse_hub_name(std::string_view name);

/// hf://REPOSITORY[@REVISION], as parse_hub_name() reads it.
std::string hub_name_of(const std::string& repository, const std::string& revision);

/// A repository at one commit.
struct HubListing {
  std::string commit;
  std::vector<std::string> files;  ///< paths within the repository, sorted
};

/// A repository that is looked at. While it lives, all files that are opened by names of the same
/// repository and revision are of the same commit.
struct HubRepository {
  std::shared_ptr<Network> network;
  std::shared_ptr<const HubListing> listing;
};

/// \throws Error (usage, input_open, input_read, interrupted) naming `name`
HubRepository open_repository(const std::string& name, const std::atomic<bool>* stop);

/// The hub, as its public API shows it.
class Hub {
 public:
  explicit Hub(Network& network) : network_(network) {}

  /// What a name's repository holds. Asked for once: all files that are opened meanwhile are of the
  /// same commit.
  /// \throws Error (input_open) naming `name`
  std::shared_ptr<const HubListing> listing(const std::string& name, const std::atomic<bool>* stop);

  /// Where the file that `name` stands for is, at the listing's commit.
  /// \throws Error (input_open) if the repository has no such file
  Url place_of(const std::string& name, const HubListing& listing) const;

 private:
  HubListing ask(const HubName& name, const std::atomic<bool>* stop) const;

  Network& network_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const HubListing>> listings_;  // by repository and revision
};

}  // namespace sluice::io
