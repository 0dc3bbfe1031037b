// A model of 0.9 GiB is run in a memory cgroup of 192 MiB, page cache and all.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "limits/memory_group.h"
#include "support/gguf_builder.h"
#include "support/needs.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

constexpr std::uint64_t kWidth = 1024;
constexpr std::uint64_t kLength = 8192;
constexpr std::uint64_t kVocabulary = 131072;
constexpr std::uint32_t kLayers = 12;

/// Writes a header, and a hole for the weights: zeros that take no disk.
void write_hole(const std::string& path) {
  GgufBuilder builder;
  builder.string("general.architecture", "llama")
      .u32("llama.block_count", kLayers)
      .u32("llama.embedding_length", kWidth)
      .u32("llama.feed_forward_length", kLength)
      .u32("llama.attention.head_count", 8)
      .u32("llama.attention.head_count_kv", 8)
      .u32("llama.vocab_size", kVocabulary)
      .f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  std::uint64_t end = 0;
  const auto add = [&](const std::string& name, std::uint64_t columns, std::uint64_t rows) {
    const bool matrix = rows > 1;
    builder.tensor(name, matrix ? std::vector{columns, rows} : std::vector{columns},
                   matrix ? 30 : 0, {}, end);
    end += columns * rows * (matrix ? 2 : 4);
  };
  add("token_embd.weight", kWidth, kVocabulary);
  for (std::uint32_t layer = 0; layer < kLayers; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    for (const char* norm : {"attn_norm.weight", "ffn_norm.weight"}) add(block + norm, kWidth, 1);
    for (const char* matrix : {"attn_k", "attn_output", "attn_q", "attn_v"}) {
      add(block + matrix + ".weight", kWidth, kWidth);
    }
    add(block + "ffn_down.weight", kLength, kWidth);
    add(block + "ffn_gate.weight", kWidth, kLength);
    add(block + "ffn_up.weight", kWidth, kLength);
  }
  add("output_norm.weight", kWidth, 1);
  write_file(path, builder.build());
  fs::resize_file(path, fs::file_size(path) + end);
}

class ImatrixMemory : public testing::TestWithParam<std::string> {};

TEST_P(ImatrixMemory, IsBoundedByTheBudgetWithThePageCache) {
  const MemoryGroup group(192u << 20);
  SLUICE_NEEDS(group.made(), "no right to make a memory cgroup here");
  const TempFolder folder;
  const std::string model = folder / "model.gguf";
  write_hole(model);
  std::ofstream(folder / "ids") << "1 131071 70000 2 1 65536 3 9 8 7 6 5 4 3 2 1";
  const Finished done = run({SLUICE_PROGRAM, "imatrix", model, "--calibrate-tokens", folder / "ids",
                             "-o", folder / "out.gguf", "-c", "16", "--memory", "128M", "--io",
                             GetParam(), "-t", "2", "--json"},
                            [&] { group.enter(); });
  ASSERT_EQ(done.status, 0) << done.errors;
  const auto report = nlohmann::json::parse(done.out);
  EXPECT_LE(report["peak_anon_bytes"].get<std::uint64_t>(), 128u << 20);
  EXPECT_GT(report["read_bytes"].get<std::uint64_t>(), std::uint64_t{670} << 20);
}

INSTANTIATE_TEST_SUITE_P(Modes, ImatrixMemory, testing::Values("async", "mmap", "read"),
                         [](const auto& test) { return test.param; });

}  // namespace
