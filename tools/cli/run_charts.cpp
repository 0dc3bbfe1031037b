#include "run_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "svg.h"
#include "tensor_groups.h"
#include "text.h"

namespace sluice::cli {
namespace {

constexpr double kWidth = 720;

std::string type_style(std::span<const std::string> types, const std::string& type) {
  constexpr std::size_t kColours = 7;  // the eighth stands for all further types
  const auto index =
      static_cast<std::size_t>(std::find(types.begin(), types.end(), type) - types.begin());
  return fmt::format("c{}", std::min(index, kColours));
}

struct Kind {
  double bytes = 0;
  std::size_t tensors = 0;
  std::map<std::string, double> types;
};

std::map<std::string, Kind> kinds_of(const ReportedRun& run) {
  std::map<std::string, Kind> kinds;
  for (const ReportedTensor& tensor : run.tensors) {
    Kind& kind = kinds[place_of(tensor.name).kind];
    kind.bytes += tensor.bytes;
    ++kind.tensors;
    kind.types[tensor.type] += tensor.bytes;
  }
  return kinds;
}

/// A stretch of a run's history.
struct Stretch {
  double begin_s;
  double end_s;
  double read_rate;  // bytes a second
  double write_rate;
  std::string limit;
};

// At most so many, for more are not seen.
std::vector<Stretch> history_of(const ReportedRun& run) {
  constexpr std::size_t kMost = 240;
  std::vector<Stretch> history;
  const std::size_t step = run.samples.size() / kMost + 1;
  ReportedSample last;
  for (std::size_t i = step - 1; i < run.samples.size(); i += step) {
    const ReportedSample& sample = run.samples[i];
    const double passed = sample.time_s - last.time_s;
    if (passed <= 0) continue;
    history.push_back({.begin_s = last.time_s,
                       .end_s = sample.time_s,
                       .read_rate = std::max(0.0, sample.read - last.read) / passed,
                       .write_rate = std::max(0.0, sample.written - last.written) / passed,
                       .limit = sample.limit});
    last = sample;
  }
  return history;
}

struct LimitStyle {
  const char* limit;
  const char* style;
  const char* meaning;
};

constexpr LimitStyle kLimits[] = {{"disk", "c5", "limited by the disk"},
                                  {"cores", "c3", "limited by the cores"},
                                  {"budget", "c6", "limited by memory"}};

const LimitStyle* limit_style(const std::string& limit) {
  const auto* found = std::find_if(std::begin(kLimits), std::end(kLimits),
                                   [&](const LimitStyle& each) { return each.limit == limit; });
  return found == std::end(kLimits) ? nullptr : found;
}

}  // namespace

std::vector<std::string> types_by_size(std::span<const ReportedRun> runs) {
  std::map<std::string, double> bytes;
  for (const ReportedRun& run : runs) {
    for (const ReportedTensor& tensor : run.tensors) bytes[tensor.type] += tensor.bytes;
  }
  std::vector<std::string> types;
  for (const auto& [type, size] : bytes) types.push_back(type);
  std::stable_sort(types.begin(), types.end(), [&](const std::string& a, const std::string& b) {
    return bytes.at(a) > bytes.at(b);
  });
  return types;
}

std::string type_legend(std::span<const std::string> types) {
  constexpr std::size_t kMost = 8;
  std::string items;
  for (const std::string& type : types.first(std::min(kMost, types.size()))) {
    const bool last = types.size() > kMost && type == types[kMost - 1];
    items += legend_item(1, type_style(types, type), last ? "other types" : type);
  }
  return legend(items);
}

double largest_kind(std::span<const ReportedRun> runs) {
  double most = 0;
  for (const ReportedRun& run : runs) {
    for (const auto& [name, kind] : kinds_of(run)) most = std::max(most, kind.bytes);
  }
  return most;
}

std::string size_by_kind(const ReportedRun& run, std::span<const std::string> types, double most,
                         const std::string& title) {
  constexpr std::size_t kMostRows = 24;
  constexpr double kRow = 24;
  constexpr double kLeft = 150;
  constexpr double kRight = kWidth - 90;  // room for the size
  const std::map<std::string, Kind> kinds = kinds_of(run);
  std::vector<std::pair<std::string, const Kind*>> rows;
  for (const auto& [name, kind] : kinds) rows.emplace_back(name, &kind);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second->bytes > b.second->bytes; });
  const std::size_t left_out = rows.size() - std::min(kMostRows, rows.size());
  rows.resize(rows.size() - left_out);

  Svg svg(kWidth, kRow * static_cast<double>(rows.size()) + (left_out > 0 ? 28 : 8), title,
          "One bar for each kind of tensor, as long as its bytes, divided by type.");
  double y = 4;
  for (const auto& [name, kind] : rows) {
    std::string label = name;
    if (constexpr std::size_t kLongest = 22; label.size() > kLongest) {
      label = label.substr(0, kLongest - 1) + "…";
    }
    svg.text(kLeft - 8, y + kRow / 2 + 4, Svg::Anchor::end, label);
    double x = kLeft;
    for (const std::string& type : types) {
      const auto found = kind->types.find(type);
      if (found == kind->types.end() || found->second <= 0) continue;
      const double width = found->second / std::max(1.0, most) * (kRight - kLeft);
      svg.rect(x, y + 2, std::max(1.0, width - 2), kRow - 6, type_style(types, type),
               fmt::format("{} as {}: {}", name, type, bytes_text(found->second)));
      x += width;
    }
    svg.text(x + 6, y + kRow / 2 + 4, Svg::Anchor::start, bytes_text(kind->bytes));
    y += kRow;
  }
  if (left_out > 0) {
    svg.text(kLeft, y + 16, Svg::Anchor::start,
             fmt::format("and {} smaller kinds, see the table", left_out));
  }
  return svg.take();
}

