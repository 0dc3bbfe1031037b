#include "measure/text_setup.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <vector>

#include "linear/moments.h"
#include "measure/input_errors.h"
#include "measure/output_variants.h"

namespace sluice::measure {
namespace {

// Changes with whatever changes a number.
constexpr const char* kTextMethod = "text 6";

// Stacks, allocator slack, sums of columns.
constexpr std::uint64_t kAround = std::uint64_t{24} << 20;

std::uint64_t binding_of(const TextRequest& request) {
  const EncoderSettings& settings = request.request.settings;
  const std::string text = fmt::format(
      "{} {} {:x} {} {} {} {}", kTextMethod, name(settings.effort), request.request.inputs,
      settings.via_bf16, request.calibrated, request.text.sequence_length,
      XXH3_64bits(request.text.ids.data(),
                  request.text.ids.size() * sizeof(request.text.ids.front())));
  return XXH3_64bits(text.data(), text.size());
}

Measurements known_of(const TextRequest& request) {
  const std::uint64_t binding = binding_of(request);
  Measurements known;
  const std::string& file = request.request.file;
  if (!file.empty()) known = load(file, binding).value_or(Measurements());
  known.binding = binding;
  known.method =
      fmt::format("by {} tokens of a text that the model was run on{}", request.text.ids.size(),
                  request.calibrated ? ", with error feedback" : "");
  return known;
}

/// What inputs that are seen side by side, or the output's, need beside weights and stream: their samples,
/// matrices as variants have them, and encoding.
std::uint64_t bytes_of(const std::vector<model::Input>& together,
                       const std::vector<TextSubject>& subjects, const TextRequest& request,
                       std::size_t sample) {
  const int threads = request.request.settings.threads;
  std::uint64_t held = 0;
  std::uint64_t most = 0;
  for (const model::Input& input : together) {
    std::uint64_t of_input = 0;
    for (const TextSubject& subject : subjects) {
      if (std::ranges::find(input.tensors, subject.name) == input.tensors.end()) continue;
      const std::uint64_t triangle =
          request.calibrated ? linear::Triangle::bytes(subject.columns) : 0;
      held += EncodedMatrix::bytes(subject.run_type, subject.rows, subject.columns) + triangle;
      of_input = sample * subject.columns * sizeof(float);
      most = std::max(
          most, input_errors_bytes(subject.columns, sample, request.calibrated, threads) +
                    EncodedMatrix::scratch_bytes(subject.columns, request.calibrated, threads) +
                    2 * triangle);
    }
    held += of_input;
  }
  return held + most;
}

}  // namespace

TextSetup::TextSetup(const TextRequest& request)
    : request_(request),
      map_(request.request.model),
      known_(known_of(request)),
      subjects_(request, known_),
      tokens_(request.text, subjects_.variants()) {}

TextSetup::Memory TextSetup::memory() const {
  const calibrate::WalkMemory least = calibrate::WalkMemory::least(
      request_.network, tokens_.all(), map_, request_.request.settings.threads);
  const calibrate::WalkMemory walk = least.within(request_.request.memory, beside());
  return {.walk = walk,
          .output_layer = least.layer,
          .logits = OutputVariants::least_logits_bytes(subjects_, request_.network) + walk.layer -
                    least.layer};
}

std::uint64_t TextSetup::beside() const {
  std::uint64_t most = 0;
  for (std::uint64_t layer = 0; layer < request_.network.layers(); ++layer) {
    for (const auto& together : request_.network.inputs_of(layer)) {
      most =
          std::max(most, bytes_of(together, subjects_.of_layer(layer), request_, tokens_.sample()));
    }
  }
  const std::uint64_t output =
      OutputVariants::least_logits_bytes(subjects_, request_.network) +
      (subjects_.output() ? bytes_of({{.tensors = {subjects_.output()->name}}},
                                     {*subjects_.output()}, request_, tokens_.sample())
                          : 0);
  return request_.request.held + bytes_of_preparations(request_.request) + kAround +
         std::max(most, output);
}

}  // namespace sluice::measure
