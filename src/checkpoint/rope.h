#pragma once

#include <optional>
#include <vector>

#include "checkpoint/config.h"
#include "checkpoint/metadata.h"

namespace sluice::checkpoint {

/// Rotary embeddings' parameters, which config.json has in three places.
/// \returns those of full attention: `rope_theta`, `rope_type`, `factor`, `partial_rotary_factor`,
///          `original_max_position_embeddings` and what else there is
Config rope_parameters(const Config& config);

/// Writes `rope.freq_base`, `rope.scaling.*` and the like.
void rope_keys(const Config& config, Metadata& out);

/// Of a head's width what rotates: `partial_rotary_factor` of it.
std::uint64_t rotating_part(const Config& config, double otherwise);

/// The factors of `rope_freqs.weight`, half as many as a head is wide, if the positions are scaled
/// as in Llama 3.1.
std::optional<std::vector<float>> llama3_rope_factors(const Config& config);

}  // namespace sluice::checkpoint
