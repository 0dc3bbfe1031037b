#pragma once

// What a fuzzer asserts: a broken promise ends the program, so that the input is kept.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "sluice/error.h"

#define FUZZ_EXPECT(condition)                                                            \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

namespace sluice::fuzzing {

/// The name that fuzzers give to what they parse.
inline const std::string kFile = "fuzzed";

/// Whether a terminal may be sent `text`: UTF-8 without C0 and C1 control characters.
inline bool is_safe_to_show(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    const bool two_byte_c1 =
        byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (two_byte_c1) return false;
  }
  return is_plain_utf8(text);
}

/// An error names the file and a cure, and shows nothing of the input raw.
inline void expect_clear(const Error& error) {
  FUZZ_EXPECT(std::string_view(error.what()).starts_with(kFile));
  FUZZ_EXPECT(error.context().file == kFile);
  FUZZ_EXPECT(!error.context().cure.empty());
  FUZZ_EXPECT(is_safe_to_show(error.what()));
}

}  // namespace sluice::fuzzing
