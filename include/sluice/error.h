#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#pragma GCC visibility push(default)

namespace sluice {

/// Every way in which sluice can fail. The value of `exit_status` for each is fixed, so that
/// scripts can tell a wrong argument from a full disk.
enum class ErrorCode {
  usage,            ///< an argument is wrong or contradicts another
  memory_budget,    ///< the byte budget cannot hold the smallest unit of work
  input_open,       ///< an input file is missing or not readable, or refused by its server
  input_format,     ///< an input file breaks its format
  input_truncated,  ///< an input file ends before the data it announces
  input_type,       ///< a tensor has a type, or a model is of a kind, that is not read
  input_value,      ///< a tensor, or a factor of its weights, holds NaN or infinity
  input_changed,    ///< an input file was written to, or became another, while it was read
  input_read,       ///< the device or the network failed while an input was read
  output_is_input,  ///< writing would destroy an input file
  output_open,      ///< the output cannot be created
  output_no_space,  ///< the file system cannot hold the output
  output_write,     ///< the device failed while the output was written
  output_damaged,   ///< an output is not what its source encodes to
  resume_refused,   ///< what an earlier run left was made from something else
  imatrix_format,   ///< an importance matrix file breaks its format
  imatrix_missing,  ///< a very-low-bit type has no importance row
  imatrix_length,   ///< an importance row does not fit its tensor
  interrupted,      ///< the user asked to stop
};

/// The process exit status for an error: 2 wrong use, 3 input, 4 output or disk, 5 importance
/// matrix, 130 interrupted. (0 is success.)
int exit_status(ErrorCode code) noexcept;

/// What is to be said about a code in general. An error's own message and cure say more.
struct ErrorCodeInfo {
  ErrorCode code;
  std::string_view name;     ///< as in `input_open`
  std::string_view meaning;  ///< half a sentence
  std::string_view cure;     ///< what usually helps, one sentence
};

/// All codes, in the enumeration's order; the table in ERRORS.md.
std::span<const ErrorCodeInfo> error_codes() noexcept;

/// "usage", "input_open", ...
std::string_view name(ErrorCode code) noexcept;

/// Where an error happened and what helps. Empty fields are left out of the message.
struct ErrorContext {
  std::string file = {};                     ///< the file at fault; a URL is masked
  std::string tensor = {};                   ///< the tensor at fault
  std::optional<std::uint64_t> offset = {};  ///< byte offset in `file`
  std::string cure = {};                     ///< what the user can do, one sentence
};

/// The one exception type of the library. `what()` is a complete message: file, tensor, what is
/// wrong, offset and cure.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, ErrorContext context = {});
  /// The same failure under another code: a broken container is the model's or the matrix's fault.
  Error(ErrorCode code, const Error& cause) : Error(cause) { code_ = code; }

  /// The same failure, met by code that did not know the file's name.
  static Error in_file(const std::string& file, const Error& cause);
  /// The same failure, met by code that did not know what its subject, an option, is called.
  static Error about(std::string_view subject, const Error& cause);

  ErrorCode code() const noexcept { return code_; }
  const ErrorContext& context() const noexcept { return context_; }

 private:
  Error(const std::string& composed, ErrorCode code, ErrorContext context)
      : std::runtime_error(composed), code_(code), context_(std::move(context)) {}

  ErrorCode code_;
  ErrorContext context_;
};

}  // namespace sluice

#pragma GCC visibility pop
