// A checkpoint becomes the same weights as the GGUF file that holds all that it says, and always the
// same file.

#include <atomic>

#include "api/quantize_fixture.h"
#include "published/output.h"
#include "published/widened.h"

namespace sluice::published {
namespace {

/// An importance matrix for all matrices of a model, another one for each expert.
void write_importance(const std::string& path, const gguf::Header& header) {
  std::vector<TestTensor> tensors;
  for (const gguf::Tensor& tensor : header.tensors) {
    tensors.push_back({tensor.name, tensor.shape, tensor.type, {}});
  }
  write_imatrix(path, tensors);
}

class Widened : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    widened(GetParam()).write(model_, 3);
    write_importance(imatrix_, make(options_for(model_, wide_, "F32")).header);
  }

  Output quantized(const std::string& input, const std::string& type, Settings settings = {}) {
    settings.insert(settings.end(), {{"imatrix", imatrix_}, {"restart", "true"}});
    // What is MXFP4 as published stays so in 32 bits.
    if (input != model_) settings.emplace_back("allow-requantize", "true");
    return make(options_for(input, output_, type, settings));
  }

  const TempFolder folder_;
  const std::string model_ = folder_ / "model";
  const std::string wide_ = folder_ / "f32.gguf";
  const std::string imatrix_ = folder_ / "imatrix.dat";
  const std::string output_ = folder_ / "out.gguf";
};

// Types of blocks, of blocks whose codes depend on the whole row, and those of ik_llama.cpp. Of
// MXFP4 those that take less room: for others it stays as published.
TEST_P(Widened, IsQuantizedAsItsF32FileIs) {
  std::vector<std::string> types = {"IQ1_M", "IQ2_XS"};
  if (GetParam() != "gpt_oss") types.insert(types.end(), {"Q4_K_M", "Q4_0", "Q8_0", "F16"});
  for (const std::string& type : types) {
    SCOPED_TRACE(type);
    expect_same_tensors(quantized(model_, type), quantized(wide_, type));
  }
  const Settings ik = {{"mix", "ik_llama.cpp"}, {"pure", "true"}};
  expect_same_tensors(quantized(model_, "IQ2_K", ik), quantized(wide_, "IQ2_K", ik));
}

// As in two steps with a file of 16 bits between them.
TEST_P(Widened, ByWayOfBf16IsQuantizedAsItsBf16FileIs) {
  const std::string bf16 = folder_ / "bf16.gguf";
  make(options_for(wide_, bf16, "BF16", {{"allow-requantize", "true"}}));
  expect_same_tensors(quantized(model_, "IQ1_M", {{"via", "bf16"}}), quantized(bf16, "IQ1_M"));
}

TEST_P(Widened, IsTheSameFileHoweverItIsMade) {
  quantized(model_, "IQ1_M");
  const Bytes expected = read_file(output_);
  const std::string least = std::to_string(least_memory(
      options_for(model_, output_, "IQ1_M", {{"imatrix", imatrix_}, {"threads", "8"}})));
  std::size_t run = 0;
  for (const std::string& memory : std::vector<std::string>{least, "64M", "2G"}) {
    for (const std::string io : {"async", "mmap", "read"}) {
      const std::string threads = std::to_string(1 + run++ * 3 % 8);
      quantized(model_, "IQ1_M", {{"memory", memory}, {"io", io}, {"threads", threads}});
      EXPECT_TRUE(read_file(output_) == expected) << memory << ' ' << io << ' ' << threads;
    }
  }
}

/// Stops a run when some more tensors are whole.
class Stopping : public Observer {
 public:
  explicit Stopping(int tensors) : left_(tensors) {}
  void tensor_done(const TensorReport&, std::size_t, std::size_t) override {
    if (--left_ == 0) stop = true;
  }
  std::atomic<bool> stop = false;

 private:
  int left_;
};

TEST_P(Widened, GoesOnHoweverOftenItIsStopped) {
  quantized(model_, "IQ1_M");
  const Bytes expected = read_file(output_);
  QuantizeOptions options = options_for(
      model_, output_, "IQ1_M",
      {{"imatrix", imatrix_}, {"checkpoint", "0"}, {"memory", "12M"}, {"restart", "true"}});
  int stopped = 0;
  for (;; ++stopped, options.restart = false) {
    Stopping observer(1 + stopped);
    options.stop = &observer.stop;
    try {
      quantize(options, observer);
      break;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::interrupted) << error.what();
    }
  }
  EXPECT_GT(stopped, 0);
  EXPECT_TRUE(read_file(output_) == expected);
}

TEST_P(Widened, HasTheSameWeightsInSeveralFiles) {
  const Output whole = quantized(model_, "Q8_0");
  for (const Settings& split : {Settings{{"split-max-tensors", "7"}}, {{"keep-split", "true"}}}) {
    QuantizeOptions options = options_for(model_, folder_ / "split.gguf", "Q8_0", split);
    options.imatrix = imatrix_;
    options.restart = true;
    Notes notes;
    Output together;
    for (const PartReport& part : quantize(options, notes).parts) {
      Output one = read_output(part.file);
      together.data.merge(one.data);
      together.header.tensors.insert(together.header.tensors.end(), one.header.tensors.begin(),
                                     one.header.tensors.end());
    }
    expect_same_tensors(together, whole);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Widened,
                         testing::Values("deepseek_v3_fp8", "deepseek_v3_nvfp4", "gpt_oss",
                                         "kimi_k2_int4", "llama4_scout", "llama4_scout_nvfp4",
                                         "llama_fp8_ct", "llama_nvfp4_ct", "qwen3_moe_fused"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace sluice::published
