#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::tokenizer {

/// What a name of tokenizer.ggml.pre stands for in llama.cpp.
struct PreTokenizer {
  std::vector<std::string_view> names;
  std::vector<std::string>
      cuts;  ///< regular expressions: each cuts the pieces that the last one left
  bool ignores_merges = false;     ///< a piece that is a token is that token
  bool begins_with_bos = false;    ///< if the metadata do not say whether
  bool has_default_bos = true;     ///< if the metadata do not say which
  bool is_without_merges = false;  ///< perhaps
};

/// The one of that name, or null.
const PreTokenizer* find_pre_tokenizer(std::string_view name);

}  // namespace sluice::tokenizer
