#include <array>

#include "sluice/error.h"

namespace sluice {
namespace {

using enum ErrorCode;

constexpr std::array kCodes = {
    ErrorCodeInfo{usage, "usage", "an argument is wrong or contradicts another",
                  "See `sluice help`; the message names the argument."},
    ErrorCodeInfo{memory_budget, "memory_budget",
                  "the byte budget cannot hold the smallest unit of work",
                  "Raise --memory to what the message names, or use fewer threads."},
    ErrorCodeInfo{input_open, "input_open",
                  "an input file is missing or not readable, or refused by its server",
                  "Check path or URL and permissions; of a split model all parts must be there."},
    ErrorCodeInfo{input_format, "input_format", "an input file breaks its format",
                  "Download or convert the file again; the message has the byte."},
    ErrorCodeInfo{input_truncated, "input_truncated",
                  "an input file ends before the data it announces",
                  "Finish the download; compare the size with the original's."},
    ErrorCodeInfo{input_type, "input_type",
                  "a tensor has a type, or a model is of a kind, that is not read",
                  "Start from the 16-bit model or the published checkpoint; `sluice help types` "
                  "lists types."},
    ErrorCodeInfo{input_value, "input_value",
                  "a tensor, or a factor of its weights, holds NaN or infinity",
                  "Convert the model anew; the message names tensor and place."},
    ErrorCodeInfo{input_changed, "input_changed",
                  "an input file was written to, or became another, while it was read",
                  "Let the download or the conversion end, then run again."},
    ErrorCodeInfo{input_read, "input_read",
                  "the device or the network failed while an input was read",
                  "Check connection, disk and kernel log; the same command goes on from there."},
    ErrorCodeInfo{output_is_input, "output_is_input", "writing would destroy an input file",
                  "Name another output."},
    ErrorCodeInfo{output_open, "output_open",
                  "the output cannot be created, or another program's file is in its way",
                  "Name a folder that exists and that you may write to, or another output."},
    ErrorCodeInfo{output_no_space, "output_no_space", "the file system cannot hold the output",
                  "Free the space that the message names; the same command goes on from there."},
    ErrorCodeInfo{output_write, "output_write", "the device failed while the output was written",
                  "Check cable, disk and kernel log; the same command goes on from there."},
    ErrorCodeInfo{output_damaged, "output_damaged", "an output is not what its source encodes to",
                  "Copy or make the file again; check memory and disk if it recurs."},
    ErrorCodeInfo{
        resume_refused, "resume_refused", "what an earlier run left was made from something else",
        "Repeat the earlier run's arguments, pass --same-input for a copy of the input, or begin "
        "anew with --restart."},
    ErrorCodeInfo{imatrix_format, "imatrix_format", "an importance matrix file breaks its format",
                  "Download or make the matrix again."},
    ErrorCodeInfo{imatrix_missing, "imatrix_missing", "a very-low-bit type has no importance row",
                  "Give the model's matrix with --imatrix, or accept worse with "
                  "--ignore-imatrix-rules."},
    ErrorCodeInfo{imatrix_length, "imatrix_length", "an importance row does not fit its tensor",
                  "Use the matrix of this very model."},
    ErrorCodeInfo{interrupted, "interrupted", "the user asked to stop",
                  "The same command goes on from there."},
};

// A code's value is its place in the table.
static_assert([] {
  for (std::size_t i = 0; i < kCodes.size(); ++i) {
    if (kCodes[i].code != static_cast<ErrorCode>(i)) return false;
  }
  return true;
}());

}  // namespace

std::span<const ErrorCodeInfo> error_codes() noexcept {
  return kCodes;
}

std::string_view name(ErrorCode code) noexcept {
  const auto place = static_cast<std::size_t>(code);
  return place < kCodes.size() ? kCodes[place].name : "unknown";
}

}  // namespace sluice
