#include "api/option_setters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/job_share.h"
#include "api/option_values.h"
#include "base/text.h"
#include "plan/model_edits.h"
#include "recipe/recipe_text.h"
#include "sluice/amounts.h"
#include "sluice/error.h"
#include "tokenizer/tokenizer.h"

namespace sluice::option_setters {
namespace {

constexpr std::uint64_t kMostTokens = std::numeric_limits<std::int32_t>::max();

// A number without a unit.
bool is_bare(std::string_view value) {
  return !value.empty() && value.back() >= '0' && value.back() <= '9';
}

}  // namespace

void set_type(Options& options, const Option&, std::string_view value) {
  // Whether the mix has it is seen when the mix is known.
  if (find_file_type(value, Mix::ik_llama_cpp) == nullptr) {
    parse_file_type(value, Mix::llama_cpp);
  }
  options.type = value;
}

void set_threads(Options& options, const Option&, std::string_view value) {
  constexpr int kMost = 1024;
  try {
    options.quantize.threads = static_cast<int>(option_values::whole_number(value, 0, kMost));
  } catch (const Error&) {
    throw Error(ErrorCode::usage,
                fmt::format("'{}' is no number of threads from 1 to {}, or 0 for one a core",
                            printable(value), kMost),
                {.cure = find_file_type(value) == nullptr ? "Write it in digits"
                                                          : "A type stands behind the output"});
  }
}

void add_pruned_layers(Options& options, const Option&, std::string_view value) {
  std::vector<std::uint32_t>& layers = options.quantize.edits.pruned_layers;
  const std::vector<std::uint32_t> more = parse_layers(value);
  std::set<std::uint32_t> all(layers.begin(), layers.end());
  all.insert(more.begin(), more.end());
  layers.assign(all.begin(), all.end());
}

void override_metadata(Options& options, const Option&, std::string_view value) {
  options.quantize.edits.metadata.push_back(parse_metadata_override(value));
}

void set_pre_tokenizer(Options& options, const Option&, std::string_view value) {
  const std::span<const std::string_view> names = tokenizer::pre_tokenizers();
  if (std::ranges::find(names, value) == names.end()) {
    throw Error(ErrorCode::usage,
                fmt::format("llama.cpp knows no pre-tokenizer '{}'", printable(value)),
                {.cure = fmt::format("Name one of {}", fmt::join(names, ", "))});
  }
  options.quantize.pre = value;
}

void set_share(Options& options, const Option&, std::string_view value) {
  const auto variable = [](const char* name) {
    const char* const text = std::getenv(name);
    return text == nullptr ? std::nullopt : std::optional<std::string>(text);
  };
  options.quantize.share = value == "auto" ? share_of_job(variable) : parse_share(value);
}

void set_split_tensors(Options& options, const Option&, std::string_view value) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
  options.quantize.split.max_tensors = option_values::whole_number(value, 1, kMost);
}

void set_memory(Options& options, const Option&, std::string_view value) {
  // No model can do with so little: a bare number was meant with a unit.
  constexpr std::uint64_t kLeastMeant = std::uint64_t{1} << 20;
  const std::uint64_t bytes = option_values::size(value, 1024);
  if (bytes < kLeastMeant && is_bare(value)) {
    throw Error(
        ErrorCode::usage,
        fmt::format("{} is {}, too little for any model", value, counted(bytes, "byte")),
        {.cure = fmt::format("Add a unit, as {}", bytes == 0   ? "512M"
                                                  : bytes < 32 ? fmt::format("{}G", value)
                                                               : fmt::format("{}M", value))});
  }
  options.quantize.memory = bytes;
}

void set_checkpoint(Options& options, const Option&, std::string_view value) {
  options.quantize.checkpoint_s = option_values::number(value, 0, 3600);
}

void set_split_size(Options& options, const Option&, std::string_view value) {
  // As in gguf-split: a bare number would be a limit of a few bytes.
  const std::uint64_t bytes = option_values::size(value, 1000);
  if (is_bare(value) || bytes == 0) {
    throw Error(ErrorCode::usage, "needs a number of 1 or more and a unit",
                {.cure = "Write it as 40G or 500M"});
  }
  options.quantize.split.max_bytes = bytes;
}

void set_calibration_context(Options& options, const Option&, std::string_view value) {
  // One token has nothing to attend to; no text is longer than the other end.
  options.quantize.calibration.context = option_values::whole_number(value, 2, kMostTokens);
}

void set_calibration_chunks(Options& options, const Option&, std::string_view value) {
  options.quantize.calibration.chunks = option_values::whole_number(value, 0, kMostTokens);
}

}  // namespace sluice::option_setters
