#include "trials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>
#include <utility>

namespace sluice::trials {

// Mixed by hand: std::hash may be another in another library.
Case::Case(std::uint64_t seed, std::string_view trial, unsigned case_number, Tally& tally)
    : number(case_number), tally_(tally) {
  std::seed_seq::result_type mixed = 2166136261u;
  for (const char c : trial) mixed = (mixed ^ static_cast<unsigned char>(c)) * 16777619u;
  std::seed_seq sequence{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                         mixed, case_number};
  random_.seed(sequence);
}

Finished sluice(const Words& words, const std::function<void()>& prepare) {
  Words all = {"timeout", "-s", "KILL", "60", SLUICE_PROGRAM};
  all.insert(all.end(), words.begin(), words.end());
  return run(all, prepare);
}

void expect(bool holds, const std::string& text, const Finished& done) {
  if (holds) return;
  throw Failure(done.status < 0 ? text
                                : fmt::format("{}; status {}: {}", text, done.status, done.errors));
}

void expect_orderly(const Words& words, const Finished& done) {
  const std::string command = fmt::format("sluice {}", fmt::join(words, " "));
  constexpr std::array kKnown = {0, 1, 2, 3, 4, 5, 130};
  expect(done.status != 128 + 9, command + " does not end", done);
  expect(std::ranges::count(kKnown, done.status) == 1, command + " ends in disorder", done);
  for (const char* report : {"Sanitizer", "runtime error:"}) {
    expect(done.errors.find(report) == std::string::npos, command + ": a sanitizer reports", done);
  }
  if (done.status < 2) return;
  if (words[0] == "verify" && done.status == 4 && !done.out.empty())
    return;  // findings are results
  int said = 0;
  std::istringstream lines(done.errors);
  for (std::string line; std::getline(lines, line);) said += line.starts_with("sluice: ") ? 1 : 0;
  expect(said == 1, fmt::format("{} says {} times what failed", command, said), done);
}

Finished orderly(const Words& words, const std::function<void()>& prepare) {
  const Finished done = sluice(words, prepare);
  expect_orderly(words, done);
  return done;
}

std::function<void()> limited_to([[maybe_unused]] std::uint64_t bytes) {
#ifdef SLUICE_SANITIZED
  return [] {};
#else
  return [limit = rlimit{bytes, bytes}] { ::setrlimit(RLIMIT_AS, &limit); };
#endif
}

pid_t start_silently(const Words& words) {
  Words all = {SLUICE_PROGRAM};
  all.insert(all.end(), words.begin(), words.end());
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    exec_words(all);
  }
  return child;
}

bool kill_or_done(pid_t child) {
  ::kill(child, SIGKILL);  // a child that has ended waits to be seen: the number is still its own
  const int status = wait_status(child);
  expect(status == 0 || status == 128 + SIGKILL, "resuming ends with " + std::to_string(status));
  return status != 0;
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

Undisturbed::Undisturbed(const Words& words, std::string where) : folder(std::move(where)) {
  const auto begin = std::chrono::steady_clock::now();
  const Finished done = orderly(words);
  expect(done.status == 0, "the whole run fails", done);
  duration = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - begin);
  names = files_in(folder);
}

void Undisturbed::expect_in(const std::string& other, const std::string& when) const {
  for (const std::string& name : names) {
    expect(std::filesystem::exists(other + "/" + name) &&
               read_file(other + "/" + name) == read_file(folder + "/" + name),
           name + " is not whole " + when);
  }
}

namespace {

constexpr std::array kTensors = {"token_embd.weight",     "blk.0.attn_q.weight",
                                 "blk.0.attn_v.weight",   "blk.0.ffn_down.weight",
                                 "blk.0.ffn_gate.weight", "output.weight"};
constexpr std::uint64_t kColumns = 256;
constexpr std::uint64_t kRows = 4;

}  // namespace

Bytes small_model() {
  constexpr std::uint32_t kF32 = 0;
  constexpr std::uint32_t kBF16 = 30;
  std::mt19937 random(1);
  GgufBuilder builder;
  builder.string("general.architecture", "llama")
      .string("general.name", "small")
      .u32("llama.block_count", 1)
      .u32("llama.embedding_length", kColumns)
      .f32("llama.rope.freq_base", 10000)
      .u16("llama.u16", 3)
      .boolean("tokenizer.ggml.add_bos_token", true)
      .strings("tokenizer.ggml.tokens", {"a", "b", "<s>", "\xe2\x96\x81the"})
      .f32s("tokenizer.ggml.scores", {0, -1, -2, -3})
      .i32s("tokenizer.ggml.token_type", {1, 1, 3, 1});
  for (const char* name : kTensors) {
    Bytes data;
    for (std::uint64_t i = 0; i < kColumns * kRows; ++i) {
      put(data, static_cast<std::uint16_t>(0x3c00 | (random() & 0x83ff)));
    }
    builder.tensor(name, {kColumns, kRows}, kBF16, data);
  }
  builder.tensor("output_norm.weight", {kColumns}, kF32, bytes_of(std::vector<float>(kColumns, 1)));
  return builder.build();
}

Bytes small_matrix_gguf() {
  GgufBuilder builder;
  builder.string("general.type", "imatrix")
      .strings("imatrix.datasets", {"some.txt"})
      .u32("imatrix.chunk_count", 2)
      .u32("imatrix.chunk_size", 512);
  for (const std::string name : kTensors) {
    builder.tensor(name + ".in_sum2", {kColumns, 1}, 0, bytes_of(std::vector<float>(kColumns, 2)));
    builder.tensor(name + ".counts", {1, 1}, 0, bytes_of(std::vector<float>{2}));
  }
  return builder.build();
}

Bytes small_matrix_dat() {
  Bytes out;
  put(out, static_cast<std::int32_t>(kTensors.size()));
  for (const std::string name : kTensors) {
    put(out, static_cast<std::int32_t>(name.size()));
    put_bytes(out, name.data(), name.size());
    put(out, std::int32_t{2});
    put(out, static_cast<std::int32_t>(kColumns));
    const Bytes values = bytes_of(std::vector<float>(kColumns, 2));
    put_bytes(out, values.data(), values.size());
  }
  return out;
}

void write_made_model(Case& one, const std::string& path) {
  GgufBuilder builder;
  builder.string("general.architecture", "llama").u32("llama.block_count", 30);
  for (int i = 0; i < 30; ++i) {
    const std::uint64_t columns = 32 * (1 + one.below(40));
    const std::uint64_t rows = i % 5 == 2 ? 1 : 1 + one.below(900);
    Bytes data;
    for (std::uint64_t k = 0; k < columns * rows; ++k) {
      put(data, static_cast<std::uint16_t>(0x3d00 | (one.below(65536) & 0x82ff)));
    }
    builder.tensor("blk." + std::to_string(i) + ".ffn_up.weight", {columns, rows}, 30, data);
  }
  write_file(path, builder.build());
}

}  // namespace sluice::trials
