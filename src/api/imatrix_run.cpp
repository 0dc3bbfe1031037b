#include "api/imatrix_run.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "api/calibration_tokens.h"
#include "base/text.h"
#include "calibrate/matrix_map.h"
#include "imatrix/dat_writer.h"
#include "io/output_check.h"
#include "journal/binding.h"
#include "sluice/error.h"
#include "sluice/urls.h"
#include "sluice/version.h"

namespace sluice {
namespace {

bool is_expert(std::string_view tensor) {
  return tensor.find("_exps.") != tensor.npos;
}

/// Matrices of layers, and the output matrix if it is asked for: llama.cpp counts the same.
imatrix::Layout layout_of(const ImatrixOptions& options, const ImatrixRun& run) {
  const calibrate::MatrixMap map(run.source());
  std::vector<imatrix::Summed> tensors;
  const auto add = [&](const std::string& name) {
    const auto index = map.find(name);
    if (!index || (!name.starts_with("blk.") && name != "output.weight")) return;
    tensors.push_back({.name = name,
                       .columns = map.columns(*index),
                       .matrices = map.matrices(*index),
                       .counts_each = is_expert(name)});
  };
  const std::uint64_t layers = run.network->layers() + (options.process_output ? 1 : 0);
  for (std::uint64_t layer = 0; layer < layers; ++layer) {
    for (const auto& together : run.network->inputs_of(layer)) {
      for (const model::Input& input : together) std::ranges::for_each(input.tensors, add);
    }
  }
  imatrix::SumsOrigin origin{.datasets = options.calibration.texts,
                             .chunks = run.tokens.ids.size() / run.tokens.sequence_length,
                             .chunk_size = run.tokens.sequence_length};
  if (origin.datasets.empty()) origin.datasets = {options.calibration.tokens};
  for (std::string& dataset : origin.datasets) dataset = masked(dataset);
  return {std::move(tensors), origin};
}

void refuse_wrong_use(const ImatrixOptions& options) {
  const CalibrationOptions& calibration = options.calibration;
  if (options.output.empty()) {
    throw Error(ErrorCode::output_open, "no output is named", {.cure = "Name the file to make"});
  }
  if (is_url(options.output)) {
    throw Error(ErrorCode::output_open, "cannot be written over the network",
                {.file = masked(options.output), .cure = "Name a file on a disk"});
  }
  if (options.format == ImatrixFormat::dat && options.output.ends_with(".gguf")) {
    throw Error(
        ErrorCode::usage, "a file in the format dat would be taken for GGUF",
        {.file = options.output, .cure = "Name the output .dat, or leave out --output-format dat"});
  }
  if (!calibration.given()) {
    throw Error(ErrorCode::usage, "no text is given",
                {.cure = "Name a file of text, or of token ids with --calibrate-tokens"});
  }
  if (!calibration.texts.empty() && !calibration.tokens.empty()) {
    throw Error(ErrorCode::usage, "a text excludes --calibrate-tokens",
                {.cure = "Pass one of them"});
  }
}

OutputNames names_for(const ImatrixOptions& options, const imatrix::Layout& layout) {
  QuantizeOptions named;
  named.output = options.output;
  OutputPart part;
  part.size = layout.size();
  return names_of(named, {&part, 1});
}

void check_names(const ImatrixOptions& options, const ImatrixRun& run) {
  std::vector<UsedFile> others = {{run.state_file(), "the state of a run", true},
                                  {options.calibration.tokens, "the tokens"}};
  for (const std::string& text : options.calibration.texts) others.push_back({text, "the text"});
  for (const io::File& file : run.files.parts) others.push_back({file.path(), "the input"});
  for (const SmallFile& small : run.files.small_files) {
    others.push_back({small.file.path(), "the input"});
  }
  for (const std::string& work_path : {run.names.work_path, run.dat_file()}) {
    io::check_output(options.output, work_path, run.names.parts, others);
  }
}

}  // namespace

ImatrixRun prepare_run(const ImatrixOptions& options, Observer& observer) {
  refuse_wrong_use(options);
  ImatrixRun run;
  run.files = open_model(options.input, options.stop, options.pre);
  for (const std::string& note : run.files.notes) observer.note(note);
  const std::string& file = run.files.parts.front().path();
  run.network = model::Network::of(run.files.model, file);
  run.tokens = calibration_tokens(options.calibration, run.files.model, file,
                                  run.network->vocabulary(), options.stop);
  run.layout = layout_of(options, run);
  run.names = names_for(options, *run.layout);
  check_names(options, run);
  if (options.format == ImatrixFormat::dat) {
    imatrix::dat_size(*run.layout);  // or what it cannot hold is refused
  } else if (options.output.ends_with(".dat")) {
    observer.note(
        fmt::format("{} will be GGUF, as llama.cpp reads it; --output-format dat makes "
                    "the older format, which ik_llama.cpp reads",
                    visible(options.output)));
  }
  return run;
}

std::uint64_t binding_of(const ImatrixOptions& options, const ImatrixRun& run) {
  constexpr std::size_t kSamples = 64;
  std::string text = fmt::format("{} {} {} {:x}", version(), options.process_output,
                                 run.network->layers(), hash_of(run.tokens));
  const std::size_t samples = std::max<std::size_t>(2, kSamples / run.files.parts.size());
  for (std::size_t i = 0; i < run.files.parts.size(); ++i) {
    const journal::Binding::Input input =
        journal::input_of(run.files.parts[i], run.files.header_hashes[i], samples);
    text += fmt::format(" {} {:x} {:x} {}", input.size, input.header_hash, input.sample_hash,
                        input.etag);
  }
  for (const SmallFile& small : run.files.small_files) text += fmt::format(" {:x}", small.hash);
  const std::span<const std::byte> header = run.layout->header();
  return XXH3_64bits_withSeed(text.data(), text.size(), XXH3_64bits(header.data(), header.size()));
}

}  // namespace sluice
