#include "report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "error_charts.h"
#include "html_page.h"
#include "run_charts.h"
#include "text.h"

namespace sluice::cli {
namespace {

std::string label_of(const ReportedRun& run) {
  return std::filesystem::path(run.file).filename().string();
}

/// A fact of a run in words; nothing if the report does not tell.
using Fact = std::function<std::string(const ReportedRun&)>;

std::string if_known(const std::optional<double>& value,
                     const std::function<std::string(double)>& text) {
  return value ? text(*value) : "";
}

std::string size_fact(const ReportedRun& run) {
  double bytes = 0;
  double weights = 0;
  for (const ReportedTensor& tensor : run.tensors) {
    bytes += tensor.bytes;
    weights += tensor.weights;
  }
  return bytes_text(bytes) +
         (weights > 0 ? fmt::format(", {:.3f} bits per weight", 8 * bytes / weights) : "");
}

std::string limit_fact(const ReportedRun& run) {
  if (!run.wait_disk_s || !run.wait_cores_s || !run.wait_budget_s) return "";
  const double all = std::max(1e-9, *run.wait_disk_s + *run.wait_cores_s + *run.wait_budget_s);
  return fmt::format("disk {:.0f} %, cores {:.0f} %, memory {:.0f} %", 100 * *run.wait_disk_s / all,
                     100 * *run.wait_cores_s / all, 100 * *run.wait_budget_s / all);
}

std::string rate_fact(const ReportedRun& run) {
  if (!run.read_bytes || !run.wall_s || *run.wall_s <= 0) return "";
  return bytes_text(*run.read_bytes / *run.wall_s) + "/s";
}

std::string facts_table(std::span<const ReportedRun> runs) {
  const std::vector<std::pair<const char*, Fact>> facts = {
      {"size", size_fact},
      {"tensors", [](const ReportedRun& run) { return fmt::format("{}", run.tensors.size()); }},
      {"time", [](const ReportedRun& run) { return if_known(run.wall_s, time_text); }},
      {"reading", [](const ReportedRun& run) { return if_known(run.read_s, time_text); }},
      {"writing", [](const ReportedRun& run) { return if_known(run.write_s, time_text); }},
      {"computing, all threads",
       [](const ReportedRun& run) { return if_known(run.compute_s, time_text); }},
      {"limited by", limit_fact},
      {"read", [](const ReportedRun& run) { return if_known(run.read_bytes, bytes_text); }},
      {"read rate", rate_fact},
      {"written", [](const ReportedRun& run) { return if_known(run.write_bytes, bytes_text); }},
      {"made by an earlier run",
       [](const ReportedRun& run) {
         return run.resumed_bytes.value_or(0) > 0 ? bytes_text(*run.resumed_bytes) : "";
       }},
      {"most memory",
       [](const ReportedRun& run) { return if_known(run.peak_anon_bytes, bytes_text); }},
      {"threads",
       [](const ReportedRun& run) {
         return if_known(run.threads, [](double n) { return fmt::format("{:.0f}", n); });
       }},
      {"kernels", [](const ReportedRun& run) { return run.isa; }},
      {"input and output",
       [](const ReportedRun& run) {
         return run.spindle + (run.spindle_reason.empty() ? "" : " (" + run.spindle_reason + ")") +
                (run.io.empty() ? "" : ", " + run.io);
       }},
  };
  std::string head;
  for (const ReportedRun& run : runs)
    head += "<th class=\"text\">" + escaped(label_of(run)) + "</th>";
  std::string rows;
  for (const auto& [what, fact] : facts) {
    std::string cells;
    bool known = false;
    for (const ReportedRun& run : runs) {
      const std::string text = fact(run);
      known = known || !text.empty();
      cells += "<td class=\"text\">" + escaped(text) + "</td>";
    }
    if (known) rows += fmt::format("<tr><th scope=\"row\">{}</th>{}</tr>\n", what, cells);
  }
  return fmt::format(
      "<div class=\"panel scroll\"><table><thead><tr><th></th>{}</tr></thead>\n<tbody>\n{}</tbody>"
      "</table></div>\n",
      head, rows);
}

/// Which of the two errors a report has, and the pictures show.
struct ErrorKind {
  bool weighted = false;

