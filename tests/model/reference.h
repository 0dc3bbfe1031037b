#pragma once

// The same models calculated a second time, as plainly as can be: token by token, in double, with
// nothing of src/model or src/linear.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/reference_delta.h"
#include "support/gguf_weights.h"

namespace sluice::model_tests {

using Row = std::vector<double>;

struct Calculated {
  std::vector<Row> logits;                         ///< after each token
  std::map<std::string, std::vector<Row>> inputs;  ///< what each matrix is multiplied by
};

/// What one family does otherwise than another.
struct Reference {
  std::uint32_t layers = 0;
  std::size_t heads = 4;
  std::size_t key_heads = 2;
  std::size_t length = 16;  ///< of a head
  std::size_t turned = 0;   ///< numbers of a head that know positions; 0: all
  bool neighbours = false;
  double position_scale = 1;
  std::function<double(std::uint32_t layer)> base = [](std::uint32_t) { return 10000.0; };
  std::function<std::size_t(std::uint32_t layer)> window = [](std::uint32_t) { return 1u << 30; };
  double score_cap = 0;
  double logit_cap = 0;
  bool gelu = false;
  bool scaled_embedding = false;
  std::optional<ReferenceDelta> delta = {};  ///< then attention has gates

  /// Of one sequence.
  Calculated calculate(testing_support::GgufWeights& weights,
                       const std::vector<std::int32_t>& ids) const;
};

namespace reference {

inline Row multiply(const std::vector<float>& matrix, const Row& x,
                    const std::vector<float>& bias) {
  Row y(matrix.size() / x.size());
  for (std::size_t r = 0; r < y.size(); ++r) {
    for (std::size_t c = 0; c < x.size(); ++c) y[r] += matrix[r * x.size() + c] * x[c];
    if (!bias.empty()) y[r] += bias[r];
  }
  return y;
}

inline Row norm(const std::vector<float>& weights, Row x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  const double scale = 1 / std::sqrt(sum / static_cast<double>(x.size()) + 1e-5);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] *= scale * weights[i];
  return x;
}

inline double cap(double x, double limit) {
  return limit == 0 ? x : limit * std::tanh(x / limit);
}

/// One model's weights, and what is calculated of them.
class Calculation {
 public:
  Calculation(const Reference& family, testing_support::GgufWeights& weights)
      : family_(family), weights_(weights) {}

  Calculated run(const std::vector<std::int32_t>& ids) {
    std::vector<Row> stream;
    const std::vector<float> embedding = numbers("token_embd.weight");
    const std::size_t width = numbers("output_norm.weight").size();
    for (const std::int32_t id : ids) {
      const auto first = embedding.begin() + id * static_cast<std::ptrdiff_t>(width);
      stream.emplace_back(first, first + static_cast<std::ptrdiff_t>(width));
      if (!family_.scaled_embedding) continue;
      for (double& v : stream.back()) v *= std::sqrt(static_cast<double>(width));
    }
    for (layer_ = 0; layer_ < family_.layers; ++layer_) {
      if (family_.delta && family_.delta->has(layer_)) {
        delta_net(stream);
      } else {
        attention(stream);
      }
      const char* const before = family_.delta ? "post_attention_norm.weight" : "ffn_norm.weight";
      for (Row& x : stream) add(x, feed_forward(norm(of_layer(before), x)), "post_ffw_norm.weight");
    }
    const std::string output = weights_.has("output.weight") ? "output" : "token_embd";
    for (Row& x : stream) {
      x = project(output, norm(numbers("output_norm.weight"), x));
      for (double& v : x) v = cap(v, family_.logit_cap);
    }
    return {stream, inputs_};
  }

 private:
  std::vector<float> numbers(const std::string& name) {
    return weights_.has(name) ? weights_.numbers(name) : std::vector<float>();
  }
  std::string blk(const std::string& name) const {
    return "blk." + std::to_string(layer_) + "." + name;
  }
  std::vector<float> of_layer(const std::string& name) { return numbers(blk(name)); }
  Row project(const std::string& name, const Row& x) {
    inputs_[name + ".weight"].push_back(x);
    return multiply(numbers(name + ".weight"), x, numbers(name + ".bias"));
  }

  void add(Row& x, Row y, const std::string& after) {
    if (const std::vector<float> weights = of_layer(after); !weights.empty()) y = norm(weights, y);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }

  Row feed_forward(const Row& x) {
    Row gate = project(blk("ffn_gate"), x);
    const Row up = project(blk("ffn_up"), x);
    for (std::size_t i = 0; i < gate.size(); ++i) {
      const double g = gate[i];
      const double active =
          family_.gelu
              ? 0.5 * g * (1 + std::tanh(std::sqrt(2 / std::acos(-1)) * (g + 0.044715 * g * g * g)))
              : g / (1 + std::exp(-g));
      gate[i] = active * up[i];
    }
    return project(blk("ffn_down"), gate);
  }

  /// Heads of one token's queries or keys, after norms and turned.
  std::vector<Row> heads(const Row& all, const std::string& norm_name, std::size_t position) {
    const std::vector<float> weights = of_layer(norm_name);
    const std::vector<float> factors = numbers("rope_freqs.weight");
    const std::size_t half = (family_.turned == 0 ? family_.length : family_.turned) / 2;
    std::vector<Row> out;
    for (std::size_t first = 0; first < all.size(); first += family_.length) {
      Row head(all.begin() + static_cast<std::ptrdiff_t>(first),
               all.begin() + static_cast<std::ptrdiff_t>(first + family_.length));
      if (!weights.empty()) head = norm(weights, head);
      for (std::size_t i = 0; i < half; ++i) {
        const double angle =
            static_cast<double>(position) * family_.position_scale *
            std::pow(family_.base(layer_), -static_cast<double>(i) / static_cast<double>(half)) /
            (factors.empty() ? 1 : factors[i]);
        double& a = head[family_.neighbours ? 2 * i : i];
        double& b = head[family_.neighbours ? 2 * i + 1 : i + half];
        const double turned = a * std::cos(angle) - b * std::sin(angle);
        b = a * std::sin(angle) + b * std::cos(angle);
        a = turned;
      }
      out.push_back(std::move(head));
    }
    return out;
  }

