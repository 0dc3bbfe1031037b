#include "api/mix_measures.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "engine/memory_plan.h"
#include "journal/binding.h"
#include "measure/measure_weights.h"
#include "sluice/amounts.h"
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
  return folder / (model_name(options.input) + ".measurements.json");
}

measure::Measurements measured(const QuantizeOptions& options, const Prepared& planned,
                               std::vector<measure::Subject> subjects, Observer& observer) {
  const std::string file = measurements_file(options);
  MeasuringObserver told(observer, fmt::format("measuring what types do to {}, {}; kept in {}",
                                               counted(subjects.size(), "tensor"),
                                               measured_with(options, planned), printable(file)));
  const measure::Request request{
      .model = {planned.files.model, planned.files.weights, io::pointers_to(planned.files.parts)},
      .subjects = std::move(subjects),
      .imatrix = planned.matrix(),
      .imatrix_file = planned.imatrix ? &planned.imatrix->file : nullptr,
      .settings = encoder_settings(options),
      .memory = options.memory - std::min(options.memory, engine::held_memory(options)),
      .inputs = inputs_hash(options, planned),
      .file = file};
  return measure::measure_weights(request, told);
}

std::string measured_with(const QuantizeOptions& options, const Prepared& planned) {
  if (!planned.imatrix) return "without a text or an importance matrix";
  return fmt::format("with {} and without a text",
                     printable(fs::path(masked(options.imatrix)).filename().string()));
}

}  // namespace sluice
