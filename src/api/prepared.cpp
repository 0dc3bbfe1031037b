#include "api/prepared.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "api/mix.h"
#include "api/mix_measures.h"
#include "base/text.h"
#include "base/threads.h"
#include "io/output_check.h"
#include "plan/shares.h"
#include "quantize/chunk_cursor.h"
#include "sluice/error.h"
#include "sluice/urls.h"
#include "sluice/version.h"

namespace sluice {
namespace {

// None either if no entry counts, as in the peers.
std::optional<OpenedMatrix> open_matrix(const std::string& path, const ImatrixFilter& filter,
                                        const std::atomic<bool>* stop) {
  if (path.empty()) return std::nullopt;
  io::File input = io::File::open_input(path, stop);
  const io::FileState state = input.state();
  io::MappedFile file(std::move(input));
  try {
    ImportanceMatrix matrix = ImportanceMatrix::parse(file.bytes(), file.file().path());
    file.check();
    matrix.keep_only(filter);
    if (matrix.size() == 0 && !(filter.include.empty() && filter.exclude.empty())) {
      return std::nullopt;
    }
    return OpenedMatrix{std::move(file), std::move(matrix), state};
  } catch (const Error&) {
    file.check();  // what could not be read looks like a broken format
    throw;
  }
}

// What of the wishes about a text comes to nothing.
void note_unused(const CalibrationOptions& options, std::vector<std::string>& notes) {
  if (options.given()) return;
  const CalibrationOptions usual;
  const auto check = [&](const char* option, bool set) {
    if (set) notes.push_back(fmt::format("{} has no effect without --calibrate", option));
  };
  check("--calibrate-context", options.context != usual.context);
  check("--calibrate-chunks", options.chunks != usual.chunks);
  check("--scratch", options.scratch != usual.scratch);
  check("--refit", options.refit);
}

// What of the wishes about a choice comes to nothing.
void note_unused(const MixTarget& target, std::vector<std::string>& notes) {
  if (target.given()) return;
  const auto check = [&](const char* option, bool set) {
    if (set) notes.push_back(fmt::format("{} has no effect without a size", option));
  };
  check("--types", !target.types.empty());
  check("--at-least", !target.at_least.empty());
  check("--at-most", !target.at_most.empty());
  check("--tie", !target.ties.empty());
  check("--measure", !target.texts.empty());
  check("--measurements", !target.measurements.empty());
}

// What of the wishes about the matrix comes to nothing.
void note_unused(const QuantizeOptions& options, const Prepared& prepared,
                 std::vector<std::string>& notes) {
  const bool given = !options.imatrix.empty();
  if (!given && options.hide_imatrix) {
    notes.emplace_back("--hide-imatrix has no effect without --imatrix");
  }
  const auto check = [&](const char* option, const std::vector<std::string>& parts) {
    if (!given && !parts.empty()) {
      notes.push_back(fmt::format("{} has no effect without --imatrix", option));
      return;
    }
    for (const std::string& part : parts) {
      const bool named = std::ranges::any_of(
          prepared.files.model.tensors,
          [&](const gguf::Tensor& tensor) { return tensor.name.find(part) != part.npos; });
      if (!named) notes.push_back(fmt::format("{} {} matches nothing", option, printable(part)));
    }
  };
  check("--include-weights", options.use.include);
  check("--exclude-weights", options.use.exclude);
  if (options.via != Via::f32 && !prepared.files.published) {
    notes.emplace_back("--via has no effect on a GGUF file");
  }
  note_unused(options.calibration, notes);
  note_unused(options.target, notes);
  if (given && !prepared.imatrix) {
    notes.emplace_back(
        "the importance matrix is not used: it has no entry that --include-weights and "
        "--exclude-weights leave");
  }
}

// A checkpoint's tensors come by layer, which may lie in any of its files.
void order_by_part(ModelFiles& files) {
  std::vector<gguf::Tensor>& tensors = files.model.tensors;
  std::vector<weights::Source>& sources = files.weights.sources;
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {},
                           [&](std::size_t i) { return place_of(files.weights, i).part; });
  ModelFiles ordered;
  for (const std::size_t i : order) {
    ordered.model.tensors.push_back(std::move(tensors[i]));
    ordered.weights.sources.push_back(std::move(sources[i]));
  }
  tensors = std::move(ordered.model.tensors);
  sources = std::move(ordered.weights.sources);
}

// What a run reads and writes beside the output.
std::vector<UsedFile> other_files(const QuantizeOptions& options, const Prepared& prepared) {
  std::vector<UsedFile> files = {
      {options.imatrix, "the importance matrix"},
      {options.trace, "the trace", true},
      {prepared.names.work_path + ".journal", "the output's journal", true}};
  if (options.calibration.given()) {
    files.push_back({state_file_of(options, prepared.names), "the state of the calibration", true});
    files.push_back({options.calibration.tokens, "the calibration's tokens"});
  }
  for (const std::string& text : options.calibration.texts) {
    files.push_back({text, "the calibration text"});
  }
  if (options.target.given()) {
    files.push_back({measurements_file(options), "the measurements", true});
    for (const std::string& text : options.target.texts) files.push_back({text, "the text"});
  }
  for (const io::File& part : prepared.files.parts) files.push_back({part.path(), "the input"});
  for (const SmallFile& small : prepared.files.small_files) {
    files.push_back({small.file.path(), "the input"});
  }
  return files;
}

// Whoever takes one of these for a part of the new output has a mixture.
void note_beside(const QuantizeOptions& options, const Prepared& prepared,
                 std::vector<std::string>& notes) {
  std::vector<std::string> inputs;
  for (const io::File& part : prepared.files.parts) inputs.push_back(part.path());
  const std::vector<std::string> beside = outputs_beside(
      options.output, prepared.shared ? prepared.shared->names : prepared.names, inputs);
  if (beside.empty()) return;
  const std::size_t more = beside.size() - 1;
  const std::string& first = beside.front();
  notes.push_back(more == 0 ? fmt::format("{} is of an earlier output, and stays", printable(first))
                            : fmt::format("{} and {} more are of an earlier output, and stay",
                                          printable(first), more));
}

void open_all(const QuantizeOptions& options, Prepared& prepared) {
  if (is_url(options.output)) {
    throw Error(ErrorCode::output_open, "cannot be written over the network",
                {.file = masked(options.output), .cure = "Name a file on a disk"});
  }
  prepared.files = open_model(options.input, options.stop, options.pre);
  if (options.split.keep && prepared.files.published) order_by_part(prepared.files);
  prepared.imatrix = open_matrix(options.imatrix, options.use, options.stop);
  if (options.calibration.given()) {
    prepared.calibration = open_calibration(options, prepared.files);
  }
}

void check_share(const QuantizeOptions& options) {
  if (!options.share.any()) return;
  const auto refuse = [](const char* what, const char* cure) {
    throw Error(ErrorCode::usage, what, {.cure = cure});
  };
  if (!options.split.any()) {
    refuse("--part makes some files of a split output, and this one is not split",
           "Split it, as by --split-max-size 4G");
  }
  if (options.calibration.refit) {
    refuse("--refit follows what all layers become, and a part makes only some",
           "Leave out --refit or --part");
  }
  if (options.target.given()) {
    refuse("each part would choose types for the size by itself",
           "Choose once, by sluice recipe -o FILE, and pass --tensor-type-file FILE to all parts");
  }
}

// What was asked for, in words.
std::string options_text(const QuantizeOptions& options, const Prepared& prepared) {
  return fmt::format("{}{}{}, {} mix, effort {}{}{}", options.file_type->name,
                     options.pure ? " --pure" : "", options.via == Via::bf16 ? " --via bf16" : "",
                     options.mix == Mix::llama_cpp ? "llama.cpp" : "ik_llama.cpp",
                     name(options.effort), split_text(options.split),
                     calibration_text(prepared.calibration.get()));
}

// From all of the plan to what this run makes of it. Decisions are those of all of it.
void take_share(const QuantizeOptions& options, Prepared& prepared) {
  Plan& plan = prepared.plan;
  SharedPlan& shared = prepared.shared.emplace();
  shared.names = prepared.names;
  shared.shares = shares_of(plan, options.share.count);
  shared.options = options_text(options, prepared);
  shared.plan_hash = hash_of(plan);
  for (const OutputPart& part : plan.parts) shared.part_sizes.push_back(part.size);
  const ShareView& share = shared.shares[options.share.number - 1];
  if (share.files == 0) {
    plan.notes.push_back(fmt::format(
        "part {} of {} has nothing to make: there {} only", options.share.number,
        options.share.count,
        plan.parts.size() == 1 ? "is 1 file" : fmt::format("are {} files", plan.parts.size())));
    return;
  }
  const Stretch tensors = tensors_of(plan, share);
  plan = plan_of(plan, share);
  prepared.names = names_of_share(options, shared, plan);
  if (!prepared.calibration) return;
  calibrate::CalibratedModel& model = prepared.calibration->model;
  std::vector<calibrate::Treatment>& treatments = model.plan.treatments;
  treatments = {treatments.begin() + static_cast<std::ptrdiff_t>(tensors.first),
                treatments.begin() + static_cast<std::ptrdiff_t>(tensors.first + tensors.count)};
  model.index = calibrate::TensorIndex(plan, prepared.files.model);
  model.state_file = state_file_of(options, prepared.names);
  prepared.calibration->rest = calibrate::without_treated(plan, model.plan);
}

void plan_all(const QuantizeOptions& options, Prepared& prepared) {
  const PlanRequest request{
      .recipe = options,
      .split = options.split,
      .edits = options.edits,
      .hide_imatrix = options.hide_imatrix,
      .allow_requantize = options.allow_requantize,
      .effort = options.effort,
      .imatrix = prepared.matrix(),
      .calibration = prepared.calibration ? std::optional(facts_of(options, *prepared.calibration))
                                          : std::nullopt};
  prepared.plan = make_plan(request, prepared.files.model, prepared.files.weights,
                            prepared.files.published, prepared.files.parts.front().path());
  std::vector<std::string>& notes = prepared.plan.notes;
  notes.insert(notes.begin(), prepared.files.notes.begin(), prepared.files.notes.end());
  note_unused(options, prepared, notes);
  prepared.names = names_of(options, prepared.plan.parts);
  if (prepared.calibration) {
    decide(options, prepared.files, prepared.names, prepared.plan, *prepared.calibration);
  }
  if (options.share.any()) take_share(options, prepared);
  if (!options.output.empty()) {
    io::check_output(options.output, prepared.names.work_path, prepared.names.parts,
                     other_files(options, prepared));
    note_beside(options, prepared, notes);
  }
}

// The name of a file once all is whole.
const std::string& path_of(const Prepared& prepared, std::size_t no) {
  if (!prepared.shared || no > 0) return prepared.names.parts[no].path;
  const std::vector<io::SinkPart>& all = prepared.shared->names.parts;
  const std::string& first = all.front().path;
  return prepared.names.parts[no].path == waiting_name(first) ? first
                                                              : prepared.names.parts[no].path;
}

}  // namespace

