// Weights a second of one thread with error feedback: as many rows as go at once, of some columns, by
// one pass with `fast` searches, by one with `best` ones, and with two sweeps after it. What it takes to
// factor H is beside them, as weights a second of a square matrix.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "feedback/feedback.h"
#include "linear/moments.h"
#include "sluice/codec.h"
#include "support/thread_team.h"

namespace {

using namespace sluice;

constexpr float kDamping = 0.1f;

std::vector<float> normal_numbers(std::size_t count, float deviation) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = normal(generator);
  return numbers;
}

/// Of inputs that lean to their neighbours.
linear::Moments moments_of(std::size_t n) {
  const std::size_t tokens = n / 2;
  std::vector<float> x = normal_numbers(tokens * n, 1);
  for (std::size_t i = 1; i < x.size(); ++i) x[i] += 0.7f * x[i - 1];
  linear::Moments moments(n);
  ThreadTeam team;
  moments.add({x.data(), tokens, n, n}, best_isa(), team);
  return moments;
}

const linear::Factor& factor_of(std::size_t n) {
  static std::size_t size = 0;
  static std::vector<linear::Factor> last;
  if (size != n) {
    ThreadTeam team;
    last.clear();
    last.push_back(linear::Factor::of(moments_of(n), kDamping, best_isa(), team));
    size = n;
  }
  return last[0];
}

void encode(benchmark::State& state, TensorType type, Effort effort, int sweeps) {
  const auto n = static_cast<std::size_t>(state.range(0));
  constexpr std::size_t kRows = feedback::kRowsAtOnce;
  const linear::Factor& factor = factor_of(n);
  const std::vector<float> values = normal_numbers(kRows * n, 0.02f);
  std::vector<float> scratch(feedback::scratch_bytes(n) / sizeof(float));
  std::vector<std::byte> blocks(kRows * byte_size(type, n));
  const feedback::Settings settings = {
      .type = type, .effort = effort, .sweeps = sweeps, .isa = best_isa()};
  feedback::Errors errors;
  for ([[maybe_unused]] auto _ : state) {
    errors = feedback::encode_rows({values.data(), kRows, n, n}, factor, settings,
                                   reinterpret_cast<std::byte*>(scratch.data()), blocks.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(kRows * n) * state.iterations());
  state.counters["error"] = errors.error / errors.norm;
}

void factor(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  ThreadTeam team;
  for ([[maybe_unused]] auto _ : state) {
    state.PauseTiming();
    linear::Moments moments = moments_of(n);
    state.ResumeTiming();
    benchmark::DoNotOptimize(linear::Factor::of(std::move(moments), kDamping, best_isa(), team));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(n * n) * state.iterations());
}

}  // namespace

int main(int argc, char** argv) {
  for (const std::int64_t n : {1024, 4096}) {
    benchmark::RegisterBenchmark("factor", factor)->Arg(n)->Unit(benchmark::kMillisecond);
    for (const Codec& codec : codecs()) {
      if (find_feedback(codec.type) == nullptr) continue;
      const auto add = [&](const char* how, Effort effort, int sweeps) {
        const std::string name = std::string(info(codec.type).name) + "/" + how;
        benchmark::RegisterBenchmark(name.c_str(), encode, codec.type, effort, sweeps)
            ->Arg(n)
            ->Unit(benchmark::kMillisecond);
      };
      add("fast", Effort::fast, 0);
      add("best", Effort::best, 0);
      add("best, two sweeps", Effort::best, 2);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
