#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/share.h"

namespace sluice {

/// A variable of the environment; none: it is not set.
using Variables = std::function<std::optional<std::string>(const char* name)>;

/// Reads `K/N`, 1 <= K <= N <= 65535.
/// \throws Error (usage)
ShareOptions parse_share(std::string_view text);

/// Which part a job's variables say: of a Slurm array `SLURM_ARRAY_TASK_ID`, `_COUNT`, `_MIN`, `_MAX`
/// and `_STEP`; of a Kubernetes indexed Job `JOB_COMPLETION_INDEX`, from 0, and `JOB_COMPLETIONS`,
/// which its manifest must set, as Kubernetes tells the index only.
/// \throws Error (usage) if there are neither or both, or what they say does not go together
ShareOptions share_of_job(const Variables& variables);

}  // namespace sluice
