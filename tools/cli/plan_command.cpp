#include "plan_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "choice_text.h"
#include "console.h"
#include "progress.h"
#include "reports.h"
#include "sluice/amounts.h"
#include "sluice/forecast.h"
#include "sluice/json.h"
#include "stop.h"
#include "text.h"

namespace sluice::cli {
namespace {

std::string size_text(std::uint64_t bytes) {
  return bytes_text(static_cast<double>(bytes));
}

std::uint64_t data_bytes(const PlanView& plan) {
  std::uint64_t bytes = 0;
  for (const PlannedTensorView& tensor : plan.tensors) bytes += tensor.size;
  return bytes;
}

// What a tensor adds to the divergence, where types were chosen for a size.
std::string cost_text(const PlanView& plan, std::size_t tensor) {
  if (!plan.mix) return {};
  const TensorChoice& choice = plan.mix->tensors[tensor];
  const double divergence = choice.types[choice.chosen].divergence;
  return divergence > 0 ? fmt::format(", {:.2g} nats", divergence) : "";
}

void print_tensors(const PlanView& plan) {
  std::size_t name_width = 4;
  std::size_t shape_width = 5;
  std::size_t source_width = 7;
  for (const PlannedTensorView& tensor : plan.tensors) {
    name_width = std::max(name_width, printable(tensor.name).size());
    shape_width = std::max(shape_width, shape_text(tensor.shape).size());
    source_width = std::max(source_width, tensor.stored_as.size());
  }
  const auto row = [&](const auto&... columns) {
    fmt::print("{:<{}}  {:>{}}  {:<{}}  {:<7}  {:>14}  {:>12}  {}\n", columns...);
  };
  row("name", name_width, "shape", shape_width, "source", source_width, "type", "offset", "size",
      "rule");
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const PlannedTensorView& tensor = plan.tensors[i];
    row(printable(tensor.name), name_width, shape_text(tensor.shape), shape_width, tensor.stored_as,
        source_width, name(tensor.type), tensor.offset, tensor.size,
        tensor.rule + cost_text(plan, i) +
            (tensor.lacks_importance ? ", but no importance row" : "") +
            (tensor.calibration.empty() ? "" : ", with " + tensor.calibration));
  }
}

void print_types(const PlanView& plan) {
  std::map<std::string_view, std::pair<std::size_t, std::uint64_t>> types;
  for (const PlannedTensorView& tensor : plan.tensors) {
    auto& [count, bytes] = types[name(tensor.type)];
    ++count;
    bytes += tensor.size;
  }
  for (const auto& [type, total] : types) {
    fmt::print("{:<7}  {:>13}  {}\n", type, counted(total.first, "tensor"),
               size_text(total.second));
  }
}

void print_parts(const PlanView& plan) {
  fmt::print("\n");
  for (const PartReport& part : plan.parts) {
    fmt::print("{}  {:>13}  {}\n", printable(part.file), counted(part.tensors, "tensor"),
               size_text(part.bytes));
  }
}

void print_shares(const PlanView& plan) {
  fmt::print("\n");
  for (std::size_t i = 0; i < plan.shares.size(); ++i) {
    const ShareView& share = plan.shares[i];
    if (share.files == 0) {
      fmt::print("part {} of {}  nothing to make\n", i + 1, plan.shares.size());
      continue;
    }
    fmt::print("part {} of {}  {:>9} from the {}.  {} to read, {} to write\n", i + 1,
               plan.shares.size(), counted(share.files, "file"), share.first_file + 1,
               size_text(share.input_bytes), size_text(share.output_bytes));
  }
}

void print_disk(const Forecast& forecast) {
  const DiskSpace& disk = forecast.disk;
  std::string text = size_text(disk.needed) + " needed in " + printable(disk.folder);
  if (disk.allocated > 0) {
    text += fmt::format(", {} of it set aside already",
                        size_text(std::min(disk.needed, disk.allocated)));
  }
  text += disk.free ? fmt::format(", {} free", size_text(*disk.free)) : ", which is not there";
  if (!disk.enough()) {
    text += fmt::format(": {} TOO LITTLE", size_text(disk.still_needed() - *disk.free));
  }
  fmt::print("disk     {}\n", text);
  const EarlierRun& earlier = forecast.earlier;
  if (!earlier.found) {
    if (!earlier.refused.empty()) fmt::print("refused  {}\n", printable(earlier.refused));
  } else if (earlier.refused.empty()) {
    fmt::print("earlier  a run was cut off here with {:.1f} % done; quantize goes on from there\n",
               100 * earlier.done_share);
  } else {
    fmt::print(
        "earlier  a run was cut off here that quantize will not go on with, unless it is "
        "told to --restart: {}\n",
        printable(earlier.refused));
  }
}

void print_memory(const MemoryNeed& memory) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  const std::uint64_t least = (memory.least + kMiB - 1) / kMiB;
  if (memory.enough()) {
    fmt::print("memory   {} at most, with {}; {}M is the least that would do\n",
               size_text(memory.most), thread_text(memory.threads), least);
  } else {
    fmt::print("memory   --memory of {} is TOO LITTLE for this model and {}: {}M is the least\n",
               size_text(memory.budget), thread_text(memory.threads), least);
  }
}