void prepare_for_choice(QuantizeOptions options, Prepared& prepared) {
  // One that both peers have, with error feedback, and with which all rules of the user count.
  if (options.file_type == nullptr) options.file_type = find_file_type("Q2_K");
  open_all(options, prepared);
  plan_all(options, prepared);
}

void prepare(QuantizeOptions& options, Prepared& prepared, Observer& observer) {
  check_share(options);
  if (!options.target.given()) {
    open_all(options, prepared);
  } else {
    check_target(options);
    prepare_for_choice(options, prepared);
    prepared.mix = choose_mix(options, prepared, observer);
    static_cast<RecipeOptions&>(options) = prepared.mix->recipe;
  }
  plan_all(options, prepared);
  if (prepared.mix) tell_choice(*prepared.mix, "chosen", prepared.plan);
}

void prepare_unmeasured(QuantizeOptions& options, Prepared& prepared) {
  Observer nobody;
  if (!options.target.given()) return prepare(options, prepared, nobody);
  check_share(options);
  check_target(options);
  prepare_for_choice(options, prepared);
  GuessedMix guess = guess_mix(options, prepared);
  if (guess.measuring.none()) {
    prepared = {};
    return prepare(options, prepared, nobody);
  }
  prepared.measuring = std::move(guess.measuring);
  static_cast<RecipeOptions&>(options) = guess.choice.recipe;
  plan_all(options, prepared);
  tell_choice(guess.choice, "guessed", prepared.plan);
}

