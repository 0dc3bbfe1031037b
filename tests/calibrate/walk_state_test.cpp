#include "calibrate/walk_state.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "base/page_buffer.h"
#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice::calibrate {
namespace {

using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

/// A stream of some tokens.
struct Stream {
  explicit Stream(float first, std::size_t rows = 37, std::size_t columns = 96)
      : buffer(rows * columns * sizeof(float)),
        matrix{.data = reinterpret_cast<float*>(buffer.bytes().data()),
               .rows = rows,
               .columns = columns,
               .stride = columns} {
    std::iota(matrix.data, matrix.data + rows * columns, first);
  }
  bool operator==(const Stream& other) const {
    return std::ranges::equal(buffer.bytes(), other.buffer.bytes());
  }

  PageBuffer buffer;
  linear::Matrix matrix;
};

ErrorCode refusal(const WalkState& state) {
  const Stream stream(0);
  try {
    state.load(stream.matrix);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::usage;
}

TEST(WalkState, IsTheStreamAfterTheLastLayer) {
  const TempFolder folder;
  const WalkState state(folder / "state", 7);
  Stream stream(0);
  EXPECT_EQ(state.load(stream.matrix), std::nullopt);
  state.save(0, {});
  EXPECT_EQ(state.load(stream.matrix), 0);
  for (const std::uint64_t layer : {1, 2}) {
    const Stream after(static_cast<float>(1000 * layer));
    state.save(layer, after.matrix);
    EXPECT_EQ(std::filesystem::file_size(state.path()), WalkState::bytes(37, 96));
    EXPECT_EQ(state.load(stream.matrix), layer);
    EXPECT_EQ(stream, after);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "state.new"));
  state.remove();
  EXPECT_EQ(state.load(stream.matrix), std::nullopt);
}

TEST(WalkState, OfSomethingElseOrDamagedIsRefused) {
  const TempFolder folder;
  const WalkState state(folder / "state", 7);
  state.save(3, Stream(5).matrix);
  EXPECT_EQ(refusal(state), ErrorCode::usage);  // it is not
  EXPECT_EQ(refusal(WalkState(folder / "state", 8)), ErrorCode::resume_refused);
  const std::vector<std::byte> whole = read_file(folder / "state");
  for (const std::size_t at : {0u, 20u, 50u, 4096u, 9000u}) {
    std::vector<std::byte> damaged = whole;
    damaged[at] ^= std::byte{1};
    write_file(folder / "state", damaged);
    EXPECT_EQ(refusal(state), ErrorCode::resume_refused) << "byte " << at;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{40}, whole.size() - 1}) {
    write_file(folder / "state", std::span(whole).first(size));
    EXPECT_EQ(refusal(state), ErrorCode::resume_refused) << size << " bytes";
  }
}

}  // namespace
}  // namespace sluice::calibrate
