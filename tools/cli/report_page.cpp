#include "report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "sluice/amounts.h"
#include "text.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::json;
using Runs = std::span<const ReportedRun>;

std::string base_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string text_in(const Json& report, const char* key) {
  return report.value(key, std::string());
}

std::optional<double> number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::nullopt : std::optional(found->get<double>());
}

double sum_over_tensors(const Json& report, const char* key) {
  double sum = 0;
  for (const Json& tensor : report["tensors"]) sum += tensor.value(key, 0.0);
  return sum;
}

double weights_of(const Json& report) {
  double sum = 0;
  for (const Json& tensor : report["tensors"]) {
    double weights = tensor.contains("shape") ? 1 : 0;
    for (const Json& extent : tensor.value("shape", Json::array())) weights *= extent.get<double>();
    sum += weights;
  }
  return sum;
}

std::string model_of(const ReportedRun& run) {
  for (const std::string& name : {text_in(run.report, "model"), text_in(run.report, "input")}) {
    if (!name.empty()) return base_name(name);
  }
  return base_name(run.file);
}

// What tells the runs from one another, in as few words as do.
std::vector<std::string> labels_of(Runs runs) {
  const std::function<std::string(const ReportedRun&)> candidates[] = {
      [](const ReportedRun& run) { return text_in(run.report, "file_type"); },
      [](const ReportedRun& run) { return base_name(text_in(run.report, "output")); },
      [](const ReportedRun& run) { return base_name(run.file); },
      [](const ReportedRun& run) { return run.file; }};
  std::vector<std::string> labels;
  for (const auto& candidate : candidates) {
    labels.clear();
    for (const ReportedRun& run : runs) labels.push_back(candidate(run));
    const std::set<std::string> distinct(labels.begin(), labels.end());
    if (distinct.size() == labels.size() && !distinct.contains("")) return labels;
  }
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = fmt::format("{} ({})", labels[i], i + 1);
  return labels;
}

std::string title_of(Runs runs, const std::vector<std::string>& labels) {
  const std::string model = model_of(runs.front());
  const bool one_model = std::all_of(
      runs.begin(), runs.end(), [&](const ReportedRun& run) { return model_of(run) == model; });
  if (runs.size() == 1) {
    const std::string type = text_in(runs.front().report, "file_type");
    return type.empty() ? model : model + " as " + type;
  }
  std::string all;
  for (const std::string& label : labels) {
    all += (all.empty() ? "" : label == labels.back() ? " and " : ", ") + label;
  }
  return one_model ? model + " as " + all : all;
}

// In a sentence; whatever the report lacks is left out of it.
std::string origin_of(const ReportedRun& run) {
  const Json& report = run.report;
  const std::string input = text_in(report, "input");
  const std::string imatrix = text_in(report, "imatrix");
  const std::string version = text_in(report, "version");
  const std::string date = text_in(report, "date");
  if (input.empty()) {
    return base_name(run.file) +
           ": this report does not tell what it is of, as those of older versions.";
  }
  return fmt::format(
      "{} from {}{}{}{}{}.", base_name(text_in(report, "output")), base_name(input),
      imatrix.empty() ? ", without an importance matrix" : ", weighted by " + base_name(imatrix),
      report.contains("effort") ? ", effort " + text_in(report, "effort") : "",
      version.empty() ? "" : ", by sluice " + version,
      date.empty() ? "" : " on " + date.substr(0, date.find('T')));
}

/// The run's total error by one measure.
std::optional<double> total_of(const ReportedRun& run, const char* measure) {
  const auto total = run.report.find("total_error");
  return total == run.report.end() ? std::nullopt : number_in(*total, measure);
}

// Errors that count weights by their importance can be compared if the importance is one.
const char* common_measure(Runs runs) {
  const auto matrix = [](const ReportedRun& run) { return text_in(run.report, "imatrix"); };
  const bool one = std::all_of(runs.begin(), runs.end(), [&](const ReportedRun& run) {
    return matrix(run) == matrix(runs.front()) && total_of(run, "weighted");
  });
  return one ? "weighted" : "plain";
}

