// Speed and error of the codecs, beside those of other quantizers in the same run. See README.md.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/distortion.h"
#include "codec/published.h"
#include "instruction_count.h"
#include "peer.h"
#include "rows.h"
#include "sluice/codec.h"
#include "table.h"

namespace sluice::bench {
namespace {

using benchmark::Counter;
using benchmark::State;
using Blocks = PageVector<std::byte>;

bool count_instructions_too = false;

PageVector<float> decode(TensorType type, const Blocks& blocks) {
  PageVector<float> values(Rows::kElements);
  decode_rows(*find_codec(type), blocks.data(), values.size(), Rows::kRowElements, values.data());
  return values;
}

/// The refit error under the weights that the search for IQ1_M minimises: (q + mean(q) / 5) times
/// sqrt(6 mean(x^2) + x^2), q the importance, means over the super-block.
double searched_error(const PageVector<float>& decoded) {
  constexpr std::size_t kSuperBlock = 256;
  std::vector<float> weights(Rows::kElements);
  for (std::size_t start = 0; start < Rows::kElements; start += kSuperBlock) {
    const float* x = rows().values.data() + start;
    const float* q = rows().importance.data() + start % Rows::kRowElements;
    double squares = 0;
    double importance = 0;
    for (std::size_t i = 0; i < kSuperBlock; ++i) {
      squares += double{x[i]} * double{x[i]};
      importance += double{q[i]};
    }
    for (std::size_t i = 0; i < kSuperBlock; ++i) {
      const double spread = std::sqrt(6 * squares / kSuperBlock + double{x[i]} * double{x[i]});
      weights[start + i] = static_cast<float>((q[i] + importance / kSuperBlock / 5) * spread);
    }
  }
  return testing_support::refit_error(rows().values, decoded, weights);
}

void count_weights(State& state, double bytes_per_weight, std::size_t weights) {
  state.counters["weights_per_second"] =
      Counter(static_cast<double>(weights), Counter::kIsIterationInvariantRate);
  state.counters["bytes_per_weight"] = bytes_per_weight;
}

void count_weights(State& state, TensorType type, std::size_t weights) {
  count_weights(state, bits_per_weight(type) / 8, weights);
}

/// Times `encode`, which fills blocks for all rows; then measures the error of what it left.
void time_encoder(State& state, TensorType type, const std::function<void(Blocks&)>& encode) {
  Blocks blocks(byte_size(type, Rows::kElements, Rows::kRowElements));
  encode(blocks);  // whatever is done once only, and page faults
  for (auto _ : state) {
    encode(blocks);
    benchmark::ClobberMemory();
  }
  count_weights(state, type, Rows::kElements);
  const PageVector<float> decoded = decode(type, blocks);
  state.counters["weighted_error"] =
      testing_support::weighted_error(rows().values, decoded, rows().importance);
  state.counters["refit_error"] =
      testing_support::refit_error(rows().values, decoded, rows().importance);
  if (type == TensorType::iq1_m) state.counters["searched_error"] = searched_error(decoded);
}

EncodeRows input(Effort effort, std::size_t row_count = Rows::kRows) {
  return {.values = rows().values.data(),
          .rows = row_count,
          .row_elements = Rows::kRowElements,
          .importance = rows().importance.data(),
          .effort = effort};
}

/// Over 8 super-blocks, with the best kernels. Slow, so counted only once for each encoder.
double instructions_per_weight(const Codec& codec, Effort effort) {
  static std::map<std::pair<TensorType, Effort>, double> known;
  const auto [entry, first] = known.try_emplace({codec.type, effort});
  if (!first) return entry->second;
  EncodeRows few = input(effort, info(codec.type).rows);
  few.row_elements = 2048;
  const std::size_t weights = few.rows * few.row_elements;
  Blocks blocks(byte_size(codec.type, weights, few.row_elements));
  const auto encode = [&] { codec.encode(few, blocks.data()); };
  encode();  // whatever is done once only
  const auto count = static_cast<double>(count_instructions(encode));
  return entry->second = count / static_cast<double>(weights);
}

void bench_encode(State& state, const Codec& codec, Effort effort) {
  time_encoder(state, codec.type,
               [&](Blocks& blocks) { codec.encode(input(effort), blocks.data()); });
  if (count_instructions_too && &codec == find_codec(codec.type)) {
    state.counters["instructions_per_weight"] = instructions_per_weight(codec, effort);
  }
}

void bench_peer(State& state, const Peer& peer, TensorType type) {
  peer.prepare(type);
  time_encoder(state, type, [&](Blocks& blocks) {
    peer.encode(type, rows().values.data(), Rows::kRows, Rows::kRowElements,
                rows().importance.data(), blocks.data());
  });
}

/// Blocks of the rows, or of random bytes if the type is only read.
Blocks blocks_of(const Codec& codec) {
  Blocks blocks(byte_size(codec.type, Rows::kElements, Rows::kRowElements));
  if (codec.encode != nullptr) {
    codec.encode(input(Effort::fast), blocks.data());
  } else {
    std::mt19937_64 random(2);
    for (std::byte& byte : blocks) byte = static_cast<std::byte>(random());
  }
  return blocks;
}

void bench_decode(State& state, const Codec& codec) {
  const Blocks blocks = blocks_of(*find_codec(codec.type));
  PageVector<float> values(Rows::kElements);
  for (auto _ : state) {
    decode_rows(codec, blocks.data(), values.size(), Rows::kRowElements, values.data());
    benchmark::ClobberMemory();
  }
  count_weights(state, codec.type, Rows::kElements);
}

struct Coding {
  const char* name;
  DecodeCodesFunction CodeDecoders::*decode;
  std::size_t in_byte;  ///< codes
  std::size_t run;      ///< codes of one factor, as checkpoints have them
};

constexpr Coding kCodings[] = {
    {"f8_e4m3", &CodeDecoders::f8_e4m3, 1, 128}, {"f8_e5m2", &CodeDecoders::f8_e5m2, 1, 128},
    {"int8", &CodeDecoders::int8, 1, 128},       {"words4", &CodeDecoders::words4, 2, 32},
    {"words8", &CodeDecoders::words8, 1, 32},    {"mxfp4", &CodeDecoders::mxfp4, 2, 32},
};

/// Random codes in cache to values, run by run.
void bench_published(State& state, const Coding& coding, Isa isa) {
  const DecodeCodesFunction decode = code_decoders(isa).*coding.decode;
  std::mt19937_64 random(2);
  Blocks codes(Rows::kElements / coding.in_byte);
  for (std::byte& byte : codes) byte = static_cast<std::byte>(random());
  PageVector<float> values(Rows::kElements);
  const auto decode_first = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; i += coding.run) {
      decode(codes.data(), i, coding.run, 0.01f, values.data() + i);
    }
  };
  for (auto _ : state) {
    decode_first(values.size());
    benchmark::ClobberMemory();
  }
  count_weights(state, 1.0 / static_cast<double>(coding.in_byte), values.size());
  if (!count_instructions_too) return;
  constexpr std::size_t kFew = 2048;
  const auto count = static_cast<double>(count_instructions([&] { decode_first(kFew); }));
  state.counters["instructions_per_weight"] = count / kFew;
}

