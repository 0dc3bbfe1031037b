#include "fault_rules.h"

#include <cerrno>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>

namespace fault_fs {
namespace {

const std::set<std::string> kOperations = {"open",   "create",   "read",   "write",    "fsync",
                                           "rename", "fsyncdir", "unlink", "truncate", "fallocate"};

const std::map<std::string, int> kErrors = {
    {"EIO", EIO},       {"EINTR", EINTR},   {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT},
    {"EROFS", EROFS},   {"EACCES", EACCES}, {"EINVAL", EINVAL}, {"EOPNOTSUPP", EOPNOTSUPP},
    {"ESTALE", ESTALE}, {"EFBIG", EFBIG}};

Fault fault_named(const std::string& action) {
  const std::string kShrink = "shrink:";
  if (action == "power-off") return {Fault::Kind::power_off, 0};
  if (action.starts_with(kShrink)) {
    return {Fault::Kind::shrink, std::stoull(action.substr(kShrink.size()))};
  }
  const auto error = kErrors.find(action);
  if (error == kErrors.end()) throw std::invalid_argument("no such action: " + action);
  return {Fault::Kind::error, static_cast<std::uint64_t>(error->second)};
}

}  // namespace

void FaultRules::add(const std::string& words) {
  std::istringstream stream(words);
  Rule rule;
  stream >> rule.op;
  if (!kOperations.contains(rule.op)) throw std::invalid_argument("no such operation: " + rule.op);
  for (std::string word; stream >> word;) {
    if (word == "do") {
      stream >> word;
      rule.fault = fault_named(word);
      rules_.push_back(rule);
      return;
    }
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) throw std::invalid_argument("not KEY=VALUE: " + word);
    const std::string key = word.substr(0, equals);
    const std::string value = word.substr(equals + 1);
    if (key == "file") {
      rule.file = value;
    } else if (key == "skip") {
      rule.skip = std::stoull(value);
    } else if (key == "times") {
      rule.times = std::stoull(value);
    } else if (key == "at") {
      rule.at = std::stoull(value);
    } else {
      throw std::invalid_argument("no such key: " + key);
    }
  }
  throw std::invalid_argument("no action: " + words);
}

std::optional<Fault> FaultRules::meet(const std::string& op, const std::string& file,
                                      std::uint64_t offset, std::uint64_t size) {
  ++counts_[op];
  for (Rule& rule : rules_) {
    if (rule.op != op || !file.ends_with(rule.file)) continue;
    if (rule.at && (*rule.at < offset || *rule.at >= offset + size)) continue;
    if (rule.skip > 0) {
      --rule.skip;
    } else if (rule.times > 0) {
      --rule.times;
      ++faults_;
      return rule.fault;
    }
  }
  return std::nullopt;
}

std::string FaultRules::counts() const {
  std::ostringstream text;
  for (const auto& [op, count] : counts_) text << op << " " << count << "\n";
  text << "faults " << faults_ << "\n";
  return text.str();
}

}  // namespace fault_fs
