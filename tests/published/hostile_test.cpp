// Checkpoints with numbers that are none, and disks that fail under one: the program says what and
// where, leaves nothing wrong behind, and the same command goes on where that can be.

#include <grp.h>
#include <unistd.h>

#include "published/output.h"
#include "published/widened.h"
#include "support/fault_disk.h"
#include "support/needs.h"

namespace sluice::published {
namespace {

using testing_support::FaultDisk;
using testing_support::Finished;

using Words = std::vector<std::string>;

class Hostile : public testing::Test {
 protected:
  Finished quantized(
      const std::string& model, const Words& options = {},
      const std::function<void()>& prepare = [] {}) {
    Words words = {SLUICE_PROGRAM, "quantize", "--ignore-imatrix-rules"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {model, output_, "IQ1_M", "2"});
    return testing_support::run(words, prepare);
  }

  void expect_failure(const Finished& done, int status, const Words& texts) const {
    EXPECT_EQ(done.status, status) << done.errors;
    const std::size_t begin = done.errors.find("sluice: ");
    ASSERT_NE(begin, std::string::npos) << done.errors;
    const std::string message = done.errors.substr(begin);
    EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 1) << message;
    for (const std::string& text : texts) {
      EXPECT_NE(message.find(text), std::string::npos) << "wanted: " << text << "\n" << message;
    }
    EXPECT_FALSE(fs::exists(output_));
  }

  const TempFolder folder_;
  const std::string model_ = folder_ / "model";
  const std::string output_ = folder_ / "out.gguf";
};

/// Where in which part a byte of a stored tensor lies.
struct Place {
  std::string file;
  std::string byte;
};

Place place_of(const std::string& folder, const std::string& tensor, std::uint64_t offset) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    const std::string bytes = checkpoint::read_text(entry.path());
    std::uint64_t length;
    std::memcpy(&length, bytes.data(), sizeof length);
    const json header = json::parse(bytes.substr(sizeof length, length));
    if (!header.contains(tensor)) continue;
    const std::uint64_t begin = header[tensor]["data_offsets"][0];
    return {entry.path(), std::to_string(sizeof length + length + begin + offset)};
  }
  throw std::runtime_error("no tensor " + tensor);
}

struct Bad {
  std::string checkpoint;
  std::string stored;
  std::uint64_t offset;  ///< of the bytes that are put there
  std::string bytes;
  std::string tensor;  ///< that is made of it
  std::string what;
};

// Experts that lie transposed, the second half of their columns; FP8's only codes that are no
// numbers; a factor for 128 x 128 weights; rows of rotary heads, which change places; a factor in
// E4M3, for 16 weights of a column.
const std::vector<Bad> kBad = {
    {"llama4_scout", "language_model.model.layers.1.feed_forward.experts.gate_up_proj",
     ((2 * 512 + 7) * 512 + 300) * 2, "\xc0\x7f", "blk.1.ffn_up_exps.weight",
     "NaN at row 44, column 7 of expert 2"},
    {"llama4_scout", "language_model.model.layers.0.self_attn.v_proj.weight", (5 * 512 + 9) * 2,
     std::string("\x80\xff", 2), "blk.0.attn_v.weight", "infinity at row 5, column 9"},
    {"deepseek_v3_fp8", "model.layers.0.self_attn.q_a_proj.weight", 3 * 512 + 5, "\x7f",
     "blk.0.attn_q_a.weight", "NaN at row 3, column 5"},
    {"deepseek_v3_fp8", "model.layers.0.mlp.down_proj.weight_scale_inv", 4 * (5 + 2),
     std::string("\x00\x00\x80\x7f", 4), "blk.0.ffn_down.weight",
     "infinity, at row 128, column 256"},
    {"llama_fp8_ct", "model.layers.0.self_attn.k_proj.weight", 5 * 512 + 9, "\xff",
     "blk.0.attn_k.weight", "NaN at row 10, column 9"},
    {"llama4_scout_nvfp4",
     "language_model.model.layers.1.feed_forward.experts.gate_up_proj_weight_scale",
     (2 * 32 + 3) * 512 + 300, "\x7f", "blk.1.ffn_up_exps.weight",
     "a scale that is NaN, at row 44, column 48 of expert 2"},
};

class BadNumber : public Hostile, public testing::WithParamInterface<std::size_t> {};

TEST_P(BadNumber, IsNamedByTensorRowFileAndByte) {
  const Bad& bad = kBad[GetParam()];
  Synthetic checkpoint = widened(bad.checkpoint);
  checkpoint.tensors.at(bad.stored).bytes.replace(bad.offset, bad.bytes.size(), bad.bytes);
  checkpoint.write(model_, 3);
  const Place place = place_of(model_, bad.stored, bad.offset);
  expect_failure(quantized(model_), 3, {bad.tensor, bad.what, place.file, place.byte});
}