std::string digits_of(double error) {
  return fmt::format("{:.4g}", error);
}

struct Limit {
  const char* name;
  const char* key;
};
constexpr std::array kLimits = {Limit{"disk", "wait_disk_s"}, Limit{"cores", "wait_cores_s"},
                                Limit{"memory", "wait_budget_s"}};

KeyFigure::Value limit_of(const ReportedRun& run) {
  double all = 0;
  std::vector<std::pair<double, const char*>> waits;
  for (const Limit& limit : kLimits) {
    waits.emplace_back(number_in(run.report, limit.key).value_or(0), limit.name);
    all += waits.back().first;
  }
  if (all <= 0) return {"", "not told", ""};
  std::sort(waits.rbegin(), waits.rend());
  std::string others;
  for (const auto& [seconds, name] : waits) {
    others += fmt::format("{}{} {:.0f} %", others.empty() ? "" : ", ", name, 100 * seconds / all);
  }
  return {"", waits.front().second, others + " of the time"};
}

KeyFigure::Value error_of(const ReportedRun& run) {
  const auto weighted = total_of(run, "weighted");
  const auto plain = total_of(run, "plain");
  if (!weighted && !plain) return {"", "not told", "in this report"};
  const double measured = total_of(run, "measured_weights").value_or(0);
  const double all = total_of(run, "weights").value_or(0);
  const std::string share =
      measured < all ? fmt::format("; of {:.0f} % of the weights", 100 * measured / all) : "";
  if (!weighted) return {"", digits_of(*plain), "of all weights alike" + share};
  return {"", digits_of(*weighted),
          "weighted by importance" + (plain ? ", plain " + digits_of(*plain) : "") + share};
}

KeyFigure::Value size_of(const ReportedRun& run) {
  const double bytes = sum_over_tensors(run.report, "bytes");
  const double weights = weights_of(run.report);
  return {"", bytes_text(bytes),
          (weights > 0 ? fmt::format("{:.3f} bits a weight, ", 8 * bytes / weights) : "") +
              counted(run.report["tensors"].size(), "tensor")};
}

KeyFigure::Value duration_of(const ReportedRun& run) {
  const auto seconds = number_in(run.report, "wall_s");
  const auto read = number_in(run.report, "read_bytes");
  if (!seconds) return {"", "not told", ""};
  return {"", time_text(*seconds),
          read && *seconds > 0 ? bytes_text(*read / *seconds) + "/s read" : ""};
}

std::vector<KeyFigure> figures_of(Runs runs, const std::vector<std::string>& labels) {
  constexpr std::pair<const char*, KeyFigure::Value (*)(const ReportedRun&)> kFigures[] = {
      {"Total error", error_of},
      {"Size", size_of},
      {"Time", duration_of},
      {"Limited by", limit_of}};
  std::vector<KeyFigure> figures;
  for (const auto& [name, value] : kFigures) {
    figures.push_back({name, {}});
    for (std::size_t i = 0; i < runs.size(); ++i) {
      figures.back().values.push_back(value(runs[i]));
      if (runs.size() > 1) figures.back().values.back().of = labels[i];
    }
  }
  return figures;
}

// "IQ2_M has the least error, 0.04 against 0.09."
std::string best_of(const std::string& superlative, const char* equal,
                    const std::vector<std::string>& labels,
                    const std::vector<std::optional<double>>& values,
                    const std::function<std::string(double)>& text) {
  std::vector<std::pair<double, std::size_t>> ranked;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i]) ranked.emplace_back(*values[i], i);
  }
  if (ranked.size() < 2) return "";
  std::sort(ranked.begin(), ranked.end());
  const std::string best = text(ranked.front().first);
  if (best == text(ranked.back().first)) return fmt::format("{}, {}. ", equal, best);
  std::string others;
  for (std::size_t i = 1; i < ranked.size(); ++i) {
    others += (others.empty() ? "" : " and ") + text(ranked[i].first);
  }
  return fmt::format("{} {}, {} against {}. ", labels[ranked.front().second], superlative, best,
                     others);
}

