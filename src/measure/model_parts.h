#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/gguf.h"

// What a model's tensors do, as far as measuring asks: by their names.

namespace sluice::measure {

/// Numbers of a small tensor by its name; none if there is no such tensor.
using Numbers = std::function<std::vector<float>(const std::string&)>;

/// Whether errors of a tensor are measured, or else what others' errors are compared with.
bool is_measured(const gguf::Tensor& tensor);

/// What is between the layer and `.weight`: `attn_q` of `blk.7.attn_q.weight`; empty outside of layers.
std::string_view stem_of(std::string_view tensor) noexcept;

/// The part of its layer that a tensor belongs to, by the ending of what writes to the stream for it:
/// "attn" (linear attention too), "ffn", "ffn_exps", "ffn_shexp", ...; empty: none that is known.
std::string part_of(std::string_view stem);

/// Whether a part's result, which is added to the stream, comes out of the tensor.
bool writes(std::string_view stem) noexcept;

/// Whether a part's experts are chosen or weighed by what comes out of the tensor.
bool routes(std::string_view stem) noexcept;

/// Whether a tensor's matrices are experts, of which each token goes to some only.
bool has_experts(std::string_view stem) noexcept;

/// What all experts' results together count by, were they independent and each token's weighed alike: the
/// sum of the squares of their weights.
double experts_weight(const gguf::Header& model);

/// The norm whose result a tensor's matrices are multiplied by; empty: it is something else's.
/// \param has  whether the model has a tensor
std::string norm_before(std::string_view tensor,
                        const std::function<bool(const std::string&)>& has);

/// A whole number or a real one of the architecture's metadata, as "expert_used_count"; `otherwise` if it is
/// not there.
double metadata_number(const gguf::Header& model, std::string_view key, double otherwise);

}  // namespace sluice::measure
