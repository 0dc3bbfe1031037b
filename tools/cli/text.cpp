#include "text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "sluice/amounts.h"
#include "sluice/urls.h"

namespace sluice::cli {
namespace {

bool is_plain(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  return !word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos;
}

}  // namespace

std::string count_text(double count) {
  constexpr std::array kUnits = {"", " k", " M", " G", " T"};
  std::size_t unit = 0;
  while (count >= 1000 && unit + 1 < kUnits.size()) {
    count /= 1000;
    ++unit;
  }
  const int decimals = count < 10 && unit > 0 ? 1 : 0;
  return fmt::format("{:.{}f}{}", count, decimals, kUnits[unit]);
}

std::string time_text(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string thread_text(int threads) {
  return counted(static_cast<std::uint64_t>(threads), "thread");
}

double bits_of(std::uint64_t bytes, std::uint64_t weights) {
  return 8.0 * static_cast<double>(bytes) /
         static_cast<double>(std::max<std::uint64_t>(1, weights));
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  return fmt::format("{}", fmt::join(shape, " x "));
}

std::string printable(const std::string& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    // C0, DEL and C1, of which some terminals take U+009B for the start of a command.
    const bool c1 = byte(i) == 0xc2 && i + 1 < text.size() && (byte(i + 1) & 0xe0) == 0x80;
    if (byte(i) < 0x20 || byte(i) == 0x7f || c1) {
      result += fmt::format("\\x{:02x}", byte(i));
      if (c1) result += fmt::format("\\x{:02x}", byte(++i));
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& typed : words) {
    const std::string word = masked(typed);
    if (!line.empty()) line += ' ';
    if (is_plain(word)) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

}  // namespace sluice::cli
