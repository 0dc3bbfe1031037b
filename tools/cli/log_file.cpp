#include "log_file.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include "sluice/error.h"
#include "sluice/used_files.h"
#include "text.h"

namespace sluice::cli {
namespace {

std::string now_text() {
  using namespace std::chrono;
  const auto now = time_point_cast<milliseconds>(system_clock::now());
  const auto whole = time_point_cast<seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(system_clock::to_time_t(whole)),
                     (now - whole).count());
}

}  // namespace

LogFile::LogFile(const std::string& path) : path_(path) {
  // A pipe without a reader must not hold the program up: O_NONBLOCK, for the opening only.
  descriptor_ = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (descriptor_ < 0) {
    const int reason = errno;
    throw Error(ErrorCode::output_open,
                fmt::format("the log cannot be opened: {}", std::strerror(reason)),
                {.file = path, .cure = open_cure(reason, "Name a file that you may write to")});
  }
  ::fcntl(descriptor_, F_SETFL, O_APPEND);
}

LogFile::~LogFile() {
  ::close(descriptor_);
}

bool LogFile::append(std::string_view text) {
  const std::string time = now_text();
  std::string lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines += fmt::format("{} {}\n", time, printable(std::string(text.substr(0, end))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::string_view left = lines;
  while (!left.empty()) {
    const ssize_t written = ::write(descriptor_, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace sluice::cli
