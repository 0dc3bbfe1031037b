// Weights that come matrix by matrix while the next are read are those that are found by looking at
// one element after the other, whatever the budget and whatever is asked for.

#include "calibrate/model_weights.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <random>

#include "checkpoint/evaluate.h"
#include "io/source.h"
#include "sluice/error.h"
#include "support/gguf_builder.h"
#include "support/seed.h"
#include "support/temp_folder.h"

namespace sluice::calibrate {
namespace {

using testing_support::GgufBuilder;
using testing_support::TempFolder;

constexpr std::uint64_t kOverhead = RangeReader::bytes() + 3 * (std::uint64_t{1} << 20);

/// A tiny checkpoint, and all its weights.
class Checkpoints : public ::testing::TestWithParam<std::string> {
 protected:
  Checkpoints() {
    for (const auto& part : fixture_.folder.parts) {
      files_.push_back(io::File::open_input(fixture_.folder.file(part.file)));
    }
    const checkpoint::Evaluator evaluator(fixture_, model_);
    for (std::size_t i = 0; i < model_.header.tensors.size(); ++i) {
      names_.push_back(model_.header.tensors[i].name);
      weights_.push_back(evaluator.weights(model_.weights.sources[i]));
    }
  }

  ModelSource source() const { return {model_.header, model_.weights, io::pointers_to(files_)}; }

  void expect_matrix(ModelWeights& store, const MatrixId& id, std::mt19937& random) const {
    const MatrixMap& map = store.map();
    const auto matrix = store.matrix(names_[id.tensor], id.number);
    ASSERT_EQ(matrix->columns(), map.columns(id.tensor));
    const std::uint64_t rows = matrix->rows();
    const std::uint64_t first = random() % rows;
    const std::uint64_t count = 1 + random() % (rows - first);
    std::vector<float> out(count * matrix->columns());
    matrix->decode(first, count, out.data());
    const auto expected = std::span(weights_[id.tensor])
                              .subspan((id.number * rows + first) * matrix->columns(), out.size());
    EXPECT_TRUE(std::ranges::equal(out, expected)) << names_[id.tensor] << " " << id.number;
  }

  const checkpoint::Fixture fixture_{GetParam()};
  const checkpoint::Model model_ = checkpoint::read_checkpoint(fixture_.folder, {});
  std::vector<io::File> files_;
  std::vector<std::string> names_;
  std::vector<std::vector<float>> weights_;
};

TEST_P(Checkpoints, ComeAsTheyAreWithinAnyBudget) {
  std::mt19937 random(testing_support::random_seed());
  const io::OpenedSource opened = io::open_source(IoMode::automatic, io::pointers_to(files_));
  for (const std::uint64_t budget : {0, 10'000, 100'000, 1 << 24}) {
    SCOPED_TRACE(budget);
    ModelWeights store(source(), *opened.source,
                       {.isa = best_isa(), .threads = 2, .memory = kOverhead + budget});
    store.expect(names_);
    for (const MatrixId& id : store.map().in_order_of_use(names_)) {
      if (random() % 4 == 0) continue;  // no token was sent there
      expect_matrix(store, id, random);
      if (random() % 8 > 0) continue;  // out of order, perhaps again
      const std::size_t other = random() % names_.size();
      expect_matrix(store, {other, random() % store.map().matrices(other)}, random);
    }
  }
}

TEST_P(Checkpoints, NumbersAreAllOfATensor) {
  const io::OpenedSource opened = io::open_source(IoMode::plain, io::pointers_to(files_));
  ModelWeights store(source(), *opened.source, {.isa = best_isa(), .memory = 1 << 26});
  for (std::size_t i = 0; i < names_.size(); ++i) EXPECT_EQ(store.numbers(names_[i]), weights_[i]);
  EXPECT_TRUE(store.has(names_[0]));
  EXPECT_FALSE(store.has("blk.99.attn_q.weight"));
}

INSTANTIATE_TEST_SUITE_P(Each, Checkpoints, ::testing::ValuesIn(checkpoint::fixture_names()),
                         [](const auto& name) { return name.param; });

/// A GGUF file of F32 tensors.
struct SmallModel {
  SmallModel(const std::string& path, const testing_support::Bytes& bytes) : bytes_(bytes) {
    testing_support::write_file(path, bytes);
    files.push_back(io::File::open_input(path));
    header = gguf::parse_header(bytes_, bytes_.size(), path).value();
    for (const gguf::Tensor& tensor : header.tensors) {
      weights.sources.push_back(
          {.views = {{weights.stored.size(), 0, {{tensor.elements(), 1}}}}, .values = {}});
      std::vector<std::uint64_t> shape(tensor.shape.rbegin(), tensor.shape.rend());
      weights.stored.push_back({.name = tensor.name,
                                .place = {0, header.data_offset + tensor.offset, tensor.size},
                                .type = tensor.type,
                                .shape = shape,
                                .scales = std::nullopt});
    }
  }
  ModelSource source() const { return {header, weights, io::pointers_to(files)}; }

