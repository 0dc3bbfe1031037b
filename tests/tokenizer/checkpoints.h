#pragma once

#include <string>

namespace sluice::tokenizer {

inline const std::string kCheckpoints = SLUICE_TEST_DATA "/checkpoints/";

}  // namespace sluice::tokenizer
