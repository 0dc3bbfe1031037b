#pragma once

// The trained model of tests/data as the checkpoint that it would be published as: the inverse of
// what is tested, written apart from it.

#include "checkpoint/synthetic.h"
#include "sluice/gguf.h"
#include "support/temp_folder.h"

namespace sluice::published {

using checkpoint::Synthetic;
using nlohmann::json;

inline const std::string kTrained = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";

namespace trained_detail {

inline std::string published_name(const std::string& name) {
  static const std::map<std::string, std::string> kTop = {
      {"token_embd.weight", "model.embed_tokens.weight"},
      {"output_norm.weight", "model.norm.weight"},
      {"output.weight", "lm_head.weight"}};
  static const std::map<std::string, std::string> kInLayer = {
      {"attn_norm", "input_layernorm"}, {"ffn_norm", "post_attention_layernorm"},
      {"attn_q", "self_attn.q_proj"},   {"attn_k", "self_attn.k_proj"},
      {"attn_v", "self_attn.v_proj"},   {"attn_output", "self_attn.o_proj"},
      {"ffn_gate", "mlp.gate_proj"},    {"ffn_up", "mlp.up_proj"},
      {"ffn_down", "mlp.down_proj"}};
  if (const auto it = kTop.find(name); it != kTop.end()) return it->second;
  const std::size_t layer_end = name.find('.', 4);  // after "blk."
  const std::size_t end = name.find('.', layer_end + 1);
  return "model.layers." + name.substr(4, layer_end - 4) + '.' +
         kInLayer.at(name.substr(layer_end + 1, end - layer_end - 1)) + ".weight";
}

/// Rows in which rotary pairs are neighbours, as they were with each pair half a head apart.
inline std::string pairs_apart(const std::string& bytes, std::size_t rows, std::size_t heads) {
  const std::size_t row = bytes.size() / rows;
  const std::size_t in_head = rows / heads;
  std::string out;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t k = i % in_head;
    const std::size_t half = in_head / 2;
    out += bytes.substr((i - k + k % half * 2 + k / half) * row, row);
  }
  return out;
}

/// The message that SentencePiece's files are: pieces of text, score and type.
inline std::string sentencepiece_model(const gguf::Header& header) {
  const auto varint = [](std::uint64_t number) {
    std::string out;
    for (; number > 127; number >>= 7) out += static_cast<char>((number & 127) | 128);
    return out + static_cast<char>(number);
  };
  const auto field = [&](std::uint64_t number, const std::string& bytes) {
    return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
  };
  const auto elements = [&](const char* key) {
    return header.find(std::string("tokenizer.ggml.") + key)->elements(~std::uint64_t{0});
  };
  const auto tokens = elements("tokens");
  const auto scores = elements("scores");
  const auto types = elements("token_type");
  std::string out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const float score = static_cast<float>(*scores[i].as_float());
    out += field(1, field(1, *tokens[i].as_string()) + varint(2 << 3 | 5) +
                        std::string(reinterpret_cast<const char*>(&score), sizeof score) +
                        varint(3 << 3) + varint(*types[i].as_uint()));
  }
  return out;
}

}  // namespace trained_detail

inline Synthetic trained_checkpoint() {
  using namespace trained_detail;
  const std::vector<std::byte> file = testing_support::read_file(kTrained);
  const gguf::Header header = *gguf::parse_header(file, file.size(), kTrained);
  const auto number = [&](const char* key) {
    return *header.find(std::string("llama.") + key)->as_uint();
  };
  Synthetic out;
  for (const gguf::Tensor& tensor : header.tensors) {
    std::string bytes(
        reinterpret_cast<const char*>(file.data()) + header.data_offset + tensor.offset,
        tensor.size);
    for (const auto& [part, heads] :
         {std::pair(".attn_q.", "attention.head_count"), {".attn_k.", "attention.head_count_kv"}}) {
      if (tensor.name.find(part) == std::string::npos) continue;
      bytes = pairs_apart(bytes, tensor.shape[1], number(heads));
    }
    out.tensors[published_name(tensor.name)] = {tensor.type == TensorType::f32 ? "F32" : "F16",
                                                {tensor.shape.rbegin(), tensor.shape.rend()},
                                                std::move(bytes)};
  }
  out.config = {{"architectures", {"LlamaForCausalLM"}},
                {"model_type", "llama"},
                {"hidden_size", number("embedding_length")},
                {"intermediate_size", number("feed_forward_length")},
                {"num_hidden_layers", number("block_count")},
                {"num_attention_heads", number("attention.head_count")},
                {"num_key_value_heads", number("attention.head_count_kv")},
                {"vocab_size", number("vocab_size")},
                {"max_position_embeddings", number("context_length")},
                {"rms_norm_eps", 1e-5},
                {"rope_theta", 10000.0},
                {"bos_token_id", 1},
                {"eos_token_id", 2},
                {"unk_token_id", 0},
                {"tie_word_embeddings", false}};
  out.texts["tokenizer.model"] = sentencepiece_model(header);
  out.texts["tokenizer_config.json"] = json{
      {"add_bos_token", true},
      {"add_eos_token", false},
      {"bos_token", "<s>"},
      {"eos_token", "</s>"},
      {"unk_token", "<unk>"}}.dump();
  return out;
}

}  // namespace sluice::published