double largest_rate(std::span<const ReportedRun> runs) {
  double most = 0;
  for (const ReportedRun& run : runs) {
    for (const Stretch& stretch : history_of(run)) {
      most = std::max({most, stretch.read_rate, stretch.write_rate});
    }
  }
  return most;
}

std::string throughput(const ReportedRun& run, double most, const std::string& title) {
  constexpr double kHeight = 280;
  constexpr double kLeft = 60;
  constexpr double kRight = kWidth - 12;
  constexpr double kTop = 12;
  constexpr double kBottom = kHeight - 64;
  constexpr double kStrip = 12;  // height of the row of limits
  const std::vector<Stretch> history = history_of(run);
  if (history.size() < 2) return "<p>The run was too short to have a history.</p>\n";
  Svg svg(kWidth, kHeight, title,
          "Bytes read and written a second over the run's time, and below what the run waited "
          "for.");
  // Ticks that are round in the unit that is shown.
  double unit = 1;
  while (most / unit >= 1024 && unit < 1e12) unit *= 1024;
  const std::vector<double> ticks = linear_ticks(most / unit);
  const double top = ticks.back() * unit;
  const auto y_of = [&](double rate) { return kBottom - rate / top * (kBottom - kTop); };
  for (const double tick : ticks) {
    svg.line(kLeft, y_of(tick * unit), kRight, y_of(tick * unit));
    svg.text(kLeft - 8, y_of(tick * unit) + 4, Svg::Anchor::end, fmt::format("{:g}", tick));
  }
  const std::string unit_name = bytes_text(unit).substr(bytes_text(unit).find(' ') + 1);
  svg.text(kLeft - 8, kBottom + 18, Svg::Anchor::end, unit_name + "/s");
  const double end_s = history.back().end_s;
  const auto x_of = [&](double time) { return kLeft + time / end_s * (kRight - kLeft); };
  std::string read;
  std::string written;
  for (const Stretch& stretch : history) {
    const double middle = x_of((stretch.begin_s + stretch.end_s) / 2);
    read += fmt::format("{:.1f},{:.1f} ", middle, y_of(stretch.read_rate));
    written += fmt::format("{:.1f},{:.1f} ", middle, y_of(stretch.write_rate));
    if (const LimitStyle* limit = limit_style(stretch.limit)) {
      svg.rect(x_of(stretch.begin_s), kBottom + 26,
               x_of(stretch.end_s) - x_of(stretch.begin_s) + 0.2, kStrip, limit->style,
               fmt::format("{} to {}: {}, read {}/s, written {}/s", time_text(stretch.begin_s),
                           time_text(stretch.end_s), limit->meaning, bytes_text(stretch.read_rate),
                           bytes_text(stretch.write_rate)));
    }
  }
  svg.polyline(read, "s0", "read");
  svg.polyline(written, "s1", "written");
  svg.text(kLeft, kHeight - 8, Svg::Anchor::start, "0 s");
  svg.text(x_of(end_s / 2), kHeight - 8, Svg::Anchor::middle, time_text(end_s / 2));
  svg.text(kRight, kHeight - 8, Svg::Anchor::end, time_text(end_s));
  return svg.take();
}

std::string throughput_legend() {
  std::string items = legend_item(1, "c0", "read") + legend_item(1, "c1", "written");
  for (const LimitStyle& limit : kLimits) items += legend_item(1, limit.style, limit.meaning);
  return legend(items);
}

}  // namespace sluice::cli
