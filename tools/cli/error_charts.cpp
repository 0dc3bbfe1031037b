#include "error_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "svg.h"

namespace sluice::cli {
namespace {

constexpr double kWidth = 720;

// Below this an error is nothing, and a logarithmic axis would have no end.
constexpr double kLeastShown = 1e-12;
constexpr double kMostShown = 1e12;

bool shown(const ErrorPoint& point) {
  return std::isfinite(point.error) && point.error > kLeastShown && point.error < kMostShown;
}

std::string tip_of(const ErrorPoint& point) {
  return fmt::format("{}: {:.3g} ({})", point.name, point.error, point.type);
}

constexpr std::array kStyles = {"c0", "c1", "c2", "c3", "c4", "c7"};
static_assert(kStyles.size() == kTensorGroups);

// As many layer numbers as have room.
std::uint32_t label_step(std::uint32_t layers) {
  for (const std::uint32_t step : {1u, 2u, 5u, 10u, 20u, 50u, 100u}) {
    if (layers / step <= 20) return step;
  }
  return 200;
}

}  // namespace

void ErrorScale::include(std::span<const ErrorPoint> points) {
  for (const ErrorPoint& point : points) {
    if (!shown(point)) continue;
    errors_.push_back(point.error);
    if (point.place.layer) layers_ = std::max(layers_, *point.place.layer + 1);
  }
  std::sort(errors_.begin(), errors_.end());
}

double ErrorScale::colour_begin(int colour) const {
  return errors_[errors_.size() * static_cast<std::size_t>(colour) / kColours];
}

int ErrorScale::colour_of(double error) const {
  int colour = 0;
  while (colour + 1 < kColours && error >= colour_begin(colour + 1)) ++colour;
  return colour;
}

std::string error_by_layer(std::span<const ErrorPoint> points, const ErrorScale& scale,
                           const std::string& title) {
  constexpr double kHeight = 320;
  constexpr double kLeft = 60;
  constexpr double kRight = kWidth - 12;
  constexpr double kTop = 12;
  constexpr double kBottom = kHeight - 44;
  constexpr double kOutside = 56;  // room for what is outside the layers
  Svg svg(kWidth, kHeight, title,
          "One mark for each quantized tensor: its layer across, its relative squared error up, on "
          "a logarithmic scale. The table has the numbers.");
  const std::vector<double> ticks = log_ticks(scale.least(), scale.most());
  const double low = std::log(ticks.front());
  const double high = std::log(ticks.back());
  const auto y_of = [&](double error) {
    return kBottom - (std::log(error) - low) / (high - low) * (kBottom - kTop);
  };
  for (const double tick : ticks) {
    svg.line(kLeft, y_of(tick), kRight, y_of(tick));
    svg.text(kLeft - 8, y_of(tick) + 4, Svg::Anchor::end, fmt::format("{:g}", tick));
  }
  const double first = kLeft + kOutside;
  const double column = (kRight - first) / std::max(1u, scale.layers());
  const std::uint32_t step = label_step(scale.layers());
  for (std::uint32_t layer = 0; layer < scale.layers(); layer += step) {
    svg.text(first + (layer + 0.5) * column, kBottom + 18, Svg::Anchor::middle,
             fmt::format("{}", layer));
  }
  svg.text(kLeft + kOutside / 2, kBottom + 18, Svg::Anchor::middle, "outside");
  svg.text((first + kRight) / 2, kBottom + 36, Svg::Anchor::middle, "layer");
  for (const ErrorPoint& point : points) {
    if (!shown(point)) continue;
    // Groups stand beside one another, so that none hides another of about the same error.
    const auto group = static_cast<int>(point.place.group);
    const double aside =
        (group - 0.5 * (kTensorGroups - 1)) * std::min(8.0, column / (kTensorGroups + 1));
    const double x = point.place.layer ? first + (*point.place.layer + 0.5) * column + aside
                                       : kLeft + kOutside / 2;
    svg.mark(x, y_of(point.error), group, kStyles.at(static_cast<std::size_t>(group)),
             tip_of(point));
  }
  return svg.take();
}

std::string error_legend(std::span<const ErrorPoint> points) {
  std::set<TensorGroup> groups;
  for (const ErrorPoint& point : points) {
    if (shown(point)) groups.insert(point.place.group);
  }
  std::string items;
  for (const TensorGroup group : groups) {
    const auto index = static_cast<int>(group);
    items += legend_item(index, kStyles.at(static_cast<std::size_t>(index)), name(group));
  }
  return legend(items);
}

std::string error_map(std::span<const ErrorPoint> points, const ErrorScale& scale,
                      const std::string& title) {
  constexpr std::size_t kMostRows = 40;
  constexpr double kRow = 20;
  constexpr double kLeft = 150;
  constexpr double kRight = kWidth - 12;
  std::map<std::pair<TensorGroup, std::string>, std::vector<const ErrorPoint*>> kinds;
  for (const ErrorPoint& point : points) {
    if (shown(point) && point.place.layer) {
      kinds[{point.place.group, point.place.kind}].push_back(&point);
    }
  }
  if (kinds.empty()) return "<p>No tensor of a layer was quantized.</p>\n";
  const std::size_t rows = std::min(kMostRows, kinds.size());
  const double bottom = 4 + kRow * static_cast<double>(rows);
  Svg svg(kWidth, bottom + 44, title,
          "One cell for each quantized tensor of a layer: layers across, kinds of tensors down; "
          "the darker or brighter, the larger the relative squared error. The table has the "
          "numbers.");
  const double column = (kRight - kLeft) / std::max(1u, scale.layers());
  double y = 4;
  std::size_t row = 0;
  for (const auto& [kind, cells] : kinds) {
    if (row++ == kMostRows) break;
    std::string label = kind.second;
    if (constexpr std::size_t kLongest = 22; label.size() > kLongest) {
      label = label.substr(0, kLongest - 1) + "…";
    }
    svg.text(kLeft - 8, y + kRow / 2 + 4, Svg::Anchor::end, label);
    for (const ErrorPoint* cell : cells) {
      svg.rect(kLeft + *cell->place.layer * column, y, std::max(1.0, column - 1), kRow - 1,
               fmt::format("h{}", scale.colour_of(cell->error)), tip_of(*cell));
    }
    y += kRow;
  }
  const std::uint32_t step = label_step(scale.layers());
  for (std::uint32_t layer = 0; layer < scale.layers(); layer += step) {
    svg.text(kLeft + (layer + 0.5) * column, bottom + 18, Svg::Anchor::middle,
             fmt::format("{}", layer));
  }
  svg.text((kLeft + kRight) / 2, bottom + 36, Svg::Anchor::middle, "layer");
  return svg.take();
}

std::string error_map_legend(const ErrorScale& scale) {
  std::string items;
  for (int colour = 0; colour < ErrorScale::kColours; ++colour) {
    const double begin = scale.colour_begin(colour);
    const bool last = colour + 1 == ErrorScale::kColours;
    const double end = last ? scale.most() : scale.colour_begin(colour + 1);
    if (begin == end && !last) continue;  // no error has it
    items +=
        legend_item(1, fmt::format("h{}", colour), fmt::format("{:.3g} to {:.3g}", begin, end));
  }
  return legend(items);
}

}  // namespace sluice::cli
