// Checkpoints in NVFP4 through the library to 32 bits: every weight is its code times its factor.

#include <bit>

#include "published/output.h"
#include "published/widened.h"

namespace sluice::published {
namespace {

constexpr double kE2m1[] = {0, .5, 1, 1.5, 2, 3, 4, 6, -0.0, -.5, -1, -1.5, -2, -3, -4, -6};

/// A positive number of E4M3, not among the smallest.
double e4m3(unsigned char code) {
  return std::ldexp(8 + code % 8, code / 8 - 10);
}

/// A matrix in NVFP4, weight by weight.
class Matrix {
 public:
  Matrix(const Synthetic& checkpoint, const std::string& name)
      : packed_(checkpoint.tensors.contains(name + "_packed")),
        codes_(checkpoint.tensors.at(packed_ ? name + "_packed" : name)),
        scales_(checkpoint.tensors.at(factors(name))) {
    const std::string end = packed_ ? "_global_scale" : factors(name).substr(name.size()) + "_2";
    std::memcpy(&common_, checkpoint.tensors.at(name + end).bytes.data(), sizeof common_);
  }

  /// Of the one, or of an expert that lies transposed: what an input is multiplied by for an output.
  float at(std::uint64_t output, std::uint64_t input) const {
    return value(byte(codes_, output * codes_.shape[1] + input / 2), input,
                 byte(scales_, output * scales_.shape[1] + input / 16));
  }
  float at(std::uint64_t expert, std::uint64_t output, std::uint64_t input) const {
    const auto place = [&](const SyntheticTensor& tensor, std::uint64_t row) {
      return (expert * tensor.shape[1] + row) * tensor.shape[2] + output;
    };
    return value(byte(codes_, place(codes_, input / 2)), input,
                 byte(scales_, place(scales_, input / 16)));
  }

 private:
  static std::string factors(const std::string& name) {
    return name + (name.ends_with(".weight") ? "_scale" : "_weight_scale");
  }
  static unsigned char byte(const SyntheticTensor& tensor, std::uint64_t at) {
    return static_cast<unsigned char>(tensor.bytes.at(at));
  }
  float value(unsigned codes, std::uint64_t input, unsigned char scale) const {
    const double both = packed_ ? e4m3(scale) / double{common_} : e4m3(scale) * double{common_};
    return static_cast<float>(kE2m1[codes >> input % 2 * 4 & 15] *
                              double{static_cast<float>(both)});
  }

  const bool packed_;
  const SyntheticTensor& codes_;
  const SyntheticTensor& scales_;
  float common_ = 0;
};

class Nvfp4 : public testing::Test {
 protected:
  /// The F32 file that is made of a checkpoint.
  const Output& made(const std::string& name) {
    checkpoint_ = widened(name);
    checkpoint_.write(folder_ / "model", 3);
    output_ = make(options_for(folder_ / "model", folder_ / "out.gguf", "F32"));
    return output_;
  }

  /// Expects every weight of a tensor to be `wanted(number)`.
  template <class Wanted>
  void expect_weights(const std::string& tensor, Wanted wanted) const {
    const Bytes& data = output_.data.at(tensor);
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < data.size() / sizeof(float); ++i) {
      float value;
      std::memcpy(&value, data.data() + i * sizeof value, sizeof value);
      wrong += std::bit_cast<std::uint32_t>(value) != std::bit_cast<std::uint32_t>(wanted(i));
    }
    EXPECT_EQ(wrong, 0u) << tensor << " of " << data.size() / sizeof(float);
    EXPECT_GT(data.size(), 1000u);
  }

  std::uint64_t columns(const std::string& tensor) const {
    return std::ranges::find(output_.header.tensors, tensor, &gguf::Tensor::name)->shape[0];
  }

  const TempFolder folder_;
  Synthetic checkpoint_;
  Output output_;
};

TEST_F(Nvfp4, ModelOptsExpertsThatLieTransposed) {
  made("llama4_scout_nvfp4");
  const std::string layer = "language_model.model.layers.1.feed_forward.experts.";
  const Matrix joined(checkpoint_, layer + "gate_up_proj");
  const std::uint64_t inputs = columns("blk.1.ffn_up_exps.weight");
  const std::uint64_t outputs = columns("blk.1.ffn_down_exps.weight");
  for (const std::uint64_t up : {0, 1}) {
    expect_weights(
        up == 1 ? "blk.1.ffn_up_exps.weight" : "blk.1.ffn_gate_exps.weight", [&](std::uint64_t i) {
          return joined.at(i / inputs / outputs, up * outputs + i / inputs % outputs, i % inputs);
        });
  }
  const Matrix down(checkpoint_, layer + "down_proj");
  expect_weights("blk.1.ffn_down_exps.weight", [&](std::uint64_t i) {
    return down.at(i / outputs / inputs, i / outputs % inputs, i % outputs);
  });
}

TEST_F(Nvfp4, ModelOptsExpertsAndKeysOfLatentAttention) {
  made("deepseek_v3_nvfp4");
  std::vector<Matrix> experts;
  for (const char expert : std::string("0123")) {
    experts.emplace_back(checkpoint_,
                         std::string("model.layers.1.mlp.experts.") + expert + ".down_proj.weight");
  }
  const std::uint64_t inputs = columns("blk.1.ffn_down_exps.weight");
  const std::uint64_t outputs = columns("blk.1.ffn_up_exps.weight");
  expect_weights("blk.1.ffn_down_exps.weight", [&](std::uint64_t i) {
    return experts[i / inputs / outputs].at(i / inputs % outputs, i % inputs);
  });
  // Of each head the first rows, transposed.
  const Matrix latent(checkpoint_, "model.layers.0.self_attn.kv_b_proj.weight");
  const std::uint64_t keys = columns("blk.0.attn_k_b.weight");
  const std::uint64_t rank = columns("blk.0.attn_v_b.weight");
  const std::uint64_t rows = keys + checkpoint_.config["v_head_dim"].get<std::uint64_t>();
  expect_weights("blk.0.attn_k_b.weight", [&](std::uint64_t i) {
    return latent.at(i / keys / rank * rows + i % keys, i / keys % rank);
  });
}

TEST_F(Nvfp4, OfCompressedTensorsBesideFp8) {
  made("llama_nvfp4_ct");
  const Matrix up(checkpoint_, "model.layers.0.mlp.up_proj.weight");
  const std::uint64_t inputs = columns("blk.0.ffn_up.weight");
  expect_weights("blk.0.ffn_up.weight",
                 [&](std::uint64_t i) { return up.at(i / inputs, i % inputs); });
}

}  // namespace
}  // namespace sluice::published
