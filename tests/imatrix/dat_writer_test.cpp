// The older format as it is written: bytes of a writer that knows nothing of ours, what llama.cpp made
// of the same sums, and the importances that the GGUF gives.

#include "imatrix/dat_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include "imatrix/importance_matrix.h"
#include "sluice/error.h"
#include "support/dat_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

using imatrix::Layout;
using imatrix::Summed;
using testing_support::Bytes;
using testing_support::DatBuilder;
using Row = std::vector<float>;

/// A tensor, its sums and its counts.
struct Filled {
  Summed tensor;
  Row sums;
  Row counts;
};

/// The GGUF file of these.
Bytes sums_file(const Layout& layout, const std::vector<Filled>& filled) {
  Bytes file(layout.size());
  std::ranges::copy(layout.header(), file.begin());
  for (const Filled& each : filled) {
    const imatrix::SumsPlace* place = layout.find(each.tensor.name);
    std::memcpy(file.data() + place->sums, each.sums.data(), each.sums.size() * sizeof(float));
    std::memcpy(file.data() + place->counts, each.counts.data(),
                each.counts.size() * sizeof(float));
  }
  return file;
}

Layout layout_of(const std::vector<Filled>& filled, imatrix::SumsOrigin origin) {
  std::vector<Summed> tensors;
  for (const Filled& each : filled) tensors.push_back(each.tensor);
  return {std::move(tensors), std::move(origin)};
}

Bytes written(const Layout& layout, const Bytes& sums) {
  Bytes file;
  imatrix::write_dat(
      layout,
      [&](std::uint64_t offset, std::span<std::byte> out) {
        std::memcpy(out.data(), sums.data() + offset, out.size());
      },
      [&](std::span<const std::byte> bytes) {
        testing_support::put_bytes(file, bytes.data(), bytes.size());
      });
  return file;
}

/// Sums as of values about one; a matrix without tokens has none.
Filled fill(Summed tensor, const Row& counts) {
  std::mt19937 random(static_cast<unsigned>(tensor.columns));
  std::uniform_real_distribution<float> value(0.01f, 4.0f);
  Filled filled{std::move(tensor), {}, counts};
  for (std::uint64_t matrix = 0; matrix < filled.tensor.matrices; ++matrix) {
    const float count = counts[filled.tensor.counts_each ? matrix : 0];
    for (std::uint64_t i = 0; i < filled.tensor.columns; ++i) {
      filled.sums.push_back(count * value(random));
    }
  }
  return filled;
}

