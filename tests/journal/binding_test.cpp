#include "journal/binding.h"

#include <gtest/gtest.h>

#include <functional>

namespace sluice::journal {
namespace {

Binding sample() {
  return {.version = "1.2",
          .inputs = {{.path = "a.gguf", .size = 10, .modified_ns = -5, .header_hash = ~0ull},
                     {.path = "b.gguf", .size = 20, .modified_ns = 6, .header_hash = 1}},
          .imatrix = "i.dat",
          .imatrix_hash = 7,
          .options = "IQ1_M",
          .plan_hash = 8,
          .output_size = 9};
}

TEST(Binding, TheTextTellsEverything) {
  const std::optional<Binding> back = parse_binding(to_text(sample()));
  ASSERT_TRUE(back);
  EXPECT_EQ(difference(*back, sample()), "");
  EXPECT_EQ(back->inputs[0].modified_ns, -5);
  EXPECT_EQ(back->inputs[0].header_hash, ~0ull);
  EXPECT_EQ(back->inputs[1].path, "b.gguf");
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
      {[](Binding& b) { b.imatrix_hash = 0; }, "i.dat"},
      {[](Binding& b) { b.imatrix.clear(); }, "with the importance matrix i.dat"},
      {[](Binding& b) { b.options = "Q8_0"; }, "IQ1_M; now Q8_0"},
      {[](Binding& b) { b.plan_hash = 0; }, "tensor types"},
      {[](Binding& b) { b.output_size = 0; }, "tensor types"},
  };
  for (const auto& each : cases) {
    Binding now = sample();
    each.change(now);
    EXPECT_NE(difference(sample(), now).find(each.said), std::string::npos)
        << difference(sample(), now);
  }
  // A file may be moved.
  Binding moved = sample();
  moved.inputs[0].path = "/elsewhere/a.gguf";
  EXPECT_EQ(difference(sample(), moved), "");
}

}  // namespace
}  // namespace sluice::journal