EncoderSettings encoder_settings(const QuantizeOptions& options) {
  return {.threads = thread_count(options.threads),
          .isa = options.isa,
          .effort = options.effort,
          .measure_error = options.measure_error || options.verify,
          .verify = options.verify,
          .via_bf16 = options.via == Via::bf16,
          .stop = options.stop};
}

journal::Binding binding_of(const QuantizeOptions& options, const Prepared& prepared) {
  journal::Binding binding;
  binding.version = version();
  // Places to look at in all of the model, since a hard disk takes 10 ms for each.
  constexpr std::size_t kSamples = 64;
  const ModelFiles& files = prepared.files;
  for (std::size_t i = 0; i < files.parts.size(); ++i) {
    binding.inputs.push_back(
        journal::input_of(files.parts[i], files.header_hashes[i],
                          std::max<std::size_t>(2, kSamples / files.parts.size())));
  }
  for (const SmallFile& small : files.small_files) {
    journal::Binding::Input& input =
        binding.inputs.emplace_back(journal::input_of(small.file, 0, 0));
    input.sample_hash = small.hash;
  }
  if (prepared.imatrix) {
    binding.imatrix = journal::input_of(prepared.imatrix->file.file(), 0, kSamples);
  }
  binding.options = options_text(options, prepared);
  binding.plan_hash = hash_of(prepared.plan);
  for (const OutputPart& part : prepared.plan.parts) binding.part_sizes.push_back(part.size);
  return binding;
}

