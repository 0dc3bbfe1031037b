#include "journal/binding.h"

#include <gtest/gtest.h>

#include <functional>

#include "support/temp_folder.h"

namespace sluice::journal {
namespace {

Binding sample() {
  return {.version = "1.2",
          .inputs =
              {{.path = "a.gguf", .size = 10, .modified_ns = -5, .header_hash = ~0ull},
               {.path = "b.gguf", .size = 20, .modified_ns = 6, .header_hash = 1, .etag = "\"e\""}},
          .imatrix = Binding::Input{.path = "i.dat", .size = 7},
          .options = "IQ1_M",
          .plan_hash = 8,
          .part_sizes = {9, 10}};
}

TEST(Binding, TheTextTellsEverything) {
  const std::optional<Binding> back = parse_binding(to_text(sample()));
  ASSERT_TRUE(back);
  EXPECT_EQ(difference(*back, sample()).text, "");
  EXPECT_EQ(back->inputs[0].modified_ns, -5);
  EXPECT_EQ(back->inputs[0].header_hash, ~0ull);
  EXPECT_EQ(back->inputs[1].path, "b.gguf");
  EXPECT_EQ(back->inputs[0].etag, "");
  EXPECT_EQ(back->inputs[1].etag, "\"e\"");
  EXPECT_EQ(back->part_sizes, (std::vector<std::uint64_t>{9, 10}));
  Binding without = sample();
  without.imatrix = std::nullopt;
  EXPECT_FALSE(parse_binding(to_text(without))->imatrix);
}

TEST(Binding, AnythingElseIsNotABinding) {
  for (const std::string text :
       {"", "{", "null", "[]", "{}", R"({"version":1})", R"({"version":"1","inputs":[1]})"}) {
    EXPECT_FALSE(parse_binding(text)) << text;
  }
  // Numbers that no 64 bits hold, or that are none.
  const std::string whole = to_text(sample());
  ASSERT_TRUE(parse_binding(whole));
  for (const std::string number : {"3.4e24", "-1", "10.5", "\"10\"", "null"}) {
    std::string text = whole;
    const std::string size = R"("size":10)";
    text.replace(text.find(size), size.size(), R"("size":)" + number);
    EXPECT_FALSE(parse_binding(text)) << number;
  }
}

// Each thing that the output's bytes depend on is named when it differs.
TEST(Binding, EachDifferenceIsNamed) {
  const struct {
    std::function<void(Binding&)> change;
    std::string said;
  } cases[] = {
      {[](Binding& b) { b.version = "1.3"; }, "1.3"},
      {[](Binding& b) { b.inputs.pop_back(); }, "2 files"},
      {[](Binding& b) { b.inputs[1].size = 21; }, "b.gguf has 21 bytes, and had 20"},
      {[](Binding& b) { b.inputs[1].modified_ns = 0; }, "b.gguf was modified"},
      {[](Binding& b) { b.inputs[0].header_hash = 0; }, "a.gguf has another header"},
      {[](Binding& b) { b.inputs[0].sample_hash = 1; }, "a.gguf has other data"},
      {[](Binding& b) { b.inputs[0].etag = "\"x\""; }, "a.gguf has the ETag \"x\""},
      {[](Binding& b) { b.inputs[0].changed_ns = 1; }, "a.gguf was changed since"},
      {[](Binding& b) { b.imatrix->sample_hash = 1; }, "i.dat is not the one"},
      {[](Binding& b) { b.imatrix->modified_ns = 1; }, "i.dat was modified"},
      {[](Binding& b) { b.imatrix = std::nullopt; }, "with the importance matrix i.dat"},
      {[](Binding& b) { b.options = "Q8_0"; }, "IQ1_M; now Q8_0"},
      {[](Binding& b) { b.plan_hash = 0; }, "tensor types"},
      {[](Binding& b) { b.part_sizes.pop_back(); }, "tensor types"},
  };
  for (const auto& each : cases) {
    Binding now = sample();
    each.change(now);
    EXPECT_NE(difference(sample(), now).text.find(each.said), std::string::npos)
        << difference(sample(), now).text;
  }
}

// Which changes its time of change.
TEST(Binding, AFileMayBeMoved) {
  Binding moved = sample();
  moved.inputs[0].path = "/elsewhere/a.gguf";
  moved.inputs[0].changed_ns = 1;
  EXPECT_EQ(difference(sample(), moved).text, "");
}

TEST(Binding, ACopyIsTheSameInputForThoseWhoSaySo) {
  Binding copy = sample();
  copy.inputs[1].modified_ns = copy.imatrix->modified_ns = copy.imatrix->changed_ns = 77;
  EXPECT_TRUE(difference(sample(), copy).times_only);
  EXPECT_EQ(difference(sample(), copy, true).text, "");
  copy.inputs[1].sample_hash = 77;
  EXPECT_FALSE(difference(sample(), copy).times_only);
  EXPECT_NE(difference(sample(), copy, true).text, "");
}

// One byte at either end, or two at their places in the middle; between them a change stays unseen.
TEST(Binding, AnInputIsLookedAtInFixedPlaces) {
  const testing_support::TempFolder folder;
  std::vector<std::byte> bytes(1'000'000);
  const auto hash = [&] {
    testing_support::write_file(folder / "in", bytes);
    return input_of(io::File::open_input(folder / "in"), 0, 5).sample_hash;
  };
  const std::uint64_t before = hash();
  EXPECT_EQ(hash(), before);
  for (const std::size_t at : {0, 4095, 248'976, 747'000, 999'999}) {
    bytes[at] = std::byte{1};
    EXPECT_NE(hash(), before) << at;
    bytes[at] = std::byte{0};
  }
  bytes[5000] = std::byte{1};
  EXPECT_EQ(hash(), before);
  bytes.resize(10);
  EXPECT_NE(hash(), before) << "smaller than a sample";
}

}  // namespace
}  // namespace sluice::journal
