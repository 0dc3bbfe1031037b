// How long a checkpoint takes that lies on a server, beside downloading it once.
//
//   bench_remote FOLDER TYPE [IMATRIX] [MBYTES_A_SECOND] [LATENCY_MS] [ROUNDS]
//
// Serves the folder's files over TLS on loopback, on a line of so many MB/s and so long a round trip
// (100 and 20) that all connections share. By turns, curl downloads each file to nowhere, and sluice
// makes a model of it.

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "support/certificates.h"
#include "support/process.h"
#include "support/temp_folder.h"
#include "support/web_server.h"

namespace {

namespace fs = std::filesystem;
using namespace sluice::testing_support;

using Files = std::map<std::string, std::shared_ptr<const std::string>>;

Files read_folder(const std::string& folder) {
  Files files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::ifstream stream(entry.path(), std::ios::binary);
    std::string text(fs::file_size(entry.path()), '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    files[entry.path().filename()] = std::make_shared<const std::string>(std::move(text));
  }
  return files;
}

double seconds_of(const std::vector<std::string>& command) {
  const auto start = std::chrono::steady_clock::now();
  const Finished done = run(command);
  if (done.status != 0) throw std::runtime_error(command[0] + " failed: " + done.errors);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure(std::span<const std::string> words) {
  const auto number = [&](std::size_t i, double value) {
    return words.size() > i ? std::stod(words[i]) : value;
  };
  const Files files = read_folder(words[0]);
  const TempFolder folder;
  const Authority authority;
  const std::string pem = authority.pem();
  write_file(folder / "ca.pem", std::as_bytes(std::span(pem)));
  ::setenv("SSL_CERT_FILE", (folder / "ca.pem").c_str(), 1);
  const WebServer server(
      [&](const Asked& asked) {
        const auto found = files.find(fs::path(asked.target).filename());
        return found == files.end() ? Reply{.status = 404}
                                    : reply_with(asked, found->second, "\"1\"");
      },
      authority.certificate("localhost"), 0,
      {.bytes_per_s = 1e6 * number(3, 100), .latency_s = 1e-3 * number(4, 20)});
  const std::string url = server.origin("localhost") + "/model/";

  std::vector<std::string> download = {"curl", "--silent", "--fail", "--cacert", folder / "ca.pem"};
  for (const auto& [name, text] : files) {
    download.insert(download.end(), {"--output", "/dev/null", url + name});
  }
  std::vector<std::string> quantize = {SLUICE_PROGRAM, "quantize", "--quiet"};
  if (words.size() > 2 && !words[2].empty()) {
    quantize.insert(quantize.end(), {"--imatrix", words[2]});
  } else {
    quantize.emplace_back("--ignore-imatrix-rules");
  }
  quantize.insert(quantize.end(), {"--restart", url, folder / "out.gguf", words[1]});

  std::vector<double> downloads;
  std::vector<double> runs;
  for (int round = 0; round < static_cast<int>(number(5, 3)); ++round) {
    downloads.push_back(seconds_of(download));
    runs.push_back(seconds_of(quantize));
    fmt::print("download {:.2f} s, sluice {:.2f} s\n", downloads.back(), runs.back());
  }
  fmt::print("medians: download {:.2f} s, sluice {:.2f} s, ratio {:.3f}\n", median(downloads),
             median(runs), median(runs) / median(downloads));
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() < 2) {
    fmt::print(
        stderr,
        "usage: bench_remote FOLDER TYPE [IMATRIX] [MBYTES_A_SECOND] [LATENCY_MS] [ROUNDS]\n");
    return 2;
  }
  try {
    measure(words);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
