// Numbers as messages tell them.

#include "sluice/amounts.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Amounts, OneIsNotMany) {
  EXPECT_EQ(counted(0, "tensor"), "0 tensors");
  EXPECT_EQ(counted(1, "tensor"), "1 tensor");
  EXPECT_EQ(counted(1226, "tensor"), "1226 tensors");
  EXPECT_EQ(counted(1, "entry", "entries"), "1 entry");
  EXPECT_EQ(counted(2, "entry", "entries"), "2 entries");
}

TEST(Amounts, BytesHaveAUnitThatTheyFillOnce) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(bytes_text(3.5 * (1 << 20)), "3.5 MiB");
  EXPECT_EQ(bytes_text(800e9), "745.1 GiB");
  EXPECT_EQ(bytes_text(5e15), "4547.5 TiB");
}

}  // namespace
}  // namespace sluice
