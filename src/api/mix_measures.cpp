#include "api/mix_measures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "api/calibration_tokens.h"
#include "base/text.h"
#include "engine/memory_plan.h"
#include "journal/binding.h"
#include "measure/measure_text.h"
#include "measure/measure_weights.h"
#include "sluice/amounts.h"
#include "sluice/error.h"
#include "sluice/urls.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

/// The model's name for a file beside it: its folder's, or its file's without number and ending.
std::string model_name(const std::string& input) {
  fs::path path = is_url(input) ? fs::path(masked(input)) : fs::path(input);
  if (!path.has_filename()) path = path.parent_path();
  std::error_code unknown;
  if (!is_url(input) && fs::is_directory(path, unknown)) {
    path = fs::weakly_canonical(path, unknown);
    return path.filename().string();
  }
  std::string name = path.filename().string();
  if (name.ends_with(".gguf")) name.resize(name.size() - 5);
  constexpr std::string_view kNumbers = "-00001-of-00001";
  const std::size_t at = name.size() - std::min(name.size(), kNumbers.size());
  if (name.find("-of-", at) != name.npos && name[at] == '-') name.resize(at);
  return name;
}

/// What is told apart by the file's name, so that a look without a text does not cost what took
/// hours: the text, and whether error feedback encodes.
std::string way_name(const QuantizeOptions& options) {
  const CalibrationOptions& calibration = options.calibration;
  std::string text = calibration.tokens;
  if (!calibration.texts.empty()) text = calibration.texts.front();
  if (!options.target.texts.empty()) text = options.target.texts.front();
  if (text.empty()) return {};
  return "." + fs::path(text).stem().string() + (calibration.given() ? ".calibrated" : "");
}

fs::path model_folder(const std::string& input) {
  std::error_code unknown;
  if (is_url(input)) return {};
  return fs::is_directory(input, unknown) ? fs::path(input) : fs::path(input).parent_path();
}

/// Of the contents of all that is measured, wherever the files lie.
std::uint64_t inputs_hash(const QuantizeOptions& options, const Prepared& planned) {
  constexpr std::size_t kSamples = 64;
  const ModelFiles& files = planned.files;
  std::string text;
  const auto add = [&](const io::File& file, std::uint64_t header_hash, std::size_t samples) {
    const journal::Binding::Input input = journal::input_of(file, header_hash, samples);
    text += fmt::format("{} {:x} {:x} {} ", input.size, header_hash, input.sample_hash, input.etag);
  };
  const std::size_t samples = std::max<std::size_t>(2, kSamples / files.parts.size());
  for (std::size_t i = 0; i < files.parts.size(); ++i) {
    add(files.parts[i], files.header_hashes[i], samples);
  }
  for (const SmallFile& small : files.small_files) text += fmt::format("{:x} ", small.hash);
  if (planned.imatrix) add(planned.imatrix->file.file(), 0, kSamples);
  text += fmt::format("use {} but {} without layers {}", fmt::join(options.use.include, "\n"),
                      fmt::join(options.use.exclude, "\n"),
                      fmt::join(options.edits.pruned_layers, ","));
  return XXH3_64bits(text.data(), text.size());
}

std::string file_name(const std::string& path) {
  return printable(fs::path(masked(path)).filename().string());
}

/// The text that is named for measuring, as tokens.
MixText measured_text(const QuantizeOptions& options, const Prepared& planned) {
  const std::string& file = planned.files.parts.front().path();
  CalibrationOptions reading = options.calibration;
  reading.texts = options.target.texts;
  reading.tokens.clear();
  try {
    model::Network network = model::Network::of(planned.files.model, file);
    model::Tokens tokens =
        calibration_tokens(reading, planned.files.model, file, network.vocabulary(), options.stop);
    return {std::move(network), std::move(tokens)};
  } catch (const Error& error) {
    if (error.code() == ErrorCode::usage || error.code() == ErrorCode::input_open) throw;
    throw Error(error.code(), error.what(),
                {.cure = "Without --measure types are compared by their errors alone"});
  }
}

/// So many of a text's tokens at most, in whole sequences that are evenly spread: a text may be of parts that
/// differ.
model::Tokens spread(const model::Tokens& text, std::uint64_t tokens) {
  const std::uint64_t length = text.sequence_length;
  const std::uint64_t all = text.ids.size() / length;
  const std::uint64_t wanted = std::min(all, std::max<std::uint64_t>(1, tokens / length));
  model::Tokens some{.ids = {}, .sequence_length = length};
  for (std::uint64_t i = 0; i < wanted; ++i) {
    const auto first = text.ids.begin() + static_cast<std::ptrdiff_t>(i * all / wanted * length);
    some.ids.insert(some.ids.end(), first, first + static_cast<std::ptrdiff_t>(length));
  }
  return some;
}