std::string verdict(Runs runs, const std::vector<std::string>& labels) {
  const char* measure = common_measure(runs);
  std::vector<std::optional<double>> errors;
  std::vector<std::optional<double>> sizes;
  std::vector<std::optional<double>> times;
  for (const ReportedRun& run : runs) {
    errors.push_back(total_of(run, measure));
    sizes.emplace_back(sum_over_tensors(run.report, "bytes"));
    times.push_back(number_in(run.report, "wall_s"));
  }
  const std::string error = best_of(fmt::format("has the least {} error", measure),
                                    "All have the same error", labels, errors, digits_of);
  return (error.empty() ? "The reports do not tell the errors of both. " : error) +
         best_of("is the smallest", "All are of one size", labels, sizes, bytes_text) +
         best_of("was made fastest", "All took the same time", labels, times, time_text);
}

/// A fact of a run in words; nothing if the report does not tell.
struct RunFact {
  const char* name;
  std::function<std::string(const Json&)> text;
};

RunFact text_fact(const char* name, const char* key) {
  return {name, [key](const Json& report) { return text_in(report, key); }};
}

RunFact number_fact(const char* name, const char* key, std::string (*text)(double)) {
  return {name, [key, text](const Json& report) {
            const auto value = number_in(report, key);
            return value ? text(*value) : std::string();
          }};
}

const std::vector<RunFact>& run_facts() {
  static const std::vector<RunFact> kFacts = {
      text_fact("model", "model"),
      text_fact("architecture", "architecture"),
      text_fact("type asked for", "file_type"),
      text_fact("input", "input"),
      text_fact("output", "output"),
      text_fact("importance matrix", "imatrix"),
      text_fact("effort", "effort"),
      number_fact("time", "wall_s", time_text),
      number_fact("reading", "read_s", time_text),
      number_fact("writing", "write_s", time_text),
      number_fact("computing, all threads", "compute_s", time_text),
      number_fact("read", "read_bytes", bytes_text),
      number_fact("written", "write_bytes", bytes_text),
      number_fact("made by an earlier run", "resumed_bytes",
                  [](double bytes) { return bytes > 0 ? bytes_text(bytes) : std::string(); }),
      number_fact("most memory", "peak_anon_bytes", bytes_text),
      number_fact("threads", "threads", [](double n) { return fmt::format("{:.0f}", n); }),
      text_fact("kernels", "isa"),
      text_fact("how it was read", "io"),
      {"disks",
       [](const Json& report) {
         const std::string why = text_in(report, "spindle_reason");
         return text_in(report, "spindle") + (why.empty() ? "" : " (" + why + ")");
       }},
      text_fact("program", "version"),
      text_fact("begun", "date"),
      text_fact("command", "command")};
  return kFacts;
}

}  // namespace

Page report_page(Runs runs) {
  const std::vector<std::string> labels = labels_of(runs);
  Page page{.title = title_of(runs, labels),
            .lead = {},
            .figures = figures_of(runs, labels),
            .columns = runs.size() > 1 ? labels : std::vector<std::string>(),
            .facts = {},
            .data = {{"page", "report"}, {"runs", Json::array()}}};
  if (runs.size() > 1) page.lead.push_back(verdict(runs, labels));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    page.lead.push_back(origin_of(runs[i]));
    page.data["runs"].push_back({{"label", labels[i]},
                                 {"tensors", runs[i].report["tensors"]},
                                 {"samples", runs[i].report["samples"]}});
  }
  for (const RunFact& fact : run_facts()) {
    page.facts.push_back({fact.name, {}});
    for (const ReportedRun& run : runs) page.facts.back().cells.push_back(fact.text(run.report));
  }
  return page;
}

}  // namespace sluice::cli