/// What a quantization run does: BF16 from memory, a tile at a time through the cache, to blocks.
void bench_convert(State& state, const Codec& codec, Isa isa) {
  constexpr std::size_t kTiles = 256;  // 64 MB, more than caches hold
  const Codec& source = *find_codec(TensorType::bf16, isa);
  const Blocks tile = blocks_of(source);
  Blocks in;
  for (std::size_t i = 0; i < kTiles; ++i) in.insert(in.end(), tile.begin(), tile.end());
  const std::size_t tile_bytes = byte_size(codec.type, Rows::kElements, Rows::kRowElements);
  Blocks out(kTiles * tile_bytes);
  PageVector<float> values(Rows::kElements);
  EncodeRows encoder_input = input(Effort::best);
  encoder_input.values = values.data();
  const auto convert = [&] {
    for (std::size_t i = 0; i < kTiles; ++i) {
      source.decode(in.data() + i * tile.size(), values.data(), values.size());
      codec.encode(encoder_input, out.data() + i * tile_bytes);
    }
    benchmark::ClobberMemory();
  };
  convert();  // The first time memory is looked at takes as long again.
  for (auto _ : state) convert();
  count_weights(state, codec.type, kTiles * Rows::kElements);
  state.counters["bytes_per_second"] =
      Counter(static_cast<double>(in.size() + out.size()), Counter::kIsIterationInvariantRate);
}

/// How fast a core copies memory: the limit of anything that reads and writes it.
void bench_copy(State& state) {
  constexpr std::size_t kBytes = std::size_t{128} << 20;
  const Blocks in(kBytes, std::byte{1});
  Blocks out(kBytes);
  for (auto _ : state) {
    std::memcpy(out.data(), in.data(), kBytes);
    benchmark::ClobberMemory();
  }
  state.counters["bytes_per_second"] = Counter(2.0 * kBytes, Counter::kIsIterationInvariantRate);
}

