#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "sluice/compare.h"
#include "sluice/forecast.h"
#include "sluice/imatrix.h"
#include "sluice/inspect.h"
#include "sluice/mix_choice.h"
#include "sluice/quantize.h"
#include "sluice/verify.h"

#pragma GCC visibility push(default)

namespace sluice {

// All are UTF-8, with what is none in a name replaced. Numbers that are not finite are null.

/// A plan as JSON: `tensors` (`name`, `shape` with the row length first, `source`, `stored_as`, `type`,
/// `asked` if that is another, `rule`, `lacks_importance`, `bits_per_weight`, `part`, `offset` and
/// `size` in that output file), `parts` (`file`, `bytes`, `tensors`), `missing_importance`, `notes`, `input_bytes`, `output_bytes`, `weights`,
/// for a size `mix`: what was chosen.
std::string to_json(const PlanView& plan);

/// A check's findings as JSON: `good`, `findings_in_all`, `findings` (`fault`, `file`, `what`, and
/// where known `tensor`, `expert`, `first_row`, `last_row`, `offset`, `size`, `error`, `limit`),
/// `read_bytes`, `cached_bytes`, `wall_s`, `io`, `isa`, `threads`, `spindle` ("shared" or
/// "separate"), `tensors` (`name`, `type`, `shape`, `bytes`, `crc32`, `bad_regions`, `plain_error`, which is null if there
/// was nothing to compare with, `all_zero`).
std::string to_json(const VerifyReport& report);

/// A forecast: what a plan has, and `bits_per_weight`, `disk` (`folder`, `needed`, `allocated`,
/// `still_needed`, `free` or null, `enough`), `earlier_run` (`found`, `done_bytes`, `done_share`, `refused`),
/// `memory` (`budget`, `least`, `most`, `threads`, `enough`), `spindle` ("shared" or "separate"),
/// `spindle_reason`, `time`, which is null without an estimate (`seconds`, `limit`, `disk_s`,
/// `cores_s`, `read_bytes_per_s`, `conversions`: `source`, `type`, `weights`, `weights_per_s`,
/// `made_up`, which is null or why; with a text `calibration`: `forward_s`, `moments_s`, `factors_s`,
/// `feedback_s`; where something is left to be measured for a size `measuring`: `seconds`, `disk_s`,
/// `forward_s`, `encoding_s`, `errors_s`, `moments_s`).
std::string to_json(const Forecast& forecast);

/// A run's report: the members of RunReport by their names, texts that are empty as null, but for
/// `spindle` ("shared" or "separate") and `spindle_reason`; `total_error` (`weighted`, `plain`,
/// `measured_weights`, `weights`) or null; for a size `mix`: what was chosen; `parts` as of a plan, `tensors` (`name`, `source`, `stored_as`,
/// `type`, `asked` if that is another, `shape`, `bytes`, `crc32`, `weighted_error`, `plain_error`,
/// `weighted_power`, `plain_power`, `lacks_importance`, `beyond_range`, `all_zero`), `samples` (`t`, `read`, `written`, `weights`, `disk`, `cores`,
/// `budget`, `limit`).
std::string to_json(const RunReport& report);

/// The best mix for a size: `bytes`, `divergence`, `measured`, `file`, `file_type`, `tensors` (`name`, `types`: by rising
/// bytes `type`, `bytes`, `divergence`; `chosen`: an index in them, `rule`, `kept`), `frontier` and `mixes` (`name`, empty
/// in the first, `bytes`, `divergence`).
std::string to_json(const MixChoice& choice);

/// A comparison: `identical`, `complete`, `total_error` (whose `weighted` is null) and `worst` as of
/// a report, `read_bytes`, `cached_bytes`, `wall_s`, `io`, `isa`, `threads` and `spindle` as of a check, `tensors`
/// (`name`, `a` and `b`, each `type`, `shape` and `bytes`, or null; where known `error`, `power`,
/// `cosine`, `max_absolute`, `not_finite`, `differing_bytes`, `why_not`).
std::string to_json(const Comparison& comparison);

/// What became of an importance matrix: the members of ImatrixReport by their names, texts that are
/// empty as null; `quiet_experts` (`layer`, `expert`, `tokens`).
std::string to_json(const ImatrixReport& report);

/// What the headers of a model say: `files` (`path`, `size`, `format`: "GGUF" or "safetensors";
/// of GGUF `version`, `alignment`, `data_offset`), `notes`, `tensor_count`, `weights`, `data_bytes`, `bits_per_weight`; `metadata`
/// (by key `type`, of an array `element` and `count`, `value`), `tensors` (`name`, `shape`, `type`,
/// `size`, `size_known`: false, only where the type's layout is not known, so that the size is the
/// most that it can be; `stored_as`, of a checkpoint only; `file`, `offset`) and `types` (by name `tensors`, `weights`, `bytes`), as
/// far as they are told.
/// \param most_elements  of an array: the first so many
std::string to_json(const Inspection& model,
                    std::uint64_t most_elements = std::numeric_limits<std::uint64_t>::max());

}  // namespace sluice

#pragma GCC visibility pop
