#include <algorithm>
#include <cmath>

#include "base/serial_team.h"
#include "linear/functions.h"
#include "linear/products.h"
#include "model/attention.h"

namespace sluice::model {
namespace {

// Queries that are taken together: their number is the method's, since keys that none of them sees
// are left out.
constexpr std::size_t kQueries = 64;

// The tokens of one head in one sequence.
linear::ConstMatrix head_of(const linear::ConstMatrix& all, std::size_t first_token,
                            std::size_t tokens, std::size_t head, std::size_t length) {
  return {all.row(first_token) + head * length, tokens, length, all.stride};
}

struct Heads {
  const Scores& scores;
  std::uint64_t sequence_length;
  const linear::ConstMatrix& q;
  const linear::ConstMatrix& k;
  const linear::ConstMatrix& v;
  const std::vector<float>& sinks;
  const linear::Matrix& mixed;
  Isa isa;

  std::size_t stretches() const { return (sequence_length + kQueries - 1) / kQueries; }
  std::size_t tasks() const { return q.rows / sequence_length * scores.heads * stretches(); }

  void weigh(std::size_t query, std::size_t first_key, std::size_t head, float* row,
             std::size_t keys) const {
    const std::size_t begin = scores.reach.first(query) - first_key;
    const std::size_t end = query + 1 - first_key;
    std::fill(row, row + begin, 0.0F);
    std::fill(row + end, row + keys, 0.0F);
    if (scores.cap != 0) linear::soft_cap(row + begin, end - begin, scores.cap, isa);
    linear::softmax(row + begin, end - begin, sinks.empty() ? nullptr : &sinks[head], isa);
  }

  void run(std::size_t task, float* scratch) const {
    const std::size_t first_query = task % stretches() * kQueries;
    const std::size_t head = task / stretches() % scores.heads;
    const std::size_t sequence = task / stretches() / scores.heads * sequence_length;
    const std::size_t key_head = head / (scores.heads / scores.key_heads);
    const std::size_t queries = std::min(kQueries, sequence_length - first_query);
    const std::size_t first_key = scores.reach.first(first_query);
    const std::size_t keys = first_query + queries - first_key;

    SerialTeam alone;
    const linear::Matrix weights{scratch, queries, keys, keys};
    linear::multiply(head_of(q, sequence + first_query, queries, head, scores.key_length),
                     head_of(k, sequence + first_key, keys, key_head, scores.key_length), weights,
                     isa, alone);
    for (std::size_t i = 0; i < queries; ++i) {
      weigh(first_query + i, first_key, head, weights.row(i), keys);
    }
    const linear::Matrix out{mixed.row(sequence + first_query) + head * scores.value_length,
                             queries, scores.value_length, mixed.stride};
    for (std::size_t i = 0; i < queries; ++i) std::fill_n(out.row(i), out.columns, 0.0F);
    linear::add_product(weights,
                        head_of(v, sequence + first_key, keys, key_head, scores.value_length), out,
                        isa, alone);
  }
};

}  // namespace

std::uint64_t Reach::first(std::uint64_t p) const {
  switch (kind) {
    case Kind::window:
      return p + 1 > positions ? p + 1 - positions : 0;
    case Kind::stretch:
      return p / positions * positions;
    case Kind::all:
      break;
  }
  return 0;
}

std::uint64_t attention_bytes(std::uint64_t sequence_length) {
  return kQueries * sequence_length * sizeof(float);
}

void attend(const Scores& scores, std::uint64_t sequence_length, const linear::Matrix& q,
            const linear::ConstMatrix& k, const linear::ConstMatrix& v,
            const std::vector<float>& sinks, const linear::Matrix& mixed, Isa isa, Team& team) {
  for_rows(team, q.rows, [&](std::size_t t) {
    for (std::size_t i = 0; i < q.columns; ++i) q.row(t)[i] *= scores.scale;
  });
  const linear::ConstMatrix queries(q);
  const Heads of_heads{scores, sequence_length, queries, k, v, sinks, mixed, isa};
  const std::uint64_t bytes = attention_bytes(sequence_length);
  const PageBuffer scratch(bytes * static_cast<std::uint64_t>(team.threads()));
  team.run(of_heads.tasks(), [&](std::size_t task, int worker) {
    std::byte* const own = scratch.bytes().data() + bytes * static_cast<std::uint64_t>(worker);
    of_heads.run(task, reinterpret_cast<float*>(own));
  });
}

Temperature temperature_of(const Metadata& model, std::uint64_t stretch) {
  const Temperature temperature{.scale = model.number("attention.temperature_scale", 0),
                                .stretch = static_cast<double>(stretch)};
  if (temperature.scale != 0 && stretch == 0) {
    throw model.error(ErrorCode::input_format,
                      "its queries grow with the context, whose length is missing");
  }
  return temperature;
}

float Temperature::at(std::uint64_t position) const {
  const double stretches = std::floor((static_cast<double>(position) + offset) / stretch);
  return static_cast<float>(std::log(stretches + 1) * scale + 1);
}

}  // namespace sluice::model
