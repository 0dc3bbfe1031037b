#pragma once

#include <string>
#include <string_view>

namespace sluice::cli {

/// A file to which lines are added, each with the time (UTC, to the millisecond). A line is in the
/// file when the call returns, so that a log tells what happened last before a crash.
class LogFile {
 public:
  /// \throws Error (output_open)
  explicit LogFile(const std::string& path);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// Adds each line of `text`. \returns false if the file cannot take it.
  bool append(std::string_view text);

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int descriptor_;
};

}  // namespace sluice::cli
