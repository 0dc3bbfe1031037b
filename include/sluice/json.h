#pragma once

#include <string>

#include "sluice/quantize.h"
#include "sluice/verify.h"

#pragma GCC visibility push(default)

namespace sluice {

/// A plan as JSON: `tensors` (`name`, `shape` with the row length first, `source`, `type`, `rule`,
/// `bits_per_weight`, `part`, `offset` and `size` in that output file), `parts` (`file`, `bytes`,
/// `tensors`), `missing_importance`, `notes`, `input_bytes`, `output_bytes`, `weights`. What is no
/// UTF-8 in a name is replaced.
std::string to_json(const PlanView& plan);

/// A check's findings as JSON: `good`, `findings_in_all`, `findings` (`fault`, `file`, `what`, and
/// where known `tensor`, `expert`, `first_row`, `last_row`, `offset`, `size`, `error`, `limit`),
/// `read_bytes`, `wall_s`, `tensors` (`name`, `type`, `shape`, `bytes`, `crc32`, `bad_regions`,
/// `plain_error`, which is null if there was nothing to compare with).
std::string to_json(const VerifyReport& report);

}  // namespace sluice

#pragma GCC visibility pop
