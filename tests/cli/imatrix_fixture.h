#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "cli/program.h"
#include "sluice/gguf.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace sluice::testing_support {

/// The tensors of an importance matrix, as numbers.
inline std::map<std::string, std::vector<float>> values_of(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  const auto header = gguf::parse_header(bytes, bytes.size(), path).value();
  std::map<std::string, std::vector<float>> values;
  for (const auto& tensor : header.tensors) {
    if (tensor.name.ends_with(".in_sum")) continue;  // which newer tools write too
    std::vector<float>& numbers = values[tensor.name];
    numbers.resize(tensor.elements());
    std::memcpy(numbers.data(), bytes.data() + header.data_offset + tensor.offset, tensor.size);
  }
  return values;
}

/// `sluice imatrix` in a folder of its own.
class Imatrix : public testing::Test {
 protected:
  Finished imatrix(std::vector<std::string> words) {
    words.insert(words.begin(), {SLUICE_PROGRAM, "imatrix"});
    return run(words);
  }

  // Expects a failure that says this.
  void expect_refusal(const std::vector<std::string>& words, int status, const std::string& says) {
    const Finished done = imatrix(words);
    EXPECT_EQ(done.status, status) << done.errors;
    EXPECT_NE(done.errors.find(says), std::string::npos) << done.errors;
    EXPECT_EQ(done.out, "");
  }

  std::string write_text(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  // A command that kills the program when a layer is done. With the slowest kernels it is in time.
  std::vector<std::string> kill_after_a_layer(const std::vector<std::string>& words) const {
    const std::string script =
        "state=$1; shift; \"$@\" 2>/dev/null & "
        "until [ $(stat -c %s $state 2>/dev/null || echo 0) -gt 4096 ] || ! kill -0 $! "
        "2>/dev/null; do sleep 0.005; done; kill -KILL $!; wait $!";
    const auto output = std::ranges::find(words, "-o") + 1;
    std::vector<std::string> killed = {
        "bash", "-c", script, "bash", *output + ".part.state", SLUICE_PROGRAM, "imatrix"};
    killed.insert(killed.end(), words.begin(), words.end());
    killed.insert(killed.end(), {"--isa", "portable"});
    return killed;
  }

  std::string ids(int count, int below = 64) {
    std::string text;
    for (int i = 0; i < count; ++i) text += std::to_string(i * 37 % below) + ", ";
    return write_text("ids", text);
  }

  const TempFolder folder_;
  const std::string output_ = folder_ / "out.gguf";
};

}  // namespace sluice::testing_support
