#pragma once

#include <string>
#include <vector>

#include "support/process.h"

namespace sluice::testing_support {

inline const std::string kData = SLUICE_TEST_DATA;
/// A trained model, a text and an importance matrix for it.
inline const std::string kModel = kData + "/model/tiny-llama-f16.gguf";
inline const std::string kText = kData + "/model/validation.txt";
inline const std::string kMatrix = kData + "/imatrix/tiny-llama.imatrix.gguf";

/// Runs the program, with these words behind its name.
inline Finished run_program(std::vector<std::string> words) {
  words.insert(words.begin(), SLUICE_PROGRAM);
  return run(words);
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace sluice::testing_support
