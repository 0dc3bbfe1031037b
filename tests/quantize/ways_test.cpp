// Published checkpoints become the same bytes however they are read, and those that llama.cpp's
// converter makes of them.

#include <map>
#include <nlohmann/json.hpp>

#include "conversion.h"
#include "io/mapped_source.h"
#include "support/sha256.h"
#include "support/temp_folder.h"
#include "wide_experts.h"

namespace sluice {
namespace {

using testing_support::TempFolder;

std::vector<Way> ways_of(std::initializer_list<std::uint64_t> units) {
  std::vector<Way> ways;
  std::size_t i = 0;
  for (const std::uint64_t unit : units) {
    for (const int threads : {1, 3}) {
      for (const std::size_t buffers : {1, 2}) {
        const IoMode mode = std::array{IoMode::async, IoMode::mmap, IoMode::plain}[i++ % 3];
        ways.push_back({unit, threads, buffers, mode, {}, nullptr, buffers == 2});
      }
    }
  }
  return ways;
}

/// A checkpoint, what is made of it, and the listing of what it must be.
struct Case {
  const char* checkpoint;
  const char* type;
  const char* listing;
};

class Listed : public testing::TestWithParam<Case> {};

TEST_P(Listed, TensorsAreTheConverters) {
  const auto& [checkpoint, type, listing] = GetParam();
  const std::string data = SLUICE_TEST_DATA "/checkpoints/";
  const auto expected =
      nlohmann::json::parse(std::ifstream(data + "expected/" + listing + ".json"));
  std::map<std::string, std::string> digests;
  for (const auto& tensor : expected["tensors"]) digests[tensor["name"]] = tensor["sha256"];
  Conversion conversion(data + checkpoint, type);
  std::vector<std::byte> first;
  for (const Way& way : ways_of({0, 1000, 30000, 1 << 22})) {
    const std::vector<std::byte> made = conversion.run(way);
    EXPECT_EQ(conversion.input_done, conversion.plan().input_size);
    if (first.empty()) first = made;
    EXPECT_TRUE(made == first) << way.unit_bytes << ' ' << way.threads << ' ' << way.buffers;
  }
  ASSERT_EQ(conversion.plan().tensors.size(), digests.size());
  for (std::size_t i = 0; i < digests.size(); ++i) {
    const std::string& name = conversion.plan().tensors[i].name;
    EXPECT_EQ(testing_support::sha256(tensor_bytes(conversion.plan(), i, first)), digests[name])
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, Listed,
                         testing::Values(Case{"llama4_scout", "BF16", "llama4_scout-bf16"},
                                         Case{"deepseek_v3_fp8", "F32", "deepseek_v3_fp8-f32"},
                                         Case{"kimi_k2_int4", "F32", "kimi_k2_int4-f32"},
                                         Case{"llama2_spm", "F16", "llama2_spm-f16"},
                                         Case{"gpt_oss", "COPY", "gpt_oss-bf16"},
                                         Case{"qwen3_moe_fused", "BF16", "qwen3_moe_fused-bf16"},
                                         Case{"qwen3_next", "BF16", "qwen3_next-bf16"},
                                         Case{"qwen3_5", "BF16", "qwen3_5-bf16"},
                                         Case{"qwen3_5_moe", "BF16", "qwen3_5_moe-bf16"},
                                         Case{"glm4_moe", "BF16", "glm4_moe-bf16"}),
                         [](const auto& test) { return std::string(test.param.checkpoint); });

/// Types of super-blocks, of small blocks, and of none; and one whose scale is a row's.
class Columns : public testing::TestWithParam<const char*> {
 protected:
  Columns() {
    wide_experts().write(folder_ / "wide", 2);
    write_wide_imatrix(folder_ / "imatrix");
  }

  const TempFolder folder_;
};

TEST_P(Columns, AreTheSameAsWholeRowsAndAsOfAGguf) {
  const io::MappedFile file(io::File::open_input(folder_ / "imatrix"));
  const ImportanceMatrix matrix = ImportanceMatrix::parse(file.bytes(), "imatrix");
  Conversion conversion(folder_ / "wide", GetParam(), &matrix);
  constexpr std::uint64_t kWhole = 4 << 20;  // of most matrices
  const std::vector<std::byte> whole = conversion.run({.unit_bytes = kWhole});
  const std::uint64_t columns_of_whole = conversion.columns;
  const bool has_columns = find_codec(conversion.plan().tensors.back().type)->column_block > 0;
  for (const Way& way : ways_of({20000, 100000})) {
    EXPECT_TRUE(conversion.run(way) == whole) << way.unit_bytes << ' ' << way.threads;
    EXPECT_EQ(conversion.columns > columns_of_whole, has_columns);
  }

  QuantizeOptions to_gguf;
  to_gguf.input = folder_ / "wide";
  to_gguf.pre = "default";
  to_gguf.output = folder_ / "wide.gguf";
  to_gguf.file_type = find_file_type("BF16");
  Observer silent;
  quantize(to_gguf, silent);
  Conversion second(to_gguf.output, GetParam(), &matrix);
  const std::vector<std::byte> made = second.run({.unit_bytes = 100000});
  for (std::size_t i = 0; i < conversion.plan().tensors.size(); ++i) {
    ASSERT_EQ(conversion.plan().tensors[i].name, second.plan().tensors[i].name);
    EXPECT_TRUE(std::ranges::equal(tensor_bytes(conversion.plan(), i, whole),
                                   tensor_bytes(second.plan(), i, made)))
        << conversion.plan().tensors[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, Columns, testing::Values("IQ1_M", "Q4_K_M", "Q8_0", "BF16", "Q4_0"),
                         [](const auto& test) { return std::string(test.param); });

// Whatever an earlier run has made, in units of any size: what is left is made, and the same.
TEST(Resume, GoesOnAtEveryCut) {
  const TempFolder folder;
  wide_experts().write(folder / "wide");
  std::mt19937 random(3);
  const std::string scaled = SLUICE_TEST_DATA "/checkpoints/deepseek_v3_fp8";
  for (const std::string& path : {folder / "wide", scaled}) {
    Conversion conversion(path, "Q8_0");
    const std::vector<std::byte> whole = conversion.run({});
    const std::uint64_t end = conversion.plan().output_end();
    for (int i = 0; i < 25; ++i) {
      Way way{.unit_bytes = 1 + random() % 300000};
      for (int pieces = 0; pieces <= i; ++pieces) {
        const std::uint64_t begin = random() % end;
        way.done.add({begin, std::min(end, begin + 1 + random() % (end / 3))});
      }
      std::vector<std::byte> made = conversion.run(way);
      EXPECT_EQ(conversion.input_done, conversion.plan().input_size);
      way.done.for_each([&](Interval there) {
        const auto at = static_cast<std::ptrdiff_t>(there.begin);
        std::copy_n(whole.begin() + at, there.size(), made.begin() + at);
      });
      EXPECT_TRUE(made == whole) << "cut " << i;
    }
  }
}

}  // namespace
}  // namespace sluice
