#pragma once

#include <string>
#include <string_view>

namespace sluice::cli {

/// Text for HTML and SVG, in elements and in quoted attributes: what has a meaning there becomes a
/// reference, control characters become visible, bytes that are not UTF-8 a replacement character.
std::string escaped(std::string_view text);

/// A whole page, in one file that loads nothing: styles for light and dark, no scripts, and a
/// policy that forbids them, whatever names the body shows.
/// \param title  plain text
/// \param body   HTML
std::string html_page(std::string_view title, std::string_view body);

/// Writes a page to a file.
/// \throws Error (output_open, output_write)
void write_page(const std::string& page, const std::string& path);

}  // namespace sluice::cli
