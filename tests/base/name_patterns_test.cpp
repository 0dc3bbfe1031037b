#include "base/name_patterns.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice {
namespace {

TEST(NamePatterns, LayersOfAKindAreOne) {
  const std::vector<std::string> names = {"output.weight",
                                          "blk.0.attn_q.weight",
                                          "blk.0.ffn_down.weight",
                                          "blk.11.attn_q.weight",
                                          "blk.7.ffn_gate.3.weight",
                                          "blk.2.attn_q.weight",
                                          "blk.7.ffn_gate.10.weight",
                                          "blk.x2.attn_q.weight"};
  EXPECT_EQ(name_patterns(names, 9),
            "output.weight, blk.*.attn_q.weight (3), blk.0.ffn_down.weight, "
            "blk.*.ffn_gate.*.weight (2), blk.x2.attn_q.weight");
  EXPECT_EQ(name_patterns(names, 2), "output.weight, blk.*.attn_q.weight (3) and 4 more");
  EXPECT_EQ(name_patterns(std::vector<std::string>{"..", "1"}), ".., 1");
  EXPECT_EQ(name_patterns({}), "");
}

TEST(NamePatterns, NamesAreMadeSafe) {
  EXPECT_EQ(name_patterns(std::vector<std::string>{"a\x1b[2J"}), "a\\x1b[2J");
}

}  // namespace
}  // namespace sluice
