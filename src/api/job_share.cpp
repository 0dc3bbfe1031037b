#include "api/job_share.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "api/option_values.h"
#include "base/text.h"
#include "gguf/split.h"
#include "sluice/error.h"

namespace sluice {
namespace {

constexpr const char* kSlurmId = "SLURM_ARRAY_TASK_ID";
constexpr const char* kSlurmCount = "SLURM_ARRAY_TASK_COUNT";
constexpr const char* kSlurmLeast = "SLURM_ARRAY_TASK_MIN";
constexpr const char* kSlurmMost = "SLURM_ARRAY_TASK_MAX";
constexpr const char* kSlurmStep = "SLURM_ARRAY_TASK_STEP";
constexpr const char* kIndex = "JOB_COMPLETION_INDEX";
constexpr const char* kCompletions = "JOB_COMPLETIONS";
constexpr const char* kByHand = "Pass --part K/N";

[[noreturn]] void refuse_job(const std::string& what, const std::string& cure = kByHand) {
  throw Error(ErrorCode::usage, what, {.cure = cure});
}

/// \throws Error (usage) if it is not set, or no number
std::uint64_t number_of(const Variables& variables, const char* name, const std::string& cure) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 32;
  const std::optional<std::string> text = variables(name);
  if (!text) refuse_job(fmt::format("{} is not set", name), cure);
  try {
    return option_values::whole_number(*text, 0, kMost);
  } catch (const Error&) {
    refuse_job(fmt::format("{} is '{}', which is no number", name, printable(*text)), cure);
  }
}

ShareOptions share_of(std::uint64_t index, std::uint64_t count) {
  if (count > gguf::kMostParts) {
    refuse_job(fmt::format("{} parts are more than the {} that a split can have", count,
                           gguf::kMostParts));
  }
  return {static_cast<std::uint32_t>(index + 1), static_cast<std::uint32_t>(count)};
}

ShareOptions share_of_slurm(const Variables& variables) {
  const auto number = [&](const char* name) { return number_of(variables, name, kByHand); };
  const std::uint64_t id = number(kSlurmId);
  const std::uint64_t count = number(kSlurmCount);
  const std::uint64_t least = number(kSlurmLeast);
  const std::uint64_t most = number(kSlurmMost);
  const std::uint64_t step = variables(kSlurmStep) ? number(kSlurmStep) : 1;
  // A list, as 1,2,5, does not tell the place of a task in it.
  const bool even = count > 0 && step > 0 && most == least + (count - 1) * step && id >= least &&
                    id <= most && (id - least) % step == 0;
  if (!even) {
    refuse_job(fmt::format("task {} of a Slurm array of {} tasks from {} to {} in steps of {} has "
                           "no place in it that can be told",
                           id, count, least, most, step),
               "Give the array a range, as --array=1-8, or pass --part K/N");
  }
  return share_of((id - least) / step, count);
}

ShareOptions share_of_indexed_job(const Variables& variables) {
  const std::uint64_t index = number_of(variables, kIndex, kByHand);
  const std::uint64_t count =
      number_of(variables, kCompletions,
                fmt::format("Set it to the Job's spec.completions in the manifest (env), since "
                            "Kubernetes sets {} only",
                            kIndex));
  if (index >= count) {
    refuse_job(fmt::format("{} is {}, and {} is {}", kIndex, index, kCompletions, count),
               fmt::format("Set {} to the Job's spec.completions", kCompletions));
  }
  return share_of(index, count);
}

}  // namespace

ShareOptions parse_share(std::string_view text) {
  try {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const std::uint64_t count = option_values::whole_number(
        text.substr(std::min(slash + 1, text.size())), 1, gguf::kMostParts);
    const std::uint64_t number = option_values::whole_number(text.substr(0, slash), 1, count);
    return {static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(count)};
  } catch (const Error&) {
    throw Error(ErrorCode::usage,
                fmt::format("'{}' is no part K/N, with K from 1 to N and N to {}", printable(text),
                            gguf::kMostParts),
                {.cure = "Write it as 3/8, or auto"});
  }
}

ShareOptions share_of_job(const Variables& variables) {
  const bool slurm = variables(kSlurmId).has_value();
  const bool indexed = variables(kIndex).has_value();
  if (slurm && indexed) {
    refuse_job(fmt::format("{} and {} are both set, so that there are two parts to choose from",
                           kSlurmId, kIndex));
  }
  if (!slurm && !indexed) {
    refuse_job(
        fmt::format("neither {} nor {} is set: this is no task of a Slurm array or of a "
                    "Kubernetes indexed Job",
                    kSlurmId, kIndex));
  }
  return slurm ? share_of_slurm(variables) : share_of_indexed_job(variables);
}

}  // namespace sluice
