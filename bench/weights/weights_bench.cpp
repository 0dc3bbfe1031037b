// Weights as files hold them, on one core: how fast bands are decoded to rows, as an encoder asks
// for them, and how long it takes to find out what the bands of a large model come to.

#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "weights/decode.h"

namespace sluice::bench {
namespace {

using benchmark::Counter;
using benchmark::State;
using namespace weights;

/// Without the highest bit of each, so that few of them are coded as no numbers.
std::vector<std::byte> random_bytes(std::uint64_t size) {
  std::mt19937_64 random(2);
  std::vector<std::uint64_t> words(size / sizeof(std::uint64_t) + 1);
  for (std::uint64_t& word : words) word = random() & 0x7f7f'7f7f'7f7f'7f7f;
  const auto bytes = std::as_bytes(std::span(words));
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

/// A stored tensor, and the tensors that are made of it.
struct Example {
  const char* name;
  Stored stored;
  std::uint64_t row_elements;
  std::vector<View> views;
  std::uint64_t column_block = 256;
};

Stored matrix(Coding coding, std::uint64_t rows, std::uint64_t columns, std::uint64_t block_rows,
              std::uint64_t block_columns, Scales::Type type) {
  Stored stored{.name = {}, .place = {}, .coding = coding, .shape = {rows, columns}, .scales = {}};
  if (block_rows > 0) {
    stored.scales = Scales{.place = {},
                           .type = type,
                           .block_rows = block_rows,
                           .block_columns = block_columns,
                           .columns = columns / block_columns};
  }
  return stored;
}

std::vector<Example> examples() {
  const View rows = {0, 0, {{2048, 7168}, {7168, 1}}};
  const Stored bf16 = matrix(Coding::typed, 4096, 4096, 0, 0, {});
  const Stored gate_up = matrix(Coding::typed, 5120, 16384, 0, 0, {});
  std::vector<Example> result = {
      {"rows/f8_e4m3",
       matrix(Coding::f8_e4m3, 2048, 7168, 128, 128, Scales::Type::f32),
       7168,
       {rows}},
      {"rows/words4", matrix(Coding::words4, 2048, 7168, 1, 32, Scales::Type::bf16), 7168, {rows}},
      {"by_turns/mxfp4",
       matrix(Coding::mxfp4, 5760, 2880, 1, 32, Scales::Type::e8m0),
       2880,
       {{0, 0, {{2880, 5760}, {2880, 1}}}, {0, 2880, {{2880, 5760}, {2880, 1}}}}},
      {"rows/bf16", bf16, 4096, {{0, 0, {{4096, 4096}, {4096, 1}}}}},
      {"rotary/bf16",
       bf16,
       4096,
       {{0, 0, {{32, 128 * 4096}, {64, 4096}, {2, 64 * 4096}, {4096, 1}}}}},
      {"transposed/bf16",
       gate_up,
       5120,
       {{0, 0, {{8192, 1}, {5120, 16384}}}, {0, 8192, {{8192, 1}, {5120, 16384}}}}},
  };
  for (Example& example : result) example.stored.type = TensorType::bf16;
  return result;
}

/// Decodes all bands of at most 8 MiB, in strips of `strip` weights.
void bench_rows(State& state, const Example& example, Isa isa) {
  constexpr std::uint64_t kStrip = std::uint64_t{32} << 10;
  Weights weights{{example.stored}, {}};
  Stored& stored = weights.stored.front();
  stored.place.size = stored.rows() * stored.row_bytes();
  for (const View& view : example.views) weights.sources.push_back({{view}, Change::none, {}});
  std::vector<Wanted> wanted;
  for (const Source& source : weights.sources) {
    wanted.push_back({&source, example.row_elements, 0, example.column_block});
  }
  const std::vector<std::byte> codes = random_bytes(stored.place.size);
  const std::vector<std::byte> factors = random_bytes(stored.place.size);
  std::vector<float> out(kStrip + example.row_elements);
  for (auto _ : state) {
    BandCursor bands(weights, wanted, std::uint64_t{8} << 20);
    while (const std::optional<Band> band = bands.next()) {
      BandBytes bytes{*band, std::span(codes).subspan(band->range.offset, band->range.size), {}};
      if (band->scales) {
        bytes.scales = std::span(factors).subspan(band->scales->offset, band->scales->size);
      }
      for (const Piece& piece : band->pieces) {
        const std::uint64_t rows = std::max<std::uint64_t>(1, kStrip / piece.columns);
        for (std::uint64_t row = 0; row < piece.rows; row += rows) {
          decode_rows(weights, weights.sources[piece.wanted], bytes, piece, row,
                      std::min(rows, piece.rows - row), isa, out.data());
        }
      }
    }
    benchmark::ClobberMemory();
  }
  state.counters["stored_bytes_per_second"] =
      Counter(static_cast<double>(codes.size()), Counter::kIsIterationInvariantRate);
}

/// DeepSeek-V3: 91,000 stored tensors, most of them an expert's matrix.
struct LargeModel {
  static constexpr std::uint64_t kLayers = 58;
  static constexpr std::uint64_t kExperts = 256;

  Weights weights;
  std::vector<Wanted> wanted;

  LargeModel() {
    for (std::uint64_t layer = 0; layer < kLayers; ++layer) {
      for (int kind = 0; kind < 3; ++kind) {
        Source source;
        for (std::uint64_t expert = 0; expert < kExperts; ++expert) {
          source.views.push_back(store(2048, 7168));
        }
        weights.sources.push_back(std::move(source));
      }
      for (int kind = 0; kind < 20; ++kind)
        weights.sources.push_back({{store(7168, 2048)}, {}, {}});
    }
    for (const Source& source : weights.sources) {
      const Stored& stored = weights.stored[source.views.front().stored];
      wanted.push_back({&source, stored.columns(), stored.columns() / 5, 256});
    }
  }

 private:
  View store(std::uint64_t rows, std::uint64_t columns) {
    Stored stored = matrix(Coding::f8_e4m3, rows, columns, 128, 128, Scales::Type::f32);
    stored.place = {0, weights.stored.size() << 24, rows * columns};
    weights.stored.push_back(std::move(stored));
    return {weights.stored.size() - 1, 0, {{rows, columns}, {columns, 1}}};
  }
};

template <class Measure>
void bench_plan(State& state, const Measure& measure) {
  static const LargeModel model;
  for (auto _ : state) benchmark::DoNotOptimize(measure(model));
}

void register_all() {
  static const std::vector<Example> all = examples();
  for (const Example& example : all) {
    for (const Isa isa : supported_isas()) {
      const std::string name = std::string(example.name) + "/" + std::string(sluice::name(isa));
      benchmark::RegisterBenchmark(name.c_str(),
                                   [&, isa](State& state) { bench_rows(state, example, isa); });
    }
  }
  benchmark::RegisterBenchmark("deepseek_v3/begin", [](State& state) {
    bench_plan(state, [](const LargeModel& model) {
      return BandCursor(model.weights, model.wanted, 8 << 20).next()->elements;
    });
  })->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("deepseek_v3/needs", [](State& state) {
    bench_plan(state, [](const LargeModel& model) {
      return BandCursor::total_bytes(model.weights, model.wanted);
    });
  })->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("deepseek_v3/bands", [](State& state) {
    bench_plan(state, [](const LargeModel& model) {
      BandCursor bands(model.weights, model.wanted, 8 << 20);
      std::uint64_t count = 0;
      while (bands.next()) ++count;
      return count;
    });
  })->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  sluice::bench::register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
