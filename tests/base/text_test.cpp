#include "base/text.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

using namespace std::string_literals;

TEST(Printable, LeavesTextAlone) {
  for (const std::string& text :
       {""s, "blk.0.attn_q.weight"s, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"s, "a\\x1b"s}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, ShowsControlCharactersAndBrokenBytes) {
  EXPECT_EQ(printable("a\x1b[2Jz"), "a\\x1b[2Jz");
  EXPECT_EQ(printable("\r\n\t\x7f"), "\\x0d\\x0a\\x09\\x7f");
  EXPECT_EQ(printable("a\0b"s), "a\\x00b");
  // U+009B starts a command as ESC [ does; U+00A0 is a space.
  EXPECT_EQ(printable("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"),
            "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0");
  EXPECT_EQ(printable("\x9b\xff\xc3"), "\\x9b\\xff\\xc3");
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");
}

TEST(Visible, KeepsAllButControlCharacters) {
  const std::string text = std::string(200, 'a') + "\xc3\xa4\xff";
  EXPECT_EQ(visible(text), text);
  EXPECT_EQ(visible("a\x1b[2J\n\x7f\xc2\x9b\xc2\xa0"), "a\\x1b[2J\\x0a\\x7f\\xc2\\x9b\xc2\xa0");
  EXPECT_EQ(visible("a\nb\r", "\n"), "a\nb\\x0d");
}

TEST(Printable, CutsLongTexts) {
  EXPECT_EQ(printable(std::string(1000, 'n')), std::string(100, 'n') + "…");
  EXPECT_LT(printable(std::string(1000, '\x1b')).size(), 110u);
}

}  // namespace
}  // namespace sluice