INSTANTIATE_TEST_SUITE_P(Each, BadNumber, testing::Range(std::size_t{0}, kBad.size()));

class OnFaultDisk : public Hostile, public testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    SLUICE_NEEDS(disk_.mounted(), disk_.why_not());
    widened("llama4_scout").write(on_disk_, 3);
  }

  Finished quantized_here(const Words& options = {}) {
    Words all = {"--io", GetParam()};
    all.insert(all.end(), options.begin(), options.end());
    return quantized(on_disk_, all);
  }

  FaultDisk disk_;
  const std::string on_disk_ = disk_ / "model";
  const std::string part_ = on_disk_ + "/model-00002-of-00003.safetensors";
};

TEST_P(OnFaultDisk, APartThatShrinksIsNamedAndTheWholeOneGoesOn) {
  const Bytes part = read_file(part_);
  disk_.tell("on read file=00002-of-00003.safetensors skip=6 times=1 do shrink:1000001\n");
  expect_failure(quantized_here(), 3, {part_, "ends before", "(at byte "});
}

TEST_P(OnFaultDisk, APartThatCannotBeReadIsNamed) {
  disk_.tell("on read file=00002-of-00003.safetensors at=2000000 do EIO\n");
  expect_failure(quantized_here(), 4, {part_, "(at byte "});
  disk_.tell("clear\n");
  EXPECT_EQ(quantized_here().status, 0);
}

INSTANTIATE_TEST_SUITE_P(Modes, OnFaultDisk, testing::Values("async", "mmap", "read"),
                         [](const auto& test) { return test.param; });

TEST_F(Hostile, AFullDiskIsSaidAndTheSameCommandGoesOn) {
  FaultDisk disk;
  SLUICE_NEEDS(disk.mounted(), disk.why_not());
  widened("gpt_oss").write(model_, 2);
  const auto onto_disk = [&] {
    return testing_support::run(
        {SLUICE_PROGRAM, "quantize", "--ignore-imatrix-rules", model_, disk / "out.gguf", "IQ1_M"});
  };
  disk.tell("on fallocate do EOPNOTSUPP\nspace 200000\n");
  expect_failure(onto_disk(), 4, {disk / "out.gguf", "No space left"});
  disk.tell("clear\n");
  ASSERT_EQ(onto_disk().status, 0);
  ASSERT_EQ(quantized(model_).status, 0);
  EXPECT_TRUE(read_file(disk / "out.gguf") == read_file(output_));
}

TEST_F(Hostile, APartThatMayNotBeReadIsNamed) {
  SLUICE_NEEDS(::geteuid() == 0, "only root can become somebody else");
  widened("gpt_oss").write(model_, 2);
  const std::string part = model_ + "/model-00002-of-00002.safetensors";
  fs::permissions(part, fs::perms::owner_read);
  for (const std::string& folder : {folder_ / ".", model_}) {
    fs::permissions(folder, fs::perms::all);
  }
  const auto become_nobody = [] {
    constexpr uid_t kNobody = 65534;
    if (::setgroups(0, nullptr) != 0 || ::setuid(kNobody) != 0) ::_exit(126);
  };
  expect_failure(quantized(model_, {}, become_nobody), 3, {part, "cannot be opened"});
}

/// Does something when the first tensor is whole.
class Meanwhile : public Observer {
 public:
  explicit Meanwhile(std::function<void()> act) : act_(std::move(act)) {}
  void tensor_done(const TensorReport&, std::size_t, std::size_t) override {
    if (act_) std::exchange(act_, nullptr)();
  }

 private:
  std::function<void()> act_;
};

TEST_F(Hostile, APartThatIsWrittenToWhileItIsReadIsTold) {
  widened("deepseek_v3_fp8").write(model_, 2);
  const std::string part = model_ + "/model-00002-of-00002.safetensors";
  Meanwhile observer([&] { testing_support::write_file(part, read_file(part)); });
  try {
    quantize(options_for(model_, output_, "IQ1_M"), observer);
    ADD_FAILURE() << "nothing is said";
  } catch (const Error& error) {
    EXPECT_EQ(error.context().file, part) << error.what();
  }
  EXPECT_FALSE(fs::exists(output_));
}

// All parts are open from the start: what gets their names later is not mixed with them.
TEST_F(Hostile, APartThatIsReplacedWhileItIsReadIsReadToItsEnd) {
  widened("deepseek_v3_fp8").write(model_, 2);
  const Output expected = make(options_for(model_, folder_ / "before.gguf", "IQ1_M"));
  const std::string part = model_ + "/model-00002-of-00002.safetensors";
  Meanwhile observer([&] {
    testing_support::write_file(part + ".new", Bytes(fs::file_size(part)));
    fs::rename(part + ".new", part);
  });
  quantize(options_for(model_, output_, "IQ1_M"), observer);
  expect_same_tensors(read_output(output_), expected);
}

}  // namespace
}  // namespace sluice::published
