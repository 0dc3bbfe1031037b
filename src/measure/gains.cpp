#include "measure/gains.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <vector>

#include "recipe/tensor_kind.h"

namespace sluice::measure {
namespace {

// Mean square of the stream over the sum of powers that takes columns of inputs for uncorrelated, and how
// much of a change of the logits is a divergence: half its mean square, less what falls on one token alone,
// which most of the probability has. Measured in three small models: bench/notes/measuring.md.
constexpr double kCorrelation = 6;
constexpr double kSpread = 1.0 / 3;

/// Mean of silu(g)^2 for a normal g of this mean square.
double mean_square_of_silu(double mean_square) {
  constexpr int kSteps = 64;  // over four deviations to either side: right to four digits
  const double deviation = std::sqrt(mean_square);
  double sum = 0;
  double weights = 0;
  for (int i = -kSteps; i <= kSteps; ++i) {
    const double z = 4.0 * i / kSteps;
    const double g = deviation * z;
    const double silu = g / (1 + std::exp(-g));
    const double weight = std::exp(-z * z / 2);
    sum += weight * silu * silu;
    weights += weight;
  }
  return sum / weights;
}

/// A part of a layer: what adds to the stream together.
struct Part {
  std::vector<std::string> tensors;
  double power = 0;    // that it adds
  double columns = 0;  // of the matrix that writes for it
  double readers = 0;  // matrices, as large as it is long, that each pass a change of the stream on
};

/// Reckons by layers, the first to the last.
class Reckoner {
 public:
  Reckoner(const GainFacts& facts, Measurements& measurements)
      : facts_(facts), tensors_(measurements.tensors) {
    for (const gguf::Tensor& tensor : facts.model.tensors) {
      if (!tensors_.contains(tensor.name)) continue;
      of_model_[tensor.name] = &tensor;
      const std::uint64_t rows = tensor.elements() / tensor.row_elements();
      rows_[tensor.name] = has_experts(stem_of(tensor.name))
                               ? static_cast<double>(tensor.shape[1]) * experts_weight(facts.model)
                               : static_cast<double>(rows);
      const int layer = recipe::layer_of(tensor.name);
      if (layer < 0) {
        TensorMeasures& measures = tensors_[tensor.name];
        measures.gain = measures.power > 0 ? 1 / measures.power : 0;
        continue;
      }
      parts_[layer][part_of(stem_of(tensor.name))].tensors.push_back(tensor.name);
    }
    find_powers();
  }

  void reckon() {
    double stream = embedding_power();
    for (auto& [layer, parts] : parts_) stream = reckon_layer(parts, stream);
    if (const auto found = tensors_.find(output()); found != tensors_.end()) {
      TensorMeasures& measures = found->second;
      if (!tied()) measures.gain = 0;
      if (measures.power > 0) measures.gain += kCorrelation / measures.power;
    }
  }

  /// Mean square of the logits.
  double logits() const { return tensors_.contains(output()) ? mean_power(output()) : 1; }

 private:
  const GainFacts& facts_;
  std::map<std::string, TensorMeasures>& tensors_;
  std::map<std::string, const gguf::Tensor*> of_model_;
  std::map<std::string, double> rows_;
  std::map<int, std::map<std::string, Part>> parts_;  // by layer and name

  bool tied() const { return !tensors_.contains("output.weight"); }
  std::string output() const { return tied() ? "token_embd.weight" : "output.weight"; }

  /// \param before  mean square of the stream before the layer
  /// \return that after it
  double reckon_layer(const std::map<std::string, Part>& parts, double before) {
    double attention = 0;
    double networks = 0;
    double again = 0;  // what the networks make of a change, for each that they add
    for (const auto& [name, part] : parts) {
      (name == "attn" ? attention : networks) += part.power;
      if (name != "attn") again += part.readers * part.power;
    }
    const double between = before + attention;
    const double after = between + networks;
    const double through = between > 0 ? 1 + again / between : 1;
    for (const auto& [name, part] : parts) {
      // What belongs to no known part is taken to be in all that the layer adds.
      const double power = part.power > 0 ? part.power : attention + networks;
      for (const std::string& tensor : part.tensors) {
        // Queries, keys and values in one matrix: what comes out changes by the error of each.
        const double times = stem_of(tensor) == "attn_qkv" ? 3 : 1;
        set_gain(tensor, times * (name == "attn" ? through : 1) * power, after);
      }
    }
    if (&parts == &parts_.begin()->second) set_gain("token_embd.weight", between * through, after);
    return after;
  }

