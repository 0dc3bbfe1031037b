#pragma once

#include <string>

#include "base/json_events.h"
#include "sluice/error.h"

namespace sluice::tokenizer {

/// \throws Error (input_format)
[[noreturn]] inline void fail(const std::string& file, const std::string& message,
                              std::string cure = kBrokenFile) {
  throw Error(ErrorCode::input_format, message, {.file = file, .cure = std::move(cure)});
}

}  // namespace sluice::tokenizer