measure::Request request_of(const QuantizeOptions& options, const Prepared& planned,
                            std::vector<measure::Subject> subjects) {
  return {
      .model = {planned.files.model, planned.files.weights, io::pointers_to(planned.files.parts)},
      .subjects = std::move(subjects),
      .imatrix = planned.matrix(),
      .imatrix_file = planned.imatrix ? &planned.imatrix->file : nullptr,
      .settings = encoder_settings(options),
      .memory = options.memory,
      .held = engine::held_memory(options),
      .inputs = inputs_hash(options, planned),
      .file = measurements_file(options)};
}

measure::TextRequest request_of(const Prepared& planned, const MixText& text,
                                const measure::Request& request) {
  return {.request = request,
          .network = text.network,
          .text = text.tokens,
          .calibrated = planned.calibration != nullptr,
          .state = request.file + ".state"};
}

/// Tells that measuring has begun: what is kept already takes no time.
class MeasuringObserver final : public Observer {
 public:
  MeasuringObserver(Observer& observer, std::string begun)
      : observer_(observer), begun_(std::move(begun)) {}

  void note(std::string_view text) override { observer_.note(text); }

  void progress(const Progress& progress) override {
    if (!begun_.empty()) observer_.note(std::exchange(begun_, {}));
    observer_.progress(progress);
  }

 private:
  Observer& observer_;
  std::string begun_;
};

}  // namespace

std::string measurements_file(const QuantizeOptions& options) {
  if (!options.target.measurements.empty()) return options.target.measurements;
  const fs::path folder =
      options.output.empty() ? model_folder(options.input) : fs::path(options.output).parent_path();
  return folder / (model_name(options.input) + way_name(options) + ".measurements.json");
}

std::optional<MixText> text_of(const QuantizeOptions& options, const Prepared& planned) {
  const MixTarget& target = options.target;
  std::optional<MixText> text;
  if (!target.texts.empty()) {
    text = measured_text(options, planned);
  } else if (planned.calibration) {
    text = MixText{model::Network::of(planned.files.model, planned.files.parts.front().path()),
                   planned.calibration->model.tokens};
  } else {
    return std::nullopt;
  }
  text->tokens = spread(text->tokens, target.tokens);
  return text;
}

measure::Measurements measured(const QuantizeOptions& options, const Prepared& planned,
                               const std::optional<MixText>& text,
                               std::vector<measure::Subject> subjects, Observer& observer) {
  const std::string file = measurements_file(options);
  MeasuringObserver told(observer,
                         fmt::format("measuring what types do to {}, {}; kept in {}",
                                     counted(subjects.size(), "tensor"),
                                     measured_with(options, planned, text), printable(file)));
  const measure::Request request = request_of(options, planned, std::move(subjects));
  const std::optional<std::uint64_t> before = measure::binding_in(file);
  measure::Measurements found =
      text ? measure::measure_text(request_of(planned, *text, request), told)
           : measure::measure_weights(request, told);
  if (before && *before != found.binding) {
    observer.note(
        fmt::format("{} held what was measured of another model or text, or in another "
                    "way, and all was measured anew",
                    printable(file)));
  }
  return found;
}

measure::MeasuringWork left_to_measure(const QuantizeOptions& options, const Prepared& planned,
                                       const std::optional<MixText>& text,
                                       std::vector<measure::Subject> subjects) {
  const measure::Request request = request_of(options, planned, std::move(subjects));
  return text ? measure::work_of(request_of(planned, *text, request)) : measure::work_of(request);
}

std::string measured_with(const QuantizeOptions& options, const Prepared& planned,
                          const std::optional<MixText>& text) {
  const std::string matrix = planned.imatrix ? file_name(options.imatrix) : "";
  if (!text) {
    return matrix.empty() ? "without a text or an importance matrix"
                          : fmt::format("with {} and without a text", matrix);
  }
  std::vector<std::string> files = options.target.texts;
  if (files.empty()) files = options.calibration.texts;
  if (files.empty()) files = {options.calibration.tokens};
  for (std::string& file : files) file = file_name(file);
  return fmt::format("with {} ({}){}{}", fmt::join(files, ", "),
                     counted(text->tokens.ids.size(), "token"),
                     matrix.empty() ? "" : " and " + matrix,
                     planned.calibration ? ", as error feedback encodes" : "");
}

}  // namespace sluice