  /// Of an output.
  double mean_power(const std::string& tensor) const {
    const double rows = rows_.at(tensor);
    return rows > 0 ? tensors_.at(tensor).power / rows : 0;
  }

  double embedding_power() const {
    if (!tensors_.contains("token_embd.weight")) return 0;
    const gguf::Value* const architecture = facts_.model.find("general.architecture");
    const std::string name = architecture ? architecture->as_string().value_or("") : "";
    const double width = metadata_number(facts_.model, "embedding_length", 1);
    const double usual = name.starts_with("gemma") ? std::sqrt(width) : 1;
    const double scale = metadata_number(facts_.model, "embedding_scale", usual);
    return mean_power("token_embd.weight") * scale * scale;
  }

  void find_powers() {
    for (auto& [layer, parts] : parts_) {
      for (auto& [name, part] : parts) {
        for (const std::string& tensor : part.tensors) {
          if (!writes(stem_of(tensor))) continue;
          part.power += written(layer, part, tensor);
          part.columns = static_cast<double>(of_model_.at(tensor)->row_elements());
        }
        for (const std::string& tensor : part.tensors) {
          const std::string_view stem = stem_of(tensor);
          if (part.columns == 0 || writes(stem) || routes(stem)) continue;
          part.readers += static_cast<double>(of_model_.at(tensor)->shape[1]) / part.columns;
        }
      }
    }
  }

  /// Mean square of what a tensor adds to the stream.
  double written(int layer, const Part& part, const std::string& tensor) const {
    const bool attention = !stem_of(tensor).starts_with("ffn_");
    const auto norm = [&](const char* name) { return norm_squares(layer, name); };
    // Between two norms what is written has the second one's size; of some models it is the one that
    // the feed-forward network reads through.
    const bool framed = norm("ffn_norm") > 0;
    const double after = !framed     ? 0
                         : attention ? norm("post_attention_norm")
                                     : norm("post_ffw_norm");
    if (after > 0) return after;
    const double power = tensors_.at(tensor).typical_power;
    if (facts_.squares_known(tensor)) return power;
    return power * (stem_of(tensor) == "ssm_out" ? gated_square(layer, part)
                                                 : inner_square(part, attention));
  }

  /// The sum of the squares of a norm's numbers; 0 where there is none.
  double norm_squares(int layer, const char* name) const {
    double sum = 0;
    for (const float g : facts_.norms(fmt::format("blk.{}.{}.weight", layer, name))) {
      sum += static_cast<double>(g) * g;
    }
    return sum;
  }

  /// The same of linear attention, whose heads go through a norm and are weighed by a gate's silu.
  double gated_square(int layer, const Part& part) const {
    const std::vector<float> norm = facts_.norms(fmt::format("blk.{}.ssm_norm.weight", layer));
    const std::string gate = fmt::format("blk.{}.attn_gate.weight", layer);
    if (norm.empty() || !of_model_.contains(gate)) return inner_square(part, true);
    return norm_squares(layer, "ssm_norm") / static_cast<double>(norm.size()) *
           mean_square_of_silu(mean_power(gate));
  }

  /// What the mean square of a part's results is likely to be, where no importance is known.
  double inner_square(const Part& part, bool attention) const {
    double gate = 0;
    double up = 0;
    double value = 0;
    for (const std::string& tensor : part.tensors) {
      const std::string_view stem = stem_of(tensor);
      if (routes(stem)) continue;
      double& square = stem.starts_with("ffn_gate") ? gate
                       : stem.starts_with("ffn_up") ? up
                                                    : value;
      if (!attention || stem == "attn_v" || stem == "attn_qkv") square = mean_power(tensor);
    }
    if (attention) return value > 0 ? value : 1;
    if (gate > 0 && up > 0) return mean_square_of_silu(gate) * up;
    return mean_square_of_silu(std::max(gate, up));
  }

  void set_gain(const std::string& tensor, double change, double stream) {
    const auto found = tensors_.find(tensor);
    if (found == tensors_.end()) return;
    TensorMeasures& measures = found->second;
    const double whole = stream * measures.power;
    measures.gain = whole > 0 ? change / whole : 0;
  }
};

}  // namespace

void add_gains(const GainFacts& facts, Measurements& measurements) {
  Reckoner reckoner(facts, measurements);
  reckoner.reckon();
  measurements.divergence_per_change = kSpread * reckoner.logits() / 2 / kCorrelation;
}

}  // namespace sluice::measure
