#include "command_word.h"

#include <algorithm>
#include <cctype>

#include "command_facts.h"
#include "complaints.h"
#include "conversion_words.h"

namespace sluice::cli {
namespace {

bool begins_conversion(const std::vector<std::string>& words, std::size_t place) {
  // A single word says too little of what to do.
  if (words.size() < place + 2) return false;
  if (std::ranges::any_of(words, [](const auto& word) { return find_command(word) != nullptr; })) {
    return false;
  }
  const std::string& word = words[place];
  return is_option(word) ? refusal_of(word, kForProgram) == nullptr
                         : looks_like_file(word) || find_file_type(word) != nullptr;
}

}  // namespace

bool is_option(const std::string& word) {
  return word.size() > 1 && word[0] == '-' &&
         std::isdigit(static_cast<unsigned char>(word[1])) == 0;
}

std::vector<std::string> with_command(std::vector<std::string> words) {
  std::size_t place = 0;
  while (place < words.size()) {
    const Option* option = find_option(command_facts().front(), words[place]);
    if (option == nullptr) break;
    const bool value_follows =
        option->kind != OptionKind::flag && words[place].find('=') == std::string::npos;
    place += value_follows ? 2 : 1;
  }
  if (place < words.size() && begins_conversion(words, place)) {
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(place), "quantize");
  }
  return words;
}

}  // namespace sluice::cli
