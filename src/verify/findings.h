#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sluice/verify.h"

namespace sluice {

/// What is wrong so far. Keeps so many findings as anyone will read, and counts the rest.
class FindingList {
 public:
  void add(Finding finding) {
    constexpr std::size_t kMostKept = 1000;
    ++count_;
    if (findings_.size() < kMostKept) findings_.push_back(std::move(finding));
  }
  void count_more(std::uint64_t more) { count_ += more; }

  std::uint64_t count() const { return count_; }
  std::vector<Finding> take() { return std::move(findings_); }

 private:
  std::vector<Finding> findings_;
  std::uint64_t count_ = 0;
};

}  // namespace sluice
