#include "sluice/error.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(ErrorMessage, TellsFileTensorMessagePlaceAndCure) {
  const Error error(ErrorCode::input_value, "holds NaN",
                    {.file = "m.gguf", .tensor = "norm", .offset = 64, .cure = "Get it anew"});
  EXPECT_STREQ(error.what(), "m.gguf: tensor 'norm': holds NaN (at byte 64). Get it anew");
  EXPECT_STREQ(Error(ErrorCode::usage, "no type").what(), "no type");
  EXPECT_STREQ(Error::in_file("m.gguf", Error(ErrorCode::usage, "no type")).what(),
               "m.gguf: no type");
}

// Whoever wrote the model chose these names, and messages end on a terminal.
TEST(ErrorMessage, HasNoControlCharacters) {
  const Error error(ErrorCode::input_type,
                    "key '\x1b]0;x\x07': \xc2\x9b"
                    "2J \xc3\xa4",
                    {.file = "m\r.gguf", .tensor = "a\nsluice: done\x7f\xc2\x85"});
  EXPECT_STREQ(error.what(),
               "m\\x0d.gguf: tensor 'a\\x0asluice: done\\x7f\\xc2\\x85': "
               "key '\\x1b]0;x\\x07': \\xc2\\x9b"
               "2J \xc3\xa4");
  EXPECT_STREQ(Error::in_file("\x1b", Error(ErrorCode::usage, "a\nb")).what(), "\\x1b: a\nb");
}

}  // namespace
}  // namespace sluice
