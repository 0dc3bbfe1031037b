#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

/// Text as a person should see it: control characters and those that turn the direction of what
/// follows become visible, bytes that are not UTF-8 a replacement character.
std::string visible(std::string_view text);

/// The same for HTML, in elements and in quoted attributes: what has a meaning there is a reference.
std::string escaped(std::string_view text);

/// A number that a page begins with: what it is of, and for each run or side its value and a remark.
struct KeyFigure {
  std::string name;
  struct Value {
    std::string of;  ///< whose it is; empty where there is but one
    std::string value;
    std::string remark;
  };
  std::vector<Value> values;
};

/// A row of a table: what it tells, then a cell for each column.
struct Fact {
  std::string name;
  std::vector<std::string> cells;
};

/// A page about a run, a comparison or a model. All texts are plain: they are escaped where they are
/// written.
struct Page {
  std::string title;
  std::vector<std::string> lead;  ///< paragraphs below it
  std::vector<KeyFigure> figures;
  std::vector<std::string> columns;  ///< of the facts; empty where there is but one
  std::vector<Fact> facts;           ///< those without any text are left out
  /// What the scripts in page/ draw: which page it is ("page"), and what is told there.
  nlohmann::json data;
};

/// The whole page, in one file that loads nothing. What it begins with and the facts are there
/// without scripts; a policy lets no script run but the page's own, whatever names `data` has.
std::string html_page(const Page& page);

/// Writes a page to a file.
/// \throws Error (output_open, output_write)
void write_page(const Page& page, const std::string& path);

}  // namespace sluice::cli
