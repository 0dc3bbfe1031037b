#include "journal/shared_record.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>

namespace sluice::journal {
namespace {

constexpr std::string_view kSharedMagic = "sluice parts ";

std::string hash_text(std::string_view text) {
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

/// Takes a word that begins a text, and the space behind it.
bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

bool take_number(std::string_view& text, std::uint32_t& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

/// Takes a line with its end, which it is without then.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<SharedRecord> parse_first(std::string_view line) {
  SharedRecord record;
  if (!take(line, kSharedMagic) || !take_number(line, record.count) || record.count == 0 ||
      !take(line, " ")) {
    return std::nullopt;
  }
  const std::size_t space = line.find(' ');
  if (space == line.npos) return std::nullopt;
  record.binding = line.substr(space + 1);
  if (line.substr(0, space) != hash_text(record.binding)) return std::nullopt;
  return record;
}

void apply(std::string_view line, SharedRecord& record) {
  std::uint32_t part = 0;
  std::string_view rest = line;
  const auto names_part = [&](std::string_view word) {
    rest = line;
    return take(rest, word) && take_number(rest, part) && rest.empty() && part >= 1 &&
           part <= record.count;
  };
  if (line == "cleared") {
    record.cleared = true;
  } else if (line == "whole") {
    record.whole = true;
  } else if (names_part("begun ")) {
    record.made.erase(part);
    if (record.whole) record.cleared = false;  // the first file is there again
    record.whole = false;
  } else if (names_part("made ")) {
    record.made.insert(part);
  }
}

}  // namespace

std::optional<SharedRecord> parse_shared_record(std::string_view text) {
  const std::optional<std::string_view> first = take_line(text);
  std::optional<SharedRecord> record = parse_first(first.value_or(""));
  if (!record) return std::nullopt;
  while (const std::optional<std::string_view> line = take_line(text)) apply(*line, *record);
  return record;
}

std::string first_line(std::uint32_t count, const std::string& binding) {
  return fmt::format("{}{} {} {}\n", kSharedMagic, count, hash_text(binding), binding);
}

std::string begun_line(std::uint32_t part) {
  return fmt::format("begun {}\n", part);
}

std::string made_line(std::uint32_t part) {
  return fmt::format("made {}\n", part);
}

}  // namespace sluice::journal