void print_calibration(const CalibrationView& text) {
  fmt::print("text     {} in sequences of {}: error feedback for {}, mean squares for {}\n",
             counted(text.tokens, "token"), text.sequence_length,
             counted(text.feedback_tensors, "tensor"),
             counted(text.mean_squares_tensors, "tensor"));
  fmt::print("state    {} in {}, and for moments twice as much\n", size_text(text.state_bytes),
             printable(text.state_file));
}

void print_calibration_time(const TimeEstimate::Calibration& text) {
  fmt::print("         running the model {}, second moments {}, their factors {}, feedback {}\n",
             time_text(text.forward_s), time_text(text.moments_s), time_text(text.factors_s),
             time_text(text.feedback_s));
}

void print_measuring_time(const TimeEstimate::Measuring& measuring) {
  const std::string moments =
      measuring.moments_s > 0 ? ", second moments " + time_text(measuring.moments_s) : "";
  fmt::print(
      "         {} of it measuring first: running the model {}, encoding {}, errors {}{}, disk "
      "{}\n",
      time_text(measuring.seconds), time_text(measuring.forward_s), time_text(measuring.encoding_s),
      time_text(measuring.errors_s), moments, time_text(measuring.disk_s));
}

void print_time(const Forecast& forecast) {
  if (!forecast.time) return;
  const TimeEstimate& time = *forecast.time;
  const std::string disk = time.read_bytes_per_s > 0
                               ? fmt::format("disk {} at {}/s", time_text(time.disk_s),
                                             bytes_text(time.read_bytes_per_s))
                               : "disk not measured";
  fmt::print("time     about {}, limited by {} ({}, cores {})\n", time_text(time.seconds),
             time.limit == Limit::disk ? "the disk" : "the cores", disk, time_text(time.cores_s));
  if (time.measuring) print_measuring_time(*time.measuring);
  if (time.calibration) print_calibration_time(*time.calibration);
  for (const ConversionRate& rate : time.conversions) {
    fmt::print("         {:<6} to {:<8} {:>8} weights, {:>7} weights/s, {}\n", name(rate.source),
               name(rate.type), count_text(static_cast<double>(rate.weights)),
               count_text(rate.weights_per_s),
               time_text(static_cast<double>(rate.weights) / rate.weights_per_s));
    if (!rate.made_up.empty()) {
      fmt::print("         {:<6}    measured on made-up weights: {}\n", "",
                 printable(rate.made_up));
    }
  }
}

void print_forecast(const Forecast& forecast) {
  const PlanView& plan = forecast.plan;
  print_tensors(plan);
  fmt::print("\n");
  print_types(plan);
  if (plan.parts.size() > 1) print_parts(plan);
  if (!plan.shares.empty()) print_shares(plan);
  fmt::print("\nsize     {} from {}, {:.3f} bits per weight ({} weights)\n",
             size_text(plan.output_bytes), size_text(plan.input_bytes),
             bits_of(data_bytes(plan), plan.weights),
             count_text(static_cast<double>(plan.weights)));
  if (plan.mix) {
    fmt::print("choice   {}\n         measurements kept in {}\n", choice_text(*plan.mix),
               printable(plan.mix->file));
  }
  print_disk(forecast);
  print_memory(forecast.memory);
  if (plan.calibration) print_calibration(*plan.calibration);
  fmt::print("spindle  {}: {}\n", forecast.shared_spindle ? "shared" : "separate",
             printable(forecast.spindle));
  print_time(forecast);
}

}  // namespace

void run_plan(const QuantizeOptions& options, const PlanArguments& arguments) {
  const bool choose = !arguments.no_measuring;
  if (choose && options.target.given()) catch_stop_signals();  // what is measured is kept
  ProgressDisplay display;
  const Forecast result =
      forecast(options, {.estimate = !arguments.no_estimate, .choose = choose}, display);
  display.end();
  if (arguments.json) {
    print_json(to_json(result));
  } else {
    print_forecast(result);
  }
  for (const std::string& note : result.plan.notes) {
    console::note(printable(note));
  }
  const std::size_t missing = result.plan.missing_importance.size();
  if (missing > 0 && !options.ignore_imatrix_rules) {
    console::note(fmt::format(
        "{} would get a very-low-bit type without importance values; quantize will refuse this "
        "without --imatrix or --ignore-imatrix-rules",
        counted(missing, "tensor")));
  }
}

}  // namespace sluice::cli
