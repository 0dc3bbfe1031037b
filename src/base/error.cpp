#include "sluice/error.h"

#include <fmt/format.h>

#include <string_view>

#include "base/text.h"
#include "sluice/urls.h"

namespace sluice {
namespace {

std::string compose(const std::string& message, const ErrorContext& context) {
  std::string text;
  if (!context.file.empty()) text += visible(masked(context.file)) + ": ";
  if (!context.tensor.empty()) {
    text += fmt::format("tensor '{}': ", visible(context.tensor));
  }
  text += visible(message, "\n");  // some list tensors line by line
  if (context.offset) text += fmt::format(" (at byte {})", *context.offset);
  // A list is not the beginning of the next sentence.
  if (!context.cure.empty()) text += (text.ends_with('\n') ? "" : ". ") + visible(context.cure);
  return text;
}

}  // namespace

Error::Error(ErrorCode code, const std::string& message, ErrorContext context)
    : std::runtime_error(compose(message, context)), code_(code), context_(std::move(context)) {
  context_.file = masked(context_.file);
}

Error Error::in_file(const std::string& file, const Error& cause) {
  ErrorContext context = cause.context();
  context.file = masked(file);
  const std::string composed = visible(context.file) + ": " + cause.what();
  return Error(composed, cause.code(), std::move(context));
}

Error Error::about(std::string_view subject, const Error& cause) {
  return Error(visible(subject) + ": " + cause.what(), cause.code(), cause.context());
}

int exit_status(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::usage:
    case ErrorCode::memory_budget:
      return 2;
    case ErrorCode::input_open:
    case ErrorCode::input_format:
    case ErrorCode::input_truncated:
    case ErrorCode::input_type:
    case ErrorCode::input_value:
    case ErrorCode::input_changed:
      return 3;
    case ErrorCode::input_read:
    case ErrorCode::output_is_input:
    case ErrorCode::output_open:
    case ErrorCode::output_no_space:
    case ErrorCode::output_write:
    case ErrorCode::resume_refused:
    case ErrorCode::output_damaged:
      return 4;
    case ErrorCode::imatrix_format:
    case ErrorCode::imatrix_missing:
    case ErrorCode::imatrix_length:
      return 5;
    case ErrorCode::interrupted:
      return 130;
  }
  return 4;
}

}  // namespace sluice