  std::optional<double> of(const ReportedTensor& tensor) const {
    return weighted ? tensor.weighted_error : tensor.plain_error;
  }
};

// The one that the encoders make small, where all runs know it.
ErrorKind error_kind(std::span<const ReportedRun> runs) {
  return {std::all_of(runs.begin(), runs.end(), [](const ReportedRun& run) {
    return std::any_of(run.tensors.begin(), run.tensors.end(), [](const ReportedTensor& tensor) {
      return tensor.weighted_error.value_or(0) > 0;
    });
  })};
}

std::vector<ErrorPoint> points_of(const ReportedRun& run, ErrorKind kind) {
  std::vector<ErrorPoint> points;
  for (const ReportedTensor& tensor : run.tensors) {
    if (tensor.copied()) continue;
    points.push_back({.name = tensor.name,
                      .place = place_of(tensor.name),
                      .type = tensor.type,
                      .error = kind.of(tensor).value_or(0)});
  }
  return points;
}

// A panel for each run, side by side where there is room.
std::string panels(std::span<const ReportedRun> runs,
                   const std::function<std::string(std::size_t)>& content) {
  std::string all;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string heading =
        runs.size() > 1 ? "<h3>" + escaped(label_of(runs[i])) + "</h3>\n" : "";
    all += "<div class=\"panel\">" + heading + content(i) + "</div>\n";
  }
  return "<div class=\"runs\">\n" + all + "</div>\n";
}

std::string error_sections(std::span<const ReportedRun> runs) {
  const ErrorKind kind = error_kind(runs);
  std::vector<std::vector<ErrorPoint>> points;
  ErrorScale scale;
  for (const ReportedRun& run : runs) {
    points.push_back(points_of(run, kind));
    scale.include(points.back());
  }
  if (scale.empty()) {
    return "<h2>Error</h2>\n<p>The report has no errors: they are measured where all of a tensor "
           "was made in one run with --report.</p>\n";
  }
  const std::string what = kind.weighted ? "Each column of weights counts by its importance."
                                         : "All weights count the same.";
  return fmt::format(
             "<h2>Error of each tensor</h2>\n<p>The squared error of the quantized weights, "
             "relative "
             "to the square of the weights; lower is better, 1 is what zeros would have. {}</p>\n",
             what) +
         panels(runs,
                [&](std::size_t i) {
                  return error_legend(points[i]) +
                         error_by_layer(points[i], scale, "Error of each tensor by layer");
                }) +
         "<h2>Error by kind of tensor and layer</h2>\n<p>Each colour stands for as many "
         "tensors.</p>\n" +
         error_map_legend(scale) + panels(runs, [&](std::size_t i) {
           return error_map(points[i], scale, "Error by kind of tensor and layer");
         });
}

std::string size_section(std::span<const ReportedRun> runs) {
  const std::vector<std::string> types = types_by_size(runs);
  const double most = largest_kind(runs);
  return "<h2>Size of each kind of tensor</h2>\n" + type_legend(types) +
         panels(runs, [&](std::size_t i) {
           return size_by_kind(runs[i], types, most, "Size of each kind of tensor");
         });
}

std::string throughput_section(std::span<const ReportedRun> runs) {
  if (std::all_of(runs.begin(), runs.end(),
                  [](const ReportedRun& run) { return run.samples.empty(); })) {
    return "";
  }
  const double most = largest_rate(runs);
  return "<h2>Throughput over time</h2>\n" + throughput_legend() + panels(runs, [&](std::size_t i) {
           return throughput(runs[i], most, "Throughput over time, and what limited it");
         });
}

std::string number_text(const std::optional<double>& value) {
  return value ? fmt::format("{:.4g}", *value) : "";
}

std::string tensor_table(const ReportedRun& run) {
  std::string rows;
  for (const ReportedTensor& tensor : run.tensors) {
    const bool copied = tensor.copied();
    rows += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        escaped(tensor.name), escaped(tensor.source), escaped(tensor.type),
        bytes_text(tensor.bytes), copied ? "copied" : number_text(tensor.weighted_error),
        copied ? "" : number_text(tensor.plain_error));
  }
  return fmt::format(
      "<details><summary>{} tensors as a table</summary>\n<div class=\"scroll\"><table>"
      "<thead><tr><th>tensor</th><th>source</th><th>type</th><th>size</th><th>weighted "
      "error</th><th>plain error</th></tr></thead>\n<tbody>\n{}</tbody></table></div></details>\n",
      run.tensors.size(), rows);
}

}  // namespace

std::string report_page(std::span<const ReportedRun> runs) {
  std::string names;
  for (const ReportedRun& run : runs) names += (names.empty() ? "" : ", ") + label_of(run);
  const std::string body = "<h1>" + escaped(names) + "</h1>\n<p>" +
                           std::string(runs.size() == 1 ? "A quantization" : "Quantizations") +
                           " by sluice. Point at a mark or a bar for its tensor and number.</p>\n" +
                           facts_table(runs) + error_sections(runs) + size_section(runs) +
                           throughput_section(runs) + "<h2>All numbers</h2>\n" +
                           panels(runs, [&](std::size_t i) { return tensor_table(runs[i]); });
  return html_page("sluice: " + names, body);
}

}  // namespace sluice::cli
