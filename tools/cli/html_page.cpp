#include "html_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <fstream>

#include "page_assets.h"
#include "sluice/error.h"

namespace sluice::cli {
namespace {

/// Bytes of the UTF-8 character that `text` begins with, or 0 if it is none (Unicode 15, table
/// 3-7).
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() < length) return 0;
  const std::uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

// Characters that turn the direction of what follows: a name could show as another.
bool turns_text(std::string_view character) {
  if (character.size() != 3 || character.substr(0, 2) != "\xe2\x80") {
    return character.size() == 3 && character.substr(0, 2) == "\xe2\x81" &&
           static_cast<std::uint8_t>(character[2]) >= 0xa6 &&
           static_cast<std::uint8_t>(character[2]) <= 0xa9;
  }
  const auto last = static_cast<std::uint8_t>(character[2]);
  return last == 0x8e || last == 0x8f || (last >= 0xaa && last <= 0xae);
}

nlohmann::json all_visible(const nlohmann::json& value) {
  if (value.is_string()) return visible(value.get_ref<const std::string&>());
  if (!value.is_structured()) return value;
  nlohmann::json result = value.is_array() ? nlohmann::json::array() : nlohmann::json::object();
  for (const auto& [key, element] : value.items()) {
    if (value.is_array()) {
      result.push_back(all_visible(element));
    } else {
      result[visible(key)] = all_visible(element);
    }
  }
  return result;
}

// JSON that may stand in an element for scripts, which only "</script" would end.
std::string embedded(const nlohmann::json& data) {
  std::string text;
  for (const char c : all_visible(data).dump()) {
    c == '<' ? text += "\\u003c" : text += c;
  }
  return text;
}

std::string figures_html(const std::vector<KeyFigure>& figures) {
  std::string html;
  for (const KeyFigure& figure : figures) {
    html += "<div><dt>" + escaped(figure.name) + "</dt>";
    for (const KeyFigure::Value& value : figure.values) {
      html += "<dd>";
      if (!value.of.empty()) html += "<span class=\"of\">" + escaped(value.of) + "</span> ";
      html += "<strong>" + escaped(value.value) + "</strong> " + escaped(value.remark) + "</dd>";
    }
    html += "</div>\n";
  }
  return html.empty() ? html : "<dl class=\"figures\">\n" + html + "</dl>\n";
}

std::string facts_html(const Page& page) {
  std::string rows;
  for (const Fact& fact : page.facts) {
    const auto empty = [](const std::string& cell) { return cell.empty(); };
    if (std::all_of(fact.cells.begin(), fact.cells.end(), empty)) continue;
    rows += "<tr><th scope=\"row\">" + escaped(fact.name) + "</th>";
    for (const std::string& cell : fact.cells) rows += "<td>" + escaped(cell) + "</td>";
    rows += "</tr>\n";
  }
  std::string head;
  for (const std::string& column : page.columns) {
    head += "<th scope=\"col\">" + escaped(column) + "</th>";
  }
  if (!head.empty()) head = "<thead><tr><td></td>" + head + "</tr></thead>\n";
  return "<section class=\"panel\" id=\"facts\"><h2>Facts</h2>\n<table class=\"facts\">"
         "<caption>What is told of it in words</caption>\n" +
         head + "<tbody>\n" + rows + "</tbody></table></section>\n";
}

}  // namespace

std::string visible(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(1, length));
    const auto first = static_cast<std::uint8_t>(character.front());
    const bool control =
        first < 0x20 || first == 0x7f ||
        (length == 2 && first == 0xc2 && static_cast<std::uint8_t>(character[1]) < 0xa0);
    if (length == 0) {
      out += "\ufffd";
    } else if (control || turns_text(character)) {
      for (const char c : character) out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : visible(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string html_page(const Page& page) {
  std::string lead;
  for (const std::string& paragraph : page.lead) {
    lead += "<p class=\"lead\">" + escaped(paragraph) + "</p>\n";
  }
  return fmt::format(
      R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src '{hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<header>
<h1>{title}</h1>
{lead}{figures}</header>
<noscript><p class="panel">Pictures, sizes and tables of tensors need JavaScript, which is off here. The facts do not.</p></noscript>
<div id="page"></div>
{facts}</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
)",
      fmt::arg("hash", kPageScriptHash), fmt::arg("title", escaped(page.title)),
      fmt::arg("style", kPageStyle), fmt::arg("lead", lead),
      fmt::arg("figures", figures_html(page.figures)), fmt::arg("facts", facts_html(page)),
      fmt::arg("data", embedded(page.data)), fmt::arg("script", kPageScript));
}

void write_page(const Page& page, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  if (!file) {
    throw Error(ErrorCode::output_open, "the page cannot be created",
                {.file = path, .cure = "Name a folder that exists and that you may write to"});
  }
  file << html_page(page);
  file.flush();
  if (!file) {
    throw Error(ErrorCode::output_write, "the page cannot be written",
                {.file = path, .cure = "Check the disk and its free space"});
  }
}

}  // namespace sluice::cli
