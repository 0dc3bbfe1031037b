// models write FOLDER
//   writes a random model of each family, and prints their names
// models widen MODEL OUT
//   writes a model with all its tensors in F32
// models run MODEL TOKENS LENGTH FIRST OUT
//   runs a model over the file TOKENS, sequences of LENGTH 32-bit numbers each, and writes the logits
//   after each token of a sequence from FIRST on

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/serial_team.h"
#include "support/gguf_weights.h"
#include "support/random_families.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice;
using namespace sluice::testing_support;

int write(const std::string& folder) {
  for (const RandomFamily& family : all_random_families()) {
    write_file(folder + "/" + family.name + ".gguf", family.build());
    std::puts(family.name.c_str());
  }
  // The weights of another family, whose positions turn other pairs of numbers.
  write_file(folder + "/control.gguf", random_families::qwen2("llama"));
  return 0;
}

int widen(const std::string& path, const std::string& out) {
  GgufWeights weights(read_file(path));
  gguf::Header header = weights.header();
  for (gguf::Tensor& tensor : header.tensors) {
    tensor.type = TensorType::f32;
    tensor.size = tensor.elements() * sizeof(float);
  }
  const std::uint64_t size = gguf::lay_out(header.tensors, header.alignment);
  Bytes file = gguf::serialize_header(header);
  const std::size_t data = file.size();
  file.resize(data + size);
  for (const gguf::Tensor& tensor : header.tensors) {
    const std::vector<float> values = weights.numbers(tensor.name);
    std::memcpy(file.data() + data + tensor.offset, values.data(), tensor.size);
  }
  write_file(out, file);
  return 0;
}

model::Tokens read_tokens(const std::string& path, std::uint64_t length) {
  const Bytes bytes = read_file(path);
  model::Tokens tokens{std::vector<std::int32_t>(bytes.size() / 4), length};
  std::memcpy(tokens.ids.data(), bytes.data(), tokens.ids.size() * 4);
  return tokens;
}

struct Activations {
  std::vector<float> numbers;
  linear::Matrix matrix;

  Activations(std::size_t rows, std::size_t columns)
      : numbers(rows * columns), matrix{numbers.data(), rows, columns, columns} {}
};

/// Rows of each sequence from `first` on.
Activations last_of(const Activations& stream, std::size_t length, std::size_t first) {
  const std::size_t width = stream.matrix.columns;
  Activations last(stream.matrix.rows / length * (length - first), width);
  float* out = last.numbers.data();
  for (std::size_t row = 0; row < stream.matrix.rows; ++row) {
    if (row % length >= first) out = std::copy_n(stream.matrix.row(row), width, out);
  }
  return last;
}

int run(const std::string& path, const model::Tokens& tokens, std::size_t first,
        const std::string& out) {
  GgufWeights weights(read_file(path));
  const model::Network network = model::Network::of(weights.header(), path);
  const model::RunSettings settings{.isa = best_isa()};
  SerialTeam team;
  Activations stream(tokens.ids.size(), network.width());
  network.embed(tokens, weights, stream.matrix, settings, team);
  for (std::uint64_t layer = 0; layer < network.layers(); ++layer) {
    network.run_layer(layer, tokens, weights, stream.matrix, nullptr, settings, team);
  }
  const Activations last = last_of(stream, tokens.sequence_length, first);
  const Activations logits(last.matrix.rows, network.vocabulary());
  network.run_output(last.matrix, weights, logits.matrix, nullptr, settings, team);
  write_file(out, std::as_bytes(std::span(logits.numbers)));
  return 0;
}

}  // namespace

int main(int count, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + count);
  if (words.size() == 2 && words[0] == "write") return write(words[1]);
  if (words.size() == 3 && words[0] == "widen") return widen(words[1], words[2]);
  if (words.size() != 6 || words[0] != "run") return 2;
  try {
    return run(words[1], read_tokens(words[2], std::stoull(words[3])), std::stoull(words[4]),
               words[5]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