  testing_support::Bytes bytes_;
  std::vector<io::File> files;
  gguf::Header header;
  weights::Weights weights;
};

std::vector<float> counted_numbers(std::size_t count) {
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(i);
  return numbers;
}

TEST(ModelWeights, NameTheTensorThatHoldsNoNumber) {
  const TempFolder folder;
  std::vector<float> numbers = counted_numbers(2 * 3 * 32);
  numbers[(3 + 2) * 32 + 5] = std::numeric_limits<float>::infinity();
  const SmallModel model(folder / "m.gguf", GgufBuilder()
                                                .tensor("blk.0.ffn_up_exps.weight", {32, 3, 2}, 0,
                                                        testing_support::bytes_of(numbers))
                                                .build());
  const io::OpenedSource opened = io::open_source(IoMode::plain, io::pointers_to(model.files));
  ModelWeights store(model.source(), *opened.source, {.memory = 1 << 26});
  std::vector<float> out(3 * 32);
  store.matrix("blk.0.ffn_up_exps.weight", 0)->decode(0, 3, out.data());
  EXPECT_EQ(out[3], 3);
  const auto bad = store.matrix("blk.0.ffn_up_exps.weight", 1);
  bad->decode(0, 2, out.data());
  try {
    bad->decode(1, 2, out.data());
    FAIL() << "infinity was taken for a weight";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_value);
    EXPECT_EQ(error.context().tensor, "blk.0.ffn_up_exps.weight");
    EXPECT_NE(std::string(error.what()).find("row 2, column 5 of expert 1"), std::string::npos)
        << error.what();
  }
}

TEST(ModelWeights, ExpertsAreExpectedOneAfterTheOther) {
  const TempFolder folder;
  GgufBuilder builder;
  for (const std::string name : {"norm", "gate", "up", "down"}) {
    const std::uint64_t matrices = name == "norm" ? 1 : 3;
    builder.tensor(name, {4, 2, matrices}, 0,
                   testing_support::bytes_of(counted_numbers(8 * matrices)));
  }
  const SmallModel model(folder / "m.gguf", builder.build());
  const MatrixMap map(model.source());
  std::string order;
  for (const MatrixId& id : map.in_order_of_use({"norm", "gate", "up", "down", "missing"})) {
    order += model.header.tensors[id.tensor].name + std::to_string(id.number) + " ";
  }
  EXPECT_EQ(order, "norm0 gate0 up0 down0 gate1 up1 down1 gate2 up2 down2 ");
}

TEST(ModelWeights, HoldNoMoreThanTheBudgetAndReadEverythingOnce) {
  const TempFolder folder;
  constexpr std::size_t kMatrix = 256 * 64;
  GgufBuilder builder;
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) {
    names.push_back("m" + std::to_string(i));
    builder.tensor(names.back(), {256, 64}, 0, testing_support::bytes_of(counted_numbers(kMatrix)));
  }
  const SmallModel model(folder / "m.gguf", builder.build());
  const io::OpenedSource opened = io::open_source(IoMode::automatic, io::pointers_to(model.files));
  ModelWeights store(model.source(), *opened.source,
                     {.threads = 2, .memory = kOverhead + 8 * kMatrix * sizeof(float)});
  store.expect(names);
  std::vector<std::shared_ptr<const linear::Rows>> owned;
  for (const std::string& name : names) {
    owned.push_back(store.matrix(name));
    if (owned.size() > 3) owned.erase(owned.begin());
  }
  EXPECT_EQ(store.read_bytes(), 40 * kMatrix * sizeof(float));
  EXPECT_LE(store.most_held(), 8 * kMatrix * sizeof(float));
  EXPECT_GE(store.most_held(), 4 * kMatrix * sizeof(float)) << "nothing was read ahead";
}

TEST(ModelWeights, WhatFillsTheMemoryAloneStaysOnTheDisk) {
  const TempFolder folder;
  constexpr std::size_t kRows = 8192;
  const SmallModel model(folder / "m.gguf",
                         GgufBuilder()
                             .tensor("token_embd.weight", {256, kRows}, 0,
                                     testing_support::bytes_of(counted_numbers(256 * kRows)))
                             .build());
  const io::OpenedSource opened = io::open_source(IoMode::automatic, io::pointers_to(model.files));
  ModelWeights store(model.source(), *opened.source, {.threads = 2, .memory = kOverhead + 1000});
  const auto matrix = store.matrix("token_embd.weight");
  std::vector<float> row(256);
  for (const std::size_t r : {0, 1, 1023, 1024, 5000, 5001, 8191}) {
    matrix->decode(r, 1, row.data());
    EXPECT_EQ(row[7], static_cast<float>(r * 256 + 7));
  }
  EXPECT_EQ(store.read_bytes(), std::uint64_t{4} << 20);  // four groups of 1,024 rows
}

TEST(ModelWeights, AnErrorOfReadingReachesWhoAsks) {
  const TempFolder folder;
  const std::string path = folder / "m.gguf";
  const SmallModel model(
      path, GgufBuilder()
                .tensor("a", {256, 64}, 0, testing_support::bytes_of(counted_numbers(256 * 64)))
                .build());
  std::filesystem::resize_file(path, 4096);
  const io::OpenedSource opened = io::open_source(IoMode::plain, io::pointers_to(model.files));
  ModelWeights store(model.source(), *opened.source, {.memory = 1 << 26});
  store.expect({"a"});
  try {
    store.matrix("a");
    FAIL() << "a file that ends was read on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_truncated);
  }
}

}  // namespace
}  // namespace sluice::calibrate
