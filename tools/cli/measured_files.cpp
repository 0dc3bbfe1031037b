#include "measured_files.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "sluice/error.h"

namespace sluice::cli {

std::vector<MeasuredFile> read_measured_files(const std::string& path) {
  std::ifstream table(path);
  if (!table) {
    throw Error(ErrorCode::input_open, "the table of measured files cannot be opened",
                {.file = path, .cure = "Check the name and the folder"});
  }
  std::vector<MeasuredFile> files;
  std::size_t number = 0;
  for (std::string line; std::getline(table, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    MeasuredFile file;
    if (!(words >> file.bytes >> file.divergence) || !(file.divergence >= 0) ||
        !std::isfinite(file.divergence)) {
      throw Error(
          ErrorCode::input_format,
          fmt::format("line {} does not begin with a number of bytes and a divergence", number),
          {.file = path, .cure = "Write lines as in '123456 0.0367 NAME'"});
    }
    std::getline(words >> std::ws, file.name);
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace sluice::cli
