#include "run_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "sluice/amounts.h"
#include "text.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::json;

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

/// The run's total error by one measure.
std::optional<double> total_of(const ReportedRun& run, const char* measure) {
  const auto total = run.report.find("total_error");
  return total == run.report.end() ? std::nullopt : number_in(*total, measure);
}

// Errors that count weights by their importance can be compared if the importance is one; without
// any they are the plain ones.
const char* common_measure(Runs runs) {
  const auto matrix = [](const ReportedRun& run) { return text_in(run.report, "imatrix"); };
  const bool one = std::all_of(runs.begin(), runs.end(), [&](const ReportedRun& run) {
    return !matrix(run).empty() && matrix(run) == matrix(runs.front()) && total_of(run, "weighted");
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
  if (!weighted || weighted == plain) {
    return {"", digits_of(*plain), "all weights alike" + share};
  }
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

}  // namespace

std::string text_in(const Json& report, const char* key) {
  return report.value(key, std::string());
}

std::optional<double> number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::nullopt : std::optional(found->get<double>());
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

}  // namespace sluice::cli
