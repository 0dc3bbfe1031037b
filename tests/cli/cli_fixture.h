#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace sluice::testing_support {

/// The program beside a small model.
class Cli : public testing::Test {
 protected:
  Cli() {
    std::vector<std::uint16_t> halves(256 * 600);
    for (std::size_t i = 0; i < halves.size(); ++i) {
      halves[i] = static_cast<std::uint16_t>(0x2c00 + i * 7919 % 1024 + (i % 3 == 0 ? 0x8000 : 0));
    }
    GgufBuilder builder;
    builder.string("general.architecture", "llama")
        .u32("llama.block_count", 1)
        .u32("llama.attention.head_count", 8)
        .u32("llama.attention.head_count_kv", 8)
        .tensor("token_embd.weight", {256, 600}, 1, bytes_of(halves))
        .tensor("blk.0.attn_q.weight", {256, 600}, 1, bytes_of(halves))
        .tensor("output_norm.weight", {256}, 0, bytes_of(std::vector<float>(256, 1.0f)))
        .tensor("output.weight", {256, 600}, 1, bytes_of(halves));
    write_file(model_, builder.build());
  }

  Finished sluice(std::vector<std::string> words) {
    words.insert(words.begin(), SLUICE_PROGRAM);
    return run(words);
  }

  TempFolder folder_;
  std::string model_ = folder_ / "model.gguf";
  std::string output_ = folder_ / "out.gguf";
};

}  // namespace sluice::testing_support
