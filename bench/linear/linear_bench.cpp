// Floating-point operations a second of one thread: products, moments, factors, and OpenBLAS' sgemm
// on the same matrices. Arguments: rows (and columns) of the result, depth of the sums.
//
// Debian's OpenBLAS does not know the newest CPUs: OPENBLAS_CORETYPE=SkylakeX lets it use AVX-512.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

#ifdef SLUICE_OPENBLAS
#include <cblas.h>
#endif

#include "linear/moments.h"
#include "linear/products.h"
#include "support/thread_team.h"

namespace {

using namespace sluice;
using linear::ConstMatrix;

std::vector<float> normal_numbers(std::size_t count) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(count);
  for (float& number : numbers) number = normal(generator);
  return numbers;
}

void count_operations(benchmark::State& state, double each) {
  state.counters["flop/s"] = benchmark::Counter(each * static_cast<double>(state.iterations()),
                                                benchmark::Counter::kIsRate);
}

struct Product {
  explicit Product(benchmark::State& state)
      : n(static_cast<std::size_t>(state.range(0))),
        k(static_cast<std::size_t>(state.range(1))),
        a(normal_numbers(n * k)),
        b(normal_numbers(n * k)),
        out(n * n) {}

  void count(benchmark::State& state) const {
    count_operations(
        state, 2.0 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(k));
  }

  std::size_t n;
  std::size_t k;
  std::vector<float> a;
  std::vector<float> b;
  std::vector<float> out;
};

void multiply(benchmark::State& state, Isa isa) {
  Product p(state);
  ThreadTeam team;
  for ([[maybe_unused]] auto _ : state) {
    linear::multiply({p.a.data(), p.n, p.k, p.k}, ConstMatrix(p.b.data(), p.n, p.k, p.k),
                     {p.out.data(), p.n, p.n, p.n}, isa, team);
  }
  p.count(state);
}

#ifdef SLUICE_OPENBLAS
void openblas(benchmark::State& state) {
  Product p(state);
  const auto n = static_cast<int>(p.n);
  const auto k = static_cast<int>(p.k);
  for ([[maybe_unused]] auto _ : state) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, k, 1, p.a.data(), k, p.b.data(), k,
                0, p.out.data(), n);
  }
  p.count(state);
}
#endif

void moments(benchmark::State& state, Isa isa) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto tokens = static_cast<std::size_t>(state.range(1));
  const std::vector<float> x = normal_numbers(tokens * n);
  ThreadTeam team;
  linear::Moments sum(n);
  for ([[maybe_unused]] auto _ : state) sum.add({x.data(), tokens, n, n}, isa, team);
  count_operations(state, static_cast<double>(tokens * n * n));
}

void factor(benchmark::State& state, Isa isa) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::size_t tokens = n;
  const std::vector<float> x = normal_numbers(tokens * n);
  ThreadTeam team;
  for ([[maybe_unused]] auto _ : state) {
    state.PauseTiming();
    linear::Moments sum(n);
    sum.add({x.data(), tokens, n, n}, isa, team);
    state.ResumeTiming();
    benchmark::DoNotOptimize(linear::Factor::of(std::move(sum), 0.01f, isa, team));
  }
  count_operations(state, static_cast<double>(n * n * n) / 3);
}

}  // namespace

int main(int argc, char** argv) {
  const auto with_sizes = [](benchmark::internal::Benchmark* b) {
    b->Args({256, 256})->Args({512, 1024})->Args({1024, 4096})->Unit(benchmark::kMillisecond);
  };
  for (const Isa isa : supported_isas()) {
    const auto named = [&](const std::string& what, void (*run)(benchmark::State&, Isa)) {
      return benchmark::RegisterBenchmark((what + "/" + std::string(name(isa))).c_str(), run, isa);
    };
    named("multiply", multiply)->Apply(with_sizes);
    named("moments", moments)->Args({1024, 1024})->Args({4096, 512})->Unit(benchmark::kMillisecond);
    named("factor", factor)->Arg(1024)->Arg(4096)->Unit(benchmark::kMillisecond);
  }
#ifdef SLUICE_OPENBLAS
  benchmark::RegisterBenchmark("openblas", openblas)->Apply(with_sizes);
#endif
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
