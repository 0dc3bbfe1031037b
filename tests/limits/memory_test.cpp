// 4 GiB of tensors in a memory cgroup of 256 MiB, page cache and all.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/gguf_builder.h"
#include "support/needs.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

// A cgroup (version 1 or 2) with a memory limit, if we may make one: among the machine's own, or in
// a hierarchy that is mounted for it.
class MemoryGroup {
 public:
  explicit MemoryGroup(std::uint64_t bytes) {
    const std::string mount = mount_ / ".";
    if (make("/sys/fs/cgroup/memory", bytes) || make("/sys/fs/cgroup", bytes)) return;
    for (const std::vector<std::string>& kind :
         {std::vector<std::string>{"cgroup", "-o", "memory"}, {"cgroup2"}}) {
      std::vector<std::string> words{"mount", "-t"};
      words.insert(words.end(), kind.begin(), kind.end());
      words.insert(words.end(), {"none", mount});
      mounted_ = run(words).status == 0;
      if (mounted_ && make(mount, bytes)) return;
      unmount();
    }
  }
  ~MemoryGroup() {
    std::error_code ignored;
    if (made()) fs::remove(folder_, ignored);
    unmount();
  }
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;

  bool made() const { return !folder_.empty(); }

  /// Puts the calling process into the group.
  void enter() const { std::ofstream(folder_ + "/cgroup.procs") << ::getpid() << std::flush; }

 private:
  bool make(const std::string& root, std::uint64_t bytes) {
    if (::access((root + "/cgroup.procs").c_str(), W_OK) != 0) return false;
    // In version 2 a group hands down what its own list says.
    std::ofstream(root + "/cgroup.subtree_control") << "+memory" << std::flush;
    const std::string folder = root + "/sluice-test-" + std::to_string(::getpid());
    std::error_code error;
    if (!fs::create_directory(folder, error)) return false;
    for (const std::string limit : {"memory.limit_in_bytes", "memory.max"}) {
      std::ofstream file(folder + "/" + limit);
      file << bytes << std::flush;
      if (!file) continue;
      folder_ = folder;
      return true;
    }
    fs::remove(folder, error);
    return false;
  }

  void unmount() {
    if (std::exchange(mounted_, false)) ::umount2((mount_ / ".").c_str(), MNT_DETACH);
  }

  const TempFolder mount_;
  bool mounted_ = false;
  std::string folder_;
};

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
