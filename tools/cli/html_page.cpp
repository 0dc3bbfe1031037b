#include "html_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <fstream>

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

constexpr std::string_view kStyle = R"(
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --panel: #ffffff; --ink: #1d2126; --soft: #59626d; --line: #dcdfe3;
  --c0: #0067a5; --c1: #c65a11; --c2: #00805d; --c3: #8c4a9c; --c4: #3a9bd0; --c5: #97760a;
  --c6: #c0608f; --c7: #70757c;
  --h0: #e3eef9; --h1: #c6dcf1; --h2: #9dc4e6; --h3: #6ea8d8; --h4: #4189c5; --h5: #2169aa;
  --h6: #114c87; --h7: #08305c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --panel: #1c2024; --ink: #e6e8ea; --soft: #a2abb5; --line: #363c43;
    --c0: #5aa9e6; --c1: #f0883e; --c2: #3fbf94; --c3: #c792d6; --c4: #9ad3f5; --c5: #e0b83d;
    --c6: #eb9cc4; --c7: #9aa1a9;
    --h0: #12304e; --h1: #164068; --h2: #1b5285; --h3: #2a69a3; --h4: #4585bf; --h5: #6ba3d6;
    --h6: #9bc4e9; --h7: #d3e6f8;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 16px 48px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 32px 0 4px; }
h3 { font-size: 14px; margin: 0 0 8px; overflow-wrap: anywhere; }
p { margin: 0 0 12px; color: var(--soft); max-width: 75ch; overflow-wrap: anywhere; }
.runs { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 14px;
  min-width: 0; }
.scroll { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 520px; max-width: 900px; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .mark { stroke: var(--panel); stroke-width: 1; }
.c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); }
.c4 { fill: var(--c4); } .c5 { fill: var(--c5); } .c6 { fill: var(--c6); } .c7 { fill: var(--c7); }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); }
.h0 { fill: var(--h0); } .h1 { fill: var(--h1); } .h2 { fill: var(--h2); } .h3 { fill: var(--h3); }
.h4 { fill: var(--h4); } .h5 { fill: var(--h5); } .h6 { fill: var(--h6); } .h7 { fill: var(--h7); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 8px; padding: 0;
  list-style: none; color: var(--soft); font-size: 13px; }
.legend .mark { stroke: var(--line); }
.legend svg { display: inline-block; width: 12px; min-width: 12px; height: 12px; margin-right: 6px;
  vertical-align: -1px; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td:first-child { max-width: 48ch; white-space: normal; overflow-wrap: anywhere; }
td.text, th.text { text-align: left; white-space: normal; overflow-wrap: anywhere; }
thead th { color: var(--soft); font-weight: 600; }
details { margin-top: 10px; }
summary { cursor: pointer; color: var(--soft); }
)";

}  // namespace

std::string escaped(std::string_view text) {
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
    } else if (character == "&") {
      out += "&amp;";
    } else if (character == "<") {
      out += "&lt;";
    } else if (character == ">") {
      out += "&gt;";
    } else if (character == "\"") {
      out += "&quot;";
    } else if (character == "'") {
      out += "&#39;";
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::string html_page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</"
      "html>\n",
      escaped(title), kStyle, body);
}

void write_page(const std::string& page, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  if (!file) {
    throw Error(ErrorCode::output_open, "the page cannot be created",
                {.file = path, .cure = "Name a folder that exists and that you may write to"});
  }
  file << page;
  file.flush();
  if (!file) {
    throw Error(ErrorCode::output_write, "the page cannot be written",
                {.file = path, .cure = "Check the disk and its free space"});
  }
}

}  // namespace sluice::cli
