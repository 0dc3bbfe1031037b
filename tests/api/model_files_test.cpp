// What of a GGUF model is read, and where it lies: against files built byte by byte.

#include "api/model_files.h"

#include <gtest/gtest.h>

#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

using testing_support::Bytes;
using testing_support::GgufBuilder;
using testing_support::TempFolder;
using testing_support::write_file;

using Numbers = std::vector<std::uint64_t>;

constexpr std::uint32_t kF16 = 1;
constexpr std::uint32_t kQ4_0 = 2;
constexpr std::uint32_t kIq1Kt = 158;  // has a scale before each row's blocks
constexpr std::uint32_t kUnknown = 77;

TEST(ModelFiles, TensorsOfAGgufFileAreReadAsTheyLie) {
  const TempFolder folder;
  GgufBuilder builder;
  builder.string("general.architecture", "llama")
      .tensor("stack", {32, 3, 2}, kF16, Bytes(384))
      .tensor("row", {64}, kQ4_0, Bytes(36))
      .tensor("scalar", {}, kF16, Bytes(2))
      .tensor("none", {32, 0}, kF16, {});
  write_file(folder / "m.gguf", builder.build());
  const ModelFiles files = open_model(folder / "m.gguf");
  const std::uint64_t data = (builder.header().size() + 31) / 32 * 32;
  const std::vector<Numbers> shapes = {{2, 3, 32}, {64}, {1}, {0, 32}};
  const Numbers sizes = {384, 36, 2, 0};
  const Numbers rows = {6, 1, 1};
  ASSERT_EQ(files.weights.stored.size(), shapes.size());
  ASSERT_EQ(files.weights.sources.size(), shapes.size());
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const weights::Stored& stored = files.weights.stored[i];
    EXPECT_EQ(stored.shape, shapes[i]) << stored.name;
    EXPECT_EQ(stored.place.offset, data + builder.offsets()[i]) << stored.name;
    EXPECT_EQ(stored.place.size, sizes[i]) << stored.name;
    EXPECT_EQ(stored.type, i == 1 ? TensorType::q4_0 : TensorType::f16);
    const std::vector<weights::View>& views = files.weights.sources[i].views;
    ASSERT_EQ(views.size(), sizes[i] == 0 ? 0u : 1u) << stored.name;
    if (views.empty()) continue;
    EXPECT_EQ(views[0].stored, i);
    ASSERT_EQ(views[0].axes.size(), 2u);
    EXPECT_EQ(views[0].axes[0].count, rows[i]);
    EXPECT_EQ(views[0].axes[0].stride, views[0].axes[1].count);
    EXPECT_EQ(views[0].axes[1].stride, 1u);
  }
  EXPECT_FALSE(files.published);
}

TEST(ModelFiles, WithoutALayoutOnlyTheSizeIsKnown) {
  ASSERT_FALSE(has_layout(static_cast<TensorType>(kUnknown)));
  const TempFolder folder;
  GgufBuilder builder;
  builder.tensor("w", {256, 4}, kUnknown, Bytes(96)).tensor("rows", {256, 4}, kIq1Kt, Bytes(240));
  write_file(folder / "m.gguf", builder.build());
  const ModelFiles files = open_model(folder / "m.gguf");
  const weights::Stored& stored = files.weights.stored.at(0);
  EXPECT_EQ(stored.type, TensorType::i8);
  EXPECT_EQ(stored.shape, (Numbers{files.model.tensors[0].size, 1}));
  EXPECT_EQ(files.weights.stored.at(1).type, TensorType::iq1_kt);
  EXPECT_EQ(files.weights.stored.at(1).shape, (Numbers{4, 256}));
  EXPECT_EQ(files.weights.stored.at(1).row_bytes(), 4u + 56);
}

}  // namespace
}  // namespace sluice
