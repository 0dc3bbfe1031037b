// What reading a large tokenizer.json takes, counted allocation by allocation: a small multiple of
// what is kept, and nothing of the size of the text.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tokenizer/checkpoint_files.h"

namespace {

// Of the whole test program; only what a test adds between two looks is counted.
std::atomic<std::size_t> allocated = 0;
std::atomic<std::size_t> most = 0;

constexpr std::size_t kHead = alignof(std::max_align_t);

}  // namespace

void* operator new(std::size_t size) {
  auto* const block = static_cast<std::byte*>(std::malloc(size + kHead));
  if (block == nullptr) throw std::bad_alloc();
  *reinterpret_cast<std::size_t*>(block) = size;
  const std::size_t now = allocated += size;
  std::size_t before = most;
  while (before < now && !most.compare_exchange_weak(before, now)) {
  }
  return block + kHead;
}

void operator delete(void* pointer) noexcept {
  if (pointer == nullptr) return;
  auto* const block = static_cast<std::byte*>(pointer) - kHead;
  allocated -= *reinterpret_cast<std::size_t*>(block);
  std::free(block);
}

void operator delete(void* pointer, std::size_t /*size*/) noexcept {
  operator delete(pointer);
}

namespace sluice::tokenizer {
namespace {

struct Taken {
  std::size_t peak = 0;
  std::size_t kept = 0;
};

Taken measure(const CheckpointFiles& files) {
  const std::size_t before = allocated;
  most = before;
  const Tokenizer tokenizer = files.read();
  Taken taken{.peak = most - before};
  for (const gguf::KeyValue& pair : tokenizer.metadata) taken.kept += pair.value.bytes.size();
  return taken;
}

/// A tokenizer.json as Gemma 3's is written, one value a line, of 260000 tokens and twice as many
/// merges.
std::string large_tokenizer(bool spm_like) {
  constexpr std::uint64_t kTokens = 260000;
  const auto word = [](std::uint64_t i) { return "token" + std::to_string(i); };
  std::string text = "{\n  \"decoder\": {\n    \"type\": \"";
  text += spm_like ? "Sequence" : "ByteLevel";
  text += "\"\n  },\n  \"model\": {\n    \"type\": \"BPE\",\n    \"byte_fallback\": ";
  text += spm_like ? "true" : "false";
  text += ",\n    \"vocab\": {";
  for (std::uint64_t i = 0; i < kTokens; ++i) {
    text += i == 0 ? "\n      \"" : ",\n      \"";
    text += word(i) + "\": " + std::to_string(i);
  }
  text += "\n    },\n    \"merges\": [";
  for (std::uint64_t i = 0; i < 2 * kTokens; ++i) {
    text += i == 0 ? "\n      [\n        \"" : ",\n      [\n        \"";
    text += word(i / 2).substr(0, 6) + "\",\n        \"" + word(i / 2).substr(6) + "\"\n      ]";
  }
  return text + "\n    ]\n  }\n}\n";
}

TEST(Memory, ALargeTokenizerTakesASmallMultipleOfWhatIsKept) {
  for (const bool spm_like : {false, true}) {
    CheckpointFiles files;
    files.pre = "gpt-2";
    files.texts["tokenizer.json"] = large_tokenizer(spm_like);
    const std::size_t text = files.texts["tokenizer.json"].size();
    EXPECT_GT(text, 33'000'000u);
    const Taken taken = measure(files);
    // A model from scores drops the merges that those were made of.
    EXPECT_LT(taken.peak, (spm_like ? 8 : 3) * taken.kept);
    RecordProperty(spm_like ? "peak_spm_like" : "peak_bpe", std::to_string(taken.peak));
  }
}

TEST(Memory, IdsAndSizesOfHostileFilesAllocateLittle) {
  CheckpointFiles files;
  files.pre = "gpt-2";
  files.texts["tokenizer.json"] =
      R"({"model": {"type": "BPE", "vocab": {"a": 1048575}, "merges": ["a b"]}})";
  EXPECT_LT(measure(files).peak, 128u << 20) << "the most tokens that are possible";
  for (const std::string id : {"1048576", "4294967295", "18446744073709551615"}) {
    files.texts["tokenizer.json"] =
        R"({"model": {"type": "BPE", "vocab": {"a": )" + id + R"(}, "merges": ["a b"]}})";
    const std::size_t before = allocated;
    most = before;
    EXPECT_NE(files.error(), "no error");
    EXPECT_LT(most - before, 1u << 20) << id;
  }
}

TEST(Memory, TheCountSeesAnAllocation) {
  const std::size_t before = allocated;
  most = before;
  { const std::vector<char> block(5 << 20); }
  EXPECT_GE(most - before, 5u << 20);
  EXPECT_LT(allocated - before, 1u << 20);
}

}  // namespace
}  // namespace sluice::tokenizer
