#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/gguf.h"

namespace sluice::tokenizer {

/// Turns text into a model's tokens, as llama.cpp does with the vocabulary that the model's metadata hold.
class Encoder {
 public:
  /// \throws Error  input_type: a kind of tokenizer or of pre-tokenizer, which it names, that is not
  ///                 known; input_format: metadata that llama.cpp would refuse
  static std::unique_ptr<Encoder> of(const gguf::Header& model, const std::string& file);
  virtual ~Encoder() = default;

  /// Any thread may ask.
  /// \param text  UTF-8; what is not becomes what llama.cpp makes of it
  /// \param add_special    begin (and end) with BOS (and EOS), if the model asks for that
  /// \param parse_special  the text of a control token stands for it
  /// \throws Error (input_format): the vocabulary has no token for a byte of the text
  virtual std::vector<std::int32_t> encode(std::string_view text, bool add_special,
                                           bool parse_special) const = 0;

  std::int32_t tokens = 0;  ///< of the vocabulary
  std::int32_t bos = -1;    ///< -1: none
  std::int32_t eos = -1;
  bool adds_bos = false;
};

}  // namespace sluice::tokenizer
