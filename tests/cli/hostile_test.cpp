// Files that somebody made to harm: the program refuses them with one message that a terminal can
// bear, and does not let them choose how much memory it takes.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>

#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kShadowed = true;  // sanitizers take address space and memory of their own
#elif defined(__has_feature)
constexpr bool kShadowed = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kShadowed = false;
#endif

constexpr std::uint64_t kHuge = std::uint64_t{1} << 60;
constexpr std::uint32_t kString = 8;
constexpr std::uint32_t kArray = 9;
constexpr std::uint32_t kU64 = 10;

void limit_address_space() {
  constexpr rlim_t kBytes = rlim_t{256} << 20;
  const rlimit limit{kBytes, kBytes};
  if (!kShadowed) ::setrlimit(RLIMIT_AS, &limit);
}

class Hostile : public testing::Test {
 protected:
  /// What the program says of a file, which it may not take much memory for.
  std::string refusal(const Bytes& bytes, const std::vector<std::string>& words, int status) {
    write_file(file_, bytes);
    std::vector<std::string> all{SLUICE_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    const Finished done = run(all, limit_address_space);
    EXPECT_EQ(done.status, status) << done.errors;
    EXPECT_NE(done.errors.find(file_), std::string::npos) << done.errors;
    EXPECT_EQ(std::count(done.errors.begin(), done.errors.end(), '\n'), 1) << done.errors;
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);  // of the largest child so far
    constexpr long kMostKiB = 64 << 10;
    EXPECT_TRUE(kShadowed || usage.ru_maxrss < kMostKiB) << usage.ru_maxrss << " KiB";
    return done.errors;
  }

  TempFolder folder_;
  std::string file_ = folder_ / "hostile.gguf";
};

/// A file of a kilobyte with such a value.
Bytes with_value(std::uint32_t type, const std::vector<std::uint64_t>& numbers) {
  Bytes value;
  if (type == kArray) put(value, static_cast<std::uint32_t>(numbers[0]));
  put(value, numbers.back());
  value.resize(1024);
  return GgufBuilder().string("general.architecture", "llama").raw("k", type, value).build();
}

TEST_F(Hostile, AKilobyteThatClaimsAnExabyteIsRefusedInLittleMemory) {
  Bytes padding(1024);
  const GgufBuilder model =
      GgufBuilder().string("general.architecture", "llama").tensor("a", {256}, 0, padding);
  for (const Bytes& bytes : {
           GgufBuilder(model).claim_tensors(kHuge).build(),
           GgufBuilder(model).claim_keys(kHuge).build(),
           with_value(kString, {kHuge}),
           with_value(kArray, {kU64, kHuge}),
           with_value(kArray, {kString, kHuge}),
           with_value(kArray, {kArray, kHuge}),
           GgufBuilder(model).tensor("b", {kHuge}, 0, padding).build(),
       }) {
    const std::string model_error =
        refusal(bytes, {"quantize", "--pure", file_, folder_ / "out.gguf", "Q8_0"}, 3);
    EXPECT_NE(model_error.find("copy or download it again"), std::string::npos) << model_error;
    // The same as an importance matrix, for a model that is sound.
    const std::string sound = folder_ / "sound.gguf";
    write_file(sound, GgufBuilder(model).build());
    refusal(bytes, {"quantize", "--pure", "--imatrix", file_, sound, folder_ / "out.gguf", "Q8_0"},
            5);
    EXPECT_FALSE(fs::exists(folder_ / "out.gguf"));
  }
}

TEST_F(Hostile, AnOldImportanceMatrixThatClaimsGigabytesIsRefusedInLittleMemory) {
  constexpr std::int32_t kMost = 0x7fffffff;
  const std::string sound = folder_ / "sound.gguf";
  write_file(sound, GgufBuilder()
                        .string("general.architecture", "llama")
                        .tensor("a", {256}, 0, Bytes(1024))
                        .build());
  for (const std::vector<std::int32_t>& numbers :
       {std::vector<std::int32_t>{kMost}, {1, kMost}, {1, 1, 'a', 1, kMost}}) {
    Bytes bytes = bytes_of(numbers);
    bytes.resize(1024, std::byte{'x'});
    refusal(bytes, {"quantize", "--pure", "--imatrix", file_, sound, folder_ / "out.gguf", "Q8_0"},
            5);
  }
}

// ESC [ 2 J clears a screen, and U+009B is another spelling of ESC [.
constexpr const char* kNames[] = {"a\x1b[2J",
                                  "a\xc2\x9b"
                                  "2J",
                                  "a\nsluice: done", "a\x07\x7f"};

void expect_no_control_characters(const Finished& done) {
  for (const std::string& text : {done.out, done.errors}) {
    EXPECT_EQ(text.find_first_of("\x1b\x07\x7f\r"), std::string::npos) << text;
    EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos) << text;
    EXPECT_EQ(text.find("\nsluice: done"), std::string::npos) << text;
  }
}

TEST_F(Hostile, NamesCannotDriveTheTerminal) {
  const std::string out = folder_ / "out.gguf";
  for (const std::string name : kNames) {
    const auto model = [&](const std::string& architecture, std::uint32_t type, std::size_t bytes) {
      return GgufBuilder()
          .string("general.architecture", architecture)
          .u32("llama.block_count", 1)
          .tensor("blk.0." + name + ".ffn_up.weight", {256, 2}, type, Bytes(bytes))
          .build();
    };
    struct Case {
      Bytes bytes;
      std::vector<std::string> words;
      int status;
    };
    for (const Case& c : {
             Case{model("llama", 1, 1024), {"plan", file_, out, "Q8_0"}, 0},
             Case{model("llama", 1, 1024), {"quantize", "--pure", file_, out, "Q8_0"}, 0},
             Case{model("llama", 2, 2 * 8 * 18), {"quantize", "--pure", file_, out, "Q8_0"}, 3},
             Case{model("llama", 1, 1024), {"quantize", "--pure", file_, out, "IQ1_M"}, 5},
             Case{model(name, 1, 1024), {"quantize", file_, out, "IQ3_XS"}, 3},
             Case{model("llama", 1, 900), {"quantize", "--pure", file_, out, "Q8_0"}, 3},
         }) {
      write_file(file_, c.bytes);
      std::vector<std::string> words{SLUICE_PROGRAM};
      words.insert(words.end(), c.words.begin(), c.words.end());
      const Finished done = run(words);
      EXPECT_EQ(done.status, c.status) << done.errors;
      expect_no_control_characters(done);
      EXPECT_NE((done.out + done.errors).find("\\x"), std::string::npos) << done.errors;
    }
  }
}

// So may a file's name be, in notes and errors.
TEST_F(Hostile, NamesOfFilesDoNotDriveTheTerminal) {
  const std::string out = folder_ / "\x1b[31m.gguf";
  write_file(file_, GgufBuilder()
                        .string("general.architecture", "llama")
                        .u32("llama.block_count", 1)
                        .tensor("blk.0.ffn_up.weight", {256, 2}, 1, Bytes(1024))
                        .build());
  const auto made = [&](int status, const std::string& told) {
    const Finished done =
        run({SLUICE_PROGRAM, "quantize", "--partial-requant", file_, out, "Q8_0"});
    EXPECT_EQ(done.status, status) << done.errors;
    expect_no_control_characters(done);
    EXPECT_NE(done.errors.find(told), std::string::npos) << done.errors;
  };
  write_file(out + ".part", Bytes(1000));
  made(4, "\\x1b[31m.gguf.part");
  fs::remove(out + ".part");
  made(0, "");
  made(0, "\\x1b[31m.gguf exists, and is left as it is");
}

}  // namespace
