#include "svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "html_page.h"

namespace sluice::cli {
namespace {

std::string tip_element(std::string_view tip) {
  return tip.empty() ? "" : "<title>" + escaped(tip) + "</title>";
}

// Circle, square, diamond, triangle, all of about one area.
std::string shape_element(double x, double y, int shape, std::string_view style,
                          std::string_view tip) {
  const std::string inside = tip_element(tip);
  switch (shape % kMarkShapes) {
    case 1:
      return fmt::format(
          "<rect class=\"mark {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"8\" height=\"8\">{}</rect>",
          style, x - 4, y - 4, inside);
    case 2:
      return fmt::format(
          "<path class=\"mark {}\" d=\"M{:.1f} {:.1f}l5.5 5.5l-5.5 5.5l-5.5 -5.5z\">{}</path>",
          style, x, y - 5.5, inside);
    case 3:
      return fmt::format("<path class=\"mark {}\" d=\"M{:.1f} {:.1f}l5.5 9.5l-11 0z\">{}</path>",
                         style, x, y - 6, inside);
    default:
      return fmt::format(
          "<circle class=\"mark {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4.5\">{}</circle>", style, x,
          y, inside);
  }
}

}  // namespace

Svg::Svg(double width, double height, std::string_view title, std::string_view description)
    : out_(fmt::format(
          "<div class=\"scroll\"><svg role=\"img\" viewBox=\"0 0 {:g} {:g}\" aria-label=\"{}\">"
          "<desc>{}</desc>\n",
          width, height, escaped(title), escaped(description))) {}

void Svg::line(double x1, double y1, double x2, double y2) {
  out_ += fmt::format(
      "<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x1, y1,
      x2, y2);
}

void Svg::rect(double x, double y, double width, double height, std::string_view style,
               std::string_view tip) {
  out_ += fmt::format(
      "<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\">{}</rect>\n",
      style, x, y, std::max(0.0, width), std::max(0.0, height), tip_element(tip));
}

void Svg::mark(double x, double y, int shape, std::string_view style, std::string_view tip) {
  out_ += shape_element(x, y, shape, style, tip) + "\n";
}

void Svg::polyline(std::string_view points, std::string_view style, std::string_view tip) {
  out_ += fmt::format("<polyline class=\"line {}\" points=\"{}\">{}</polyline>\n", style, points,
                      tip_element(tip));
}

void Svg::text(double x, double y, Anchor anchor, std::string_view text) {
  const char* name = anchor == Anchor::start ? "start" : anchor == Anchor::end ? "end" : "middle";
  out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, name,
                      escaped(text));
}

std::string Svg::take() {
  return std::move(out_) + "</svg></div>\n";
}

std::string legend_item(int shape, std::string_view style, std::string_view meaning) {
  return fmt::format("<li><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\">{}</svg>{}</li>",
                     shape_element(6, 6, shape, style, ""), escaped(meaning));
}

std::string legend(std::string_view items) {
  return fmt::format("<ul class=\"legend\">{}</ul>\n", items);
}

std::vector<double> log_ticks(double least, double most) {
  constexpr double kManyDecades = 3;
  const bool only_tens = std::log10(most / least) > kManyDecades;
  std::vector<double> ticks;
  for (int exponent = static_cast<int>(std::floor(std::log10(least)));; ++exponent) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      if (only_tens && digit > 1) continue;
      const double tick = digit * std::pow(10.0, exponent);
      if (tick <= least) ticks.clear();
      ticks.push_back(tick);
      if (tick >= most && ticks.size() > 1) return ticks;
    }
  }
}

std::vector<double> linear_ticks(double most) {
  if (!(most > 0)) return {0, 1};
  const double power = std::pow(10.0, std::floor(std::log10(most / 4)));
  const double ratio = most / 4 / power;
  const double step = power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
  std::vector<double> ticks{0};
  while (ticks.back() < most) ticks.push_back(step * static_cast<double>(ticks.size()));
  return ticks;
}

}  // namespace sluice::cli
