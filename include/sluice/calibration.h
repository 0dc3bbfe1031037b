#pragma once

#include <cstdint>
#include <string>
#include <vector>

#pragma GCC visibility push(default)

namespace sluice {

/// The text that a model is run on, to see what its weights are multiplied by.
struct CalibrationOptions {
  /// Files of UTF-8 text, which the model's own tokenizer makes tokens of, one file after the other.
  std::vector<std::string> texts = {};
  /// In their place, a file of token ids: decimal numbers with spaces, line ends or commas between.
  std::string tokens = {};
  /// Tokens of a sequence: the text is cut into so many at a time, which know nothing of one
  /// another, as llama-imatrix does. What is left at the end is not used.
  std::uint64_t context = 512;
  std::uint64_t chunks = 0;    ///< most sequences, from the text's beginning; 0: all
  bool parse_special = false;  ///< the text of a control token stands for it
  /// Folder for what is between two layers, with which a run that was cut off goes on; empty: the
  /// output's.
  std::string scratch = {};
  /// Codes are chosen for what the quantized layers before make of the text, and weights are fitted to
  /// that first: as near again to the model, for about three times the calculation and memory for all tokens
  /// of a part of a layer at once.
  bool refit = false;

  bool given() const { return !texts.empty() || !tokens.empty(); }
};

}  // namespace sluice

#pragma GCC visibility pop