  void attention(std::vector<Row>& stream) {
    std::vector<std::vector<Row>> q, k;
    std::vector<Row> v;
    std::vector<Row> gates;
    for (std::size_t t = 0; t < stream.size(); ++t) {
      const Row x = norm(of_layer("attn_norm.weight"), stream[t]);
      Row asked = project(blk("attn_q"), x);
      if (family_.delta) gates.push_back(take_gates(asked));
      q.push_back(heads(asked, "attn_q_norm.weight", t));
      k.push_back(heads(project(blk("attn_k"), x), "attn_k_norm.weight", t));
      v.push_back(project(blk("attn_v"), x));
    }
    for (std::size_t t = 0; t < stream.size(); ++t) {
      Row mixed(family_.heads * family_.length);
      for (std::size_t h = 0; h < family_.heads; ++h) mix(q[t][h], k, v, t, h, mixed);
      if (family_.delta) {
        for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] *= sigmoid(gates[t][i]);
      }
      add(stream[t], project(blk("attn_output"), mixed),
          family_.delta ? "none" : "post_attention_norm.weight");
    }
  }

  /// Every second head is a gate.
  Row take_gates(Row& asked) const {
    Row queries, gates;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      (i / family_.length % 2 == 0 ? queries : gates).push_back(asked[i]);
    }
    asked = queries;
    return gates;
  }

  void delta_net(std::vector<Row>& stream) {
    const ReferenceDelta& family = *family_.delta;
    std::vector<Row> mixed, gates, given(stream.size());
    std::vector<Row> fades(family.value_heads), rates(family.value_heads);
    for (const Row& before : stream) {
      const Row x = norm(of_layer("attn_norm.weight"), before);
      mixed.push_back(project(blk("attn_qkv"), x));
      gates.push_back(project(blk("attn_gate"), x));
      add_rates(x, fades, rates);
    }
    mixed = convolved(mixed, of_layer("ssm_conv1d.weight"), family.taps);
    for (std::size_t h = 0; h < family.value_heads; ++h) {
      const Rows head = head_of(family, h, mixed, fades[h], rates[h]);
      for (std::size_t t = 0; t < head.size(); ++t) {
        for (const double v : norm(of_layer("ssm_norm.weight"), head[t])) {
          const double gate = gates[t][given[t].size()];
          given[t].push_back(v * gate * sigmoid(gate));
        }
      }
    }
    for (std::size_t t = 0; t < stream.size(); ++t) {
      add(stream[t], project(blk("ssm_out"), given[t]), "none");
    }
  }

  /// One token's, of each value head.
  void add_rates(const Row& x, std::vector<Row>& fades, std::vector<Row>& rates) {
    const std::size_t heads = fades.size();
    Row all(2 * heads);  // rates, then what fades are made of
    if (weights_.has(blk("ssm_ba.weight"))) {
      const Row joined = project(blk("ssm_ba"), x);
      const std::size_t shared = heads / family_.delta->key_heads;
      for (std::size_t i = 0; i < joined.size(); ++i) {
        const std::size_t group = i / (2 * shared);
        const std::size_t within = i % (2 * shared);
        all[group * shared + within % shared + within / shared * heads] = joined[i];
      }
    } else {
      all = project(blk("ssm_beta"), x);
      const Row second = project(blk("ssm_alpha"), x);
      all.insert(all.end(), second.begin(), second.end());
    }
    const std::vector<float> bias = of_layer("ssm_dt.bias");
    const std::vector<float> decay = of_layer("ssm_a");
    for (std::size_t h = 0; h < heads; ++h) {
      rates[h].push_back(sigmoid(all[h]));
      fades[h].push_back(decay[h] * std::log(1 + std::exp(all[heads + h] + bias[h])));
    }
  }

  void mix(const Row& q, const std::vector<std::vector<Row>>& k, const std::vector<Row>& v,
           std::size_t t, std::size_t h, Row& mixed) {
    const std::size_t from = h / (family_.heads / family_.key_heads);
    double sum = 0;
    Row weights(t + 1);
    for (std::size_t s = 0; s <= t; ++s) {
      if (s + family_.window(layer_) <= t) continue;
      double score = 0;
      for (std::size_t i = 0; i < q.size(); ++i) score += q[i] * k[s][from][i];
      score /= std::sqrt(static_cast<double>(q.size()));
      sum += weights[s] = std::exp(cap(score, family_.score_cap));
    }
    for (std::size_t s = 0; s <= t; ++s) {
      for (std::size_t i = 0; i < family_.length; ++i) {
        mixed[h * family_.length + i] += weights[s] / sum * v[s][from * family_.length + i];
      }
    }
  }

  const Reference& family_;
  testing_support::GgufWeights& weights_;
  std::map<std::string, std::vector<Row>> inputs_;
  std::uint32_t layer_ = 0;
};

}  // namespace reference

inline Calculated Reference::calculate(testing_support::GgufWeights& weights,
                                       const std::vector<std::int32_t>& ids) const {
  return reference::Calculation(*this, weights).run(ids);
}

}  // namespace sluice::model_tests
