#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

/// Builds one SVG picture as text. Coordinates are in units of the view box; classes are those of
/// html_page's style. All text is escaped here.
class Svg {
 public:
  /// \param title        what a screen reader says of it
  /// \param description  what it shows, in a sentence
  Svg(double width, double height, std::string_view title, std::string_view description);

  void line(double x1, double y1, double x2, double y2);  ///< of a grid
  /// \param tip  shown when pointed at; empty: none
  void rect(double x, double y, double width, double height, std::string_view style,
            std::string_view tip);
  /// A mark of one of four shapes.
  void mark(double x, double y, int shape, std::string_view style, std::string_view tip);
  /// \param points  "x,y x,y …"
  void polyline(std::string_view points, std::string_view style, std::string_view tip);
  enum class Anchor { start, middle, end };
  void text(double x, double y, Anchor anchor, std::string_view text);

  /// The whole element, which can scroll sideways where the page is narrow.
  std::string take();

 private:
  std::string out_;
};

/// A small mark with its meaning, for a legend.
std::string legend_item(int shape, std::string_view style, std::string_view meaning);

/// A list of them.
std::string legend(std::string_view items);

/// The shapes that marks can have.
inline constexpr int kMarkShapes = 4;

/// Ticks of a logarithmic axis, from the first at or below `least` to the first at or above `most`:
/// 1, 2 and 5 times powers of ten, or, where those would be many, powers of ten.
std::vector<double> log_ticks(double least, double most);

/// Ticks of a linear axis from 0 to the first at or above `most`: some four.
std::vector<double> linear_ticks(double most);

}  // namespace sluice::cli