/// The core's clock: a chain of additions takes one cycle each.
void bench_clock(State& state) {
  constexpr int kAdditions = 1'000'000;
  std::uint64_t sum = 1;
  for (auto _ : state) {
    for (int i = 0; i < kAdditions; i += 10) {
      for (int k = 0; k < 10; ++k) {
        sum += 3;
        asm volatile("" : "+r"(sum));  // NOLINT: in a register, one addition after the other
      }
    }
  }
  state.counters["hertz"] = Counter(kAdditions, Counter::kIsIterationInvariantRate);
}

bool depends_on_effort(const Codec& codec) {
  const std::size_t rows = info(codec.type).rows;
  Blocks fast(rows * row_size(codec.type, Rows::kRowElements));
  Blocks best(fast.size());
  codec.encode(input(Effort::fast, rows), fast.data());
  codec.encode(input(Effort::best, rows), best.data());
  return fast != best;
}

void register_all(const std::deque<Peer>& peers) {
  using benchmark::RegisterBenchmark;
  RegisterBenchmark("machine/copy", bench_copy);
  RegisterBenchmark("machine/clock", bench_clock);
  for (const Codec& best_codec : codecs()) {
    const TensorType type = best_codec.type;
    if (best_codec.encode == nullptr) continue;
    const bool has_fast = depends_on_effort(best_codec);
    for (const Effort effort : {Effort::fast, Effort::best}) {
      if (effort == Effort::fast && !has_fast) continue;
      for (const Isa isa : supported_isas()) {
        RegisterBenchmark(
            fmt::format("encode/{}/{}/{}", name(type), name(effort), name(isa)).c_str(),
            [=](State& state) { bench_encode(state, *find_codec(type, isa), effort); });
      }
    }
    for (const Peer& peer : peers) {
      if (!peer.knows(type)) continue;
      RegisterBenchmark(fmt::format("peer/{}/{}", peer.label(), name(type)).c_str(),
                        [&peer, type](State& state) { bench_peer(state, peer, type); });
    }
  }
  for (const Codec& best_codec : codecs()) {
    for (const Isa isa : supported_isas()) {
      const TensorType type = best_codec.type;
      RegisterBenchmark(fmt::format("decode/{}/{}", name(type), name(isa)).c_str(),
                        [=](State& state) { bench_decode(state, *find_codec(type, isa)); });
    }
  }
  for (const Coding& coding : kCodings) {
    for (const Isa isa : supported_isas()) {
      RegisterBenchmark(fmt::format("published/{}/{}", coding.name, name(isa)).c_str(),
                        [=](State& state) { bench_published(state, coding, isa); });
    }
  }
  // The types whose encoders are to be as fast as memory.
  for (const TensorType type :
       {TensorType::f16, TensorType::bf16, TensorType::q4_0, TensorType::q4_1, TensorType::q5_0,
        TensorType::q5_1, TensorType::q8_0, TensorType::q6_k, TensorType::q6_0}) {
    const Isa isa = best_isa();
    RegisterBenchmark(fmt::format("convert/{}/{}", name(type), name(isa)).c_str(),
                      [=](State& state) { bench_convert(state, *find_codec(type, isa), isa); });
  }
}

int run(int argc, char** argv) {
  std::deque<Peer> peers;
  bool table = false;
  std::vector<char*> rest;
  for (int i = 0; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--peer" && i + 1 < argc) {
      peers.emplace_back(argv[++i]);
    } else if (argument.starts_with("--peer=")) {
      peers.emplace_back(std::string(argument.substr(argument.find('=') + 1)));
    } else if (argument == "--table") {
      table = true;
    } else if (argument == "--instructions") {
      count_instructions_too = true;
    } else {
      rest.push_back(argv[i]);
    }
  }
  int rest_count = static_cast<int>(rest.size());
  benchmark::Initialize(&rest_count, rest.data());
  if (benchmark::ReportUnrecognizedArguments(rest_count, rest.data())) return 2;
  register_all(peers);
  if (table) {
    std::vector<std::string> labels;
    for (const Peer& peer : peers) labels.push_back(peer.label());
    TableReporter reporter(std::move(labels));
    benchmark::RunSpecifiedBenchmarks(&reporter);
  } else {
    benchmark::RunSpecifiedBenchmarks();
  }
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  try {
    return sluice::bench::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_codec: {}\n", error.what());
    return 1;
  }
}
