#include "report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "choice_page.h"
#include "run_figures.h"
#include "text.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::json;

std::string base_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string model_of(const ReportedRun& run) {
  std::string name = text_in(run.report, "model");
  if (!name.empty()) return name;
  const std::string input = text_in(run.report, "input");
  return base_name(input.empty() ? run.file : input);
}

bool of_one_model(Runs runs) {
  return std::all_of(runs.begin(), runs.end(), [&](const ReportedRun& run) {
    return model_of(run) == model_of(runs.front());
  });
}

// What tells the runs from one another, in as few words as do.
std::vector<std::string> labels_of(Runs runs) {
  const bool same = of_one_model(runs);
  const std::function<std::string(const ReportedRun&)> candidates[] = {
      [&](const ReportedRun& run) { return same ? text_in(run.report, "file_type") : ""; },
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
  if (runs.size() == 1) {
    const std::string type = text_in(runs.front().report, "file_type");
    return type.empty() ? model : model + " as " + type;
  }
  std::string all;
  for (const std::string& label : labels) {
    all += (all.empty() ? "" : label == labels.back() ? " and " : ", ") + label;
  }
  return of_one_model(runs) ? model + " as " + all : all;
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
      number_fact("of this from the page cache", "cached_bytes",
                  [](double bytes) { return bytes > 0 ? bytes_text(bytes) : std::string(); }),
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

/// What is told of the choice that a run was made for.
void add_choice(Page& page, const Json& choice) {
  for (KeyFigure& figure : choice_figures(choice)) page.figures.push_back(std::move(figure));
  for (Fact& fact : choice_facts(choice, {})) page.facts.push_back(std::move(fact));
  page.data["runs"][0]["choice"] = choice_data(choice, {});
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
  if (runs.size() == 1 && runs.front().report.contains("mix"))
    add_choice(page, runs.front().report["mix"]);
  return page;
}

}  // namespace sluice::cli
