#include "tokenizer/token_ids.h"

#include <gtest/gtest.h>

#include "sluice/error.h"

namespace sluice::tokenizer {
namespace {

using Ids = std::vector<std::int32_t>;

TEST(TokenIds, MayBeSeparatedInSeveralWays) {
  EXPECT_EQ(read_token_ids("[1, 22,3]\n", 100, "ids"), (Ids{1, 22, 3}));
  EXPECT_EQ(read_token_ids("0\r\n99\t5", 100, "ids"), (Ids{0, 99, 5}));
  EXPECT_EQ(read_token_ids(" \n", 100, "ids"), Ids{});
}

TEST(TokenIds, WhatIsNoneIsRefusedWithItsPlace) {
  for (const char* word : {"100", "-1", "x", "1.5", "99999999999", "+1", "1\x1b"}) {
    try {
      read_token_ids("7 8 " + std::string(word) + " 9", 100, "ids.txt");
      FAIL() << word;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::input_format);
      EXPECT_EQ(e.context().file, "ids.txt");
      EXPECT_EQ(e.context().offset, 4u);
      EXPECT_EQ(std::string(e.what()).find('\x1b'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace sluice::tokenizer
