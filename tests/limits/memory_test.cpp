// 4 GiB of tensors in a memory cgroup of 256 MiB, page cache and all.

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

class Memory : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { SLUICE_NEEDS(group_.made(), "no right to make a memory cgroup here"); }

  /// Makes Q8_0 of a model of `layers` tensors, 4 GiB in all, in 256 MiB. Returns the report.
  nlohmann::json quantize(std::uint64_t layers, std::vector<std::string> options) {
    const std::uint64_t experts = 51 / layers;
    GgufBuilder builder;
    builder.string("general.architecture", "llama")
        .u32("llama.block_count", static_cast<std::uint32_t>(layers))
        .u32("llama.expert_count", static_cast<std::uint32_t>(experts));
    const std::uint64_t bytes = 5120 * 8192 * experts * 2;
    for (std::uint64_t i = 0; i < layers; ++i) {
      builder.tensor("blk." + std::to_string(i) + ".ffn_up_exps.weight", {5120, 8192, experts}, 30,
                     {}, i * bytes);
    }
    const std::string model = folder_ / "model.gguf";
    write_file(model, builder.build());
    // A hole: zeros that take no disk.
    fs::resize_file(model, fs::file_size(model) + layers * bytes);

    const std::string report = folder_ / "report.json";
    std::vector<std::string> words{SLUICE_PROGRAM, "quantize", "--pure",   "--memory", "128M",
                                   "--io",         GetParam(), "--report", report};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {model, folder_ / "out.gguf", "Q8_0", "2"});
    const Finished done = run(words, [&] { group_.enter(); });
    EXPECT_EQ(done.status, 0) << done.errors;
    if (done.status != 0) return {};
    std::ifstream file(report);
    return nlohmann::json::parse(file);
  }

  void expect_bounded(const nlohmann::json& report) {
    EXPECT_LE(report["peak_anon_bytes"].get<std::uint64_t>(), 128u << 20);
    std::uint64_t bytes = 0;
    for (const auto& part : report["parts"])
      bytes += fs::file_size(part["file"].get<std::string>());
    EXPECT_EQ(bytes / (1u << 20), std::uint64_t{5120} * 8192 * 51 / 32 * 34 / (1u << 20));
  }

  const MemoryGroup group_{256u << 20};
  const TempFolder folder_;
};

TEST_P(Memory, FourGibibytesInAGroupOf256MiB) {
  const nlohmann::json report = quantize(1, {});
  expect_bounded(report);
}

TEST_P(Memory, FourGibibytesIntoManyFiles) {
  const nlohmann::json report = quantize(51, {"--split-max-tensors", "1"});
  EXPECT_EQ(report["parts"].size(), 51u);
  expect_bounded(report);
}

INSTANTIATE_TEST_SUITE_P(Modes, Memory, testing::Values("async", "mmap", "read"),
                         [](const auto& test) { return test.param; });

}  // namespace
