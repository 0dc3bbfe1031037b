// Outputs are held against the checkpoints that they were made of: right ones pass, and what was
// damaged, exchanged or left untransformed is named.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "sluice/compare.h"
#include "sluice/error.h"
#include "sluice/inspect.h"
#include "sluice/quantize.h"
#include "sluice/verify.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

using testing_support::Bytes;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

std::string checkpoint(const std::string& name) {
  return std::string(SLUICE_TEST_DATA) + "/checkpoints/" + name;
}

std::vector<std::string> checkpoints() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(SLUICE_TEST_DATA) + "/checkpoints")) {
    if (std::filesystem::exists(entry.path() / "config.json")) {
      names.push_back(entry.path().filename());
    }
  }
  std::ranges::sort(names);
  return names;
}

class AgainstCheckpoint : public testing::TestWithParam<std::string> {
 protected:
  std::string make(const std::string& name, const char* type) {
    QuantizeOptions options;
    options.input = checkpoint(name);
    options.output = folder_ / "out.gguf";
    options.file_type = find_file_type(type);
    options.ignore_imatrix_rules = true;
    options.restart = true;
    quantize(options, observer_);
    return options.output;
  }

  VerifyReport check(const std::string& output, const std::string& against) {
    VerifyOptions options;
    options.output = output;
    options.against = checkpoint(against);
    return verify(options, observer_);
  }

  TempFolder folder_;
  Observer observer_;
};

class EachCheckpoint : public AgainstCheckpoint {};

TEST_P(EachCheckpoint, PassesWhatIsMadeOfIt) {
  for (const char* type : {"F32", "BF16", "Q8_0", "Q4_K_M"}) {
    const VerifyReport report = check(make(GetParam(), type), GetParam());
    EXPECT_EQ(report.findings_in_all, 0u) << type;
    for (const VerifiedTensor& tensor : report.tensors) {
      EXPECT_TRUE(type != std::string("F32") || tensor.plain_error == 0) << tensor.name;
    }
  }
}

TEST_P(EachCheckpoint, IsItsF32ModelFromEitherSide) {
  const std::string f32 = make(GetParam(), "F32");
  for (const bool turned : {false, true}) {
    CompareOptions options;
    options.a = turned ? f32 : checkpoint(GetParam());
    options.b = turned ? checkpoint(GetParam()) : f32;
    const Comparison comparison = compare(options, observer_);
    EXPECT_TRUE(comparison.complete());
    for (const ComparedTensor& tensor : comparison.tensors) {
      ASSERT_TRUE(tensor.difference) << tensor.name;
      EXPECT_EQ(tensor.difference->max_absolute, 0) << tensor.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, EachCheckpoint, testing::ValuesIn(checkpoints()),
                         [](const auto& each) { return each.param; });

/// Where a tensor's data lie in the only file.
std::pair<std::uint64_t, std::uint64_t> place_of(const std::string& file, const std::string& name) {
  for (const InspectedTensor& tensor : inspect(file).tensors) {
    if (tensor.name == name) return {tensor.offset, tensor.size};
  }
  throw std::runtime_error("no tensor " + name);
}

TEST_F(AgainstCheckpoint, AFlippedBitIsNamed) {
  struct Damage {
    const char* checkpoint;
    const char* type;
    const char* tensor;
  };
  for (const Damage& damage :
       {Damage{"llama4_scout", "BF16", "blk.1.ffn_up_exps.weight"},
        Damage{"deepseek_v3_fp8", "F32", "blk.1.attn_k_b.weight"},
        Damage{"gpt_oss", "BF16", "blk.1.ffn_gate_exps.weight"},  // blocks of MXFP4
        Damage{"llama32_tied", "BF16", "blk.0.attn_q.weight"}}) {
    const std::string output = make(damage.checkpoint, damage.type);
    const auto [offset, size] = place_of(output, damage.tensor);
    Bytes bytes = read_file(output);
    bytes[offset + size / 2 + 1] ^= std::byte{1};
    write_file(output, bytes);
    const VerifyReport report = check(output, damage.checkpoint);
    ASSERT_EQ(report.findings.size(), 1u) << damage.tensor;
    EXPECT_EQ(report.findings[0].tensor, damage.tensor);
    EXPECT_TRUE(report.findings[0].rows);
  }
}

// What a converter gets wrong that forgets a transform: gate for up, and rows of rotary pairs in the
// checkpoint's order.
TEST_F(AgainstCheckpoint, ExchangedTensorsAndRowsAreFound) {
  const std::string output = make("llama4_scout", "Q8_0");
  const auto [gate, gate_size] = place_of(output, "blk.1.ffn_gate_exps.weight");
  const auto [up, up_size] = place_of(output, "blk.1.ffn_up_exps.weight");
  ASSERT_EQ(gate_size, up_size);
  Bytes bytes = read_file(output);
  std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(gate),
                   bytes.begin() + static_cast<std::ptrdiff_t>(gate + gate_size),
                   bytes.begin() + static_cast<std::ptrdiff_t>(up));
  write_file(output, bytes);
  std::set<std::string> named;
  for (const Finding& finding : check(output, "llama4_scout").findings)
    named.insert(finding.tensor);
  EXPECT_EQ(named,
            (std::set<std::string>{"blk.1.ffn_gate_exps.weight", "blk.1.ffn_up_exps.weight"}));

  const std::string rotary = make("llama32_tied", "BF16");
  const auto [query, query_size] = place_of(rotary, "blk.0.attn_q.weight");
  bytes = read_file(rotary);
  const auto row = static_cast<std::ptrdiff_t>(query_size / 32);
  const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(query) + row;
  std::swap_ranges(first, first + row, first + row);
  write_file(rotary, bytes);
  const VerifyReport report = check(rotary, "llama32_tied");
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].tensor, "blk.0.attn_q.weight");
}

TEST_F(AgainstCheckpoint, TwoCheckpointsAreNotCompared) {
  CompareOptions options;
  options.a = checkpoint("llama4_scout");
  options.b = checkpoint("mixtral");
  EXPECT_THROW(compare(options, observer_), Error);
}

}  // namespace
}  // namespace sluice