// More rows than are read at once, a row that is longer than that, heads with one count, and experts
// of which one saw nothing.
std::vector<Filled> several() {
  return {fill({"blk.0.attn_q.weight", 48}, {1536}), fill({"blk.0.attn_k_b.weight", 16, 3}, {1536}),
          fill({"blk.0.ffn_up_exps.weight", 40, 5, true}, {700, 1, 0, 513, 322}),
          fill({"blk.0.ffn_gate_exps.weight", 100'000, 7, true}, {9, 0, 512, 4, 5, 6, 7}),
          fill({"blk.0.ffn_down.weight", 300'000}, {1536})};
}

TEST(DatWriter, WritesTheBytesOfAnIndependentWriter) {
  std::vector<Filled> filled = several();
  const Layout layout =
      layout_of(filled, {.datasets = {"a text", "another"}, .chunks = 3, .chunk_size = 512});
  const Bytes dat = written(layout, sums_file(layout, filled));
  std::ranges::sort(filled, {}, [](const Filled& each) { return each.tensor.name; });
  DatBuilder expected;
  for (const auto& [tensor, sums, counts] : filled) {
    // 512 of 512 are one call, 513 are two.
    const int calls = tensor.name == "blk.0.ffn_gate_exps.weight" ? 1
                      : tensor.name == "blk.0.ffn_up_exps.weight" ? 2
                                                                  : 3;
    Row values;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const float count = counts[i / (sums.size() / counts.size())];
      const float mean = count == 0 ? 1.0f : sums[i] / count;
      values.push_back(mean * static_cast<float>(calls));
    }
    expected.entry(tensor.name, calls, values);
  }
  const Bytes bytes = expected.chunks(3).dataset("a text, another").build();
  EXPECT_EQ(imatrix::dat_size(layout), bytes.size());
  EXPECT_TRUE(dat == bytes);
}

// How many numbers of 32 bits lie between two positive ones.
std::int64_t steps_between(float a, float b) {
  return std::abs(std::int64_t{std::bit_cast<std::int32_t>(a)} - std::bit_cast<std::int32_t>(b));
}

TEST(DatWriter, GivesTheImportancesOfTheGguf) {
  for (const std::uint64_t chunk_size : {512u, 384u, 1536u}) {  // 3, 4 and 1 calls
    const std::vector<Filled> filled = several();
    const Layout layout =
        layout_of(filled, {.datasets = {"text"}, .chunks = 3, .chunk_size = chunk_size});
    const Bytes gguf = sums_file(layout, filled);
    const Bytes dat = written(layout, gguf);
    const auto a = ImportanceMatrix::parse(gguf, "m.gguf");
    const auto b = ImportanceMatrix::parse(dat, "m.dat");
    EXPECT_EQ(b.size(), a.size());
    EXPECT_EQ(b.chunks(), a.chunks());
    EXPECT_EQ(b.dataset(), a.dataset());
    for (const auto& [tensor, sums, counts] : filled) {
      const std::int64_t most = chunk_size == 512 ? 1 : 0;  // times 3, and a third of it
      for (std::uint64_t matrix = 0; matrix < tensor.matrices; ++matrix) {
        Row left(tensor.columns);
        Row right(tensor.columns);
        a.read_row(*a.find(tensor.name, tensor.columns, tensor.matrices), matrix, left);
        b.read_row(*b.find(tensor.name, tensor.columns, tensor.matrices), matrix, right);
        for (std::size_t i = 0; i < left.size(); ++i) {
          ASSERT_LE(steps_between(left[i], right[i]), most) << tensor.name << " " << matrix;
        }
      }
    }
  }
}

// llama.cpp wrote both from one run. What it summed over chunks in the one and over tokens in the other
// differs by rounding.
TEST(DatWriter, MakesOfLlamaCppsSumsWhatLlamaCppMade) {
  const Bytes theirs =
      testing_support::read_file(SLUICE_TEST_DATA "/imatrix/tiny-llama.imatrix.dat");
  const Bytes sums =
      testing_support::read_file(SLUICE_TEST_DATA "/imatrix/tiny-llama.imatrix.gguf");
  const auto of_sums = ImportanceMatrix::parse(sums, "m.gguf");
  const auto expected = ImportanceMatrix::parse(theirs, "m.dat");
  std::vector<Filled> filled;
  const auto add = [&](const std::string& name, std::uint64_t columns) {
    const auto* entry = of_sums.find(name, columns, 1);
    Filled each{{name, columns}, Row(columns), Row(1)};
    std::memcpy(each.sums.data(), sums.data() + entry->values_offset, columns * sizeof(float));
    std::memcpy(each.counts.data(), sums.data() + entry->counts_offset, sizeof(float));
    filled.push_back(std::move(each));
  };
  add("output.weight", 256);
  for (int layer = 0; layer < 8; ++layer) {
    for (const char* kind :
         {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_gate", "ffn_down"}) {
      add("blk." + std::to_string(layer) + "." + kind + ".weight",
          kind == std::string("ffn_down") ? 768 : 256);
    }
  }
  const auto tokens = static_cast<std::uint64_t>(filled.front().counts[0]);
  const Layout layout = layout_of(filled, {.datasets = {expected.dataset()},
                                           .chunks = expected.chunks(),
                                           .chunk_size = tokens / expected.chunks()});
  const Bytes dat = written(layout, sums_file(layout, filled));
  EXPECT_EQ(dat.size(), theirs.size());
  const auto ours = ImportanceMatrix::parse(dat, "ours");
  EXPECT_EQ(ours.size(), expected.size());
  EXPECT_EQ(ours.dataset(), expected.dataset());
  EXPECT_EQ(ours.chunks(), expected.chunks());
  for (const Filled& each : filled) {
    const std::uint64_t columns = each.tensor.columns;
    const auto* left = ours.find(each.tensor.name, columns, 1);
    const auto* right = expected.find(each.tensor.name, columns, 1);
    ASSERT_NE(right, nullptr) << each.tensor.name;
    EXPECT_EQ(left->divisor, right->divisor) << each.tensor.name;
    Row a(columns);
    Row b(columns);
    std::memcpy(a.data(), dat.data() + left->values_offset, columns * sizeof(float));
    std::memcpy(b.data(), theirs.data() + right->values_offset, columns * sizeof(float));
    for (std::size_t i = 0; i < columns; ++i) EXPECT_NEAR(a[i], b[i], 3e-7 * b[i]);
  }
}

ErrorCode refusal(const std::function<void()>& act, const std::string& says) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.context().tensor, "blk.0.ffn_up_exps.weight");
    EXPECT_EQ(error.context().cure, "Pass --output-format gguf");
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
    return error.code();
  }
  return ErrorCode::interrupted;  // none
}

TEST(DatWriter, RefusesWhatTheFormatCannotHold) {
  const std::string name = "blk.0.ffn_up_exps.weight";
  const Layout many({{name, 1u << 20, 1u << 11, true}},
                    {.datasets = {}, .chunks = 1, .chunk_size = 512});
  EXPECT_EQ(refusal([&] { imatrix::dat_size(many); }, "has 2147483648 values"), ErrorCode::usage);
  const Layout most({{name, (1u << 20) - 1, 1u << 11, true}},
                    {.datasets = {}, .chunks = 1, .chunk_size = 512});
  EXPECT_EQ(imatrix::dat_size(most),
            4 + (4 + name.size() + 4 + 4) + 4 * most.find(name)->tensor.values() + 8);

  // Few tokens of one expert, so that its mean is large, beside many of another.
  std::vector<Filled> filled = {{{name, 2, 2, true}, {1, 1, 1, 3e38f}, {2048, 1}}};
  const Layout layout = layout_of(filled, {.datasets = {}, .chunks = 4, .chunk_size = 512});
  EXPECT_EQ(refusal([&] { written(layout, sums_file(layout, filled)); }, "in column 1, times 4,"),
            ErrorCode::input_value);
  filled[0].sums[3] = 8e37f;
  EXPECT_FALSE(written(layout, sums_file(layout, filled)).empty());
}

}  // namespace
}  // namespace sluice