journal::Binding binding_of_all(const QuantizeOptions& options, const Prepared& prepared) {
  journal::Binding binding = binding_of(options, prepared);
  binding.options = prepared.shared->options;
  binding.plan_hash = prepared.shared->plan_hash;
  binding.part_sizes = prepared.shared->part_sizes;
  return binding;
}

std::uint64_t input_bytes(const Prepared& prepared) {
  const std::uint64_t streamed = prepared.streamed().input_size;
  if (!prepared.calibration) return streamed;
  return streamed + calibrate::treated_input(prepared.plan, prepared.calibration->model.plan);
}

std::uint64_t input_done(const Prepared& prepared, std::uint64_t unit_bytes,
                         const IntervalSet& done) {
  const std::uint64_t streamed = ChunkCursor::input_done(prepared.streamed(), unit_bytes, done);
  if (!prepared.calibration) return streamed;
  return streamed +
         calibrate::treated_input_done(prepared.plan, prepared.calibration->model.plan, done);
}

std::vector<PartReport> parts_of(const Prepared& prepared) {
  std::vector<PartReport> parts;
  for (std::size_t no = 0; no < prepared.plan.parts.size(); ++no) {
    const OutputPart& part = prepared.plan.parts[no];
    parts.push_back({path_of(prepared, no), part.size, part.tensors});
  }
  return parts;
}

PlanView view_of(const Prepared& prepared) {
  PlanView view;
  for (const PlannedTensor& tensor : prepared.plan.tensors) {
    view.tensors.push_back(
        {.name = tensor.name,
         .shape = tensor.shape,
         .source = tensor.source,
         .stored_as = tensor.stored_as,
         .type = tensor.type,
         .asked = tensor.asked == tensor.type ? std::nullopt : std::optional(tensor.asked),
         .rule = tensor.rule,
         .calibration = {},
         .lacks_importance = tensor.lacks_importance,
         .part = tensor.output_part,
         .offset = tensor.output_offset - prepared.plan.parts[tensor.output_part].begin,
         .size = tensor.output_size});
    view.weights += tensor.elements();
  }
  for (const std::uint32_t index : prepared.plan.missing_importance) {
    view.missing_importance.push_back(prepared.plan.tensors[index].name);
  }
  view.notes = prepared.plan.notes;
  view.input_bytes = prepared.plan.input_size;
  view.output_bytes = prepared.plan.output_size;
  view.parts = parts_of(prepared);
  view.mix = prepared.mix;
  if (prepared.shared) view.shares = prepared.shared->shares;
  if (prepared.calibration) add_calibration(*prepared.calibration, view);
  return view;
}

}  // namespace sluice
