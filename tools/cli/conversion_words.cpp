#include "conversion_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "sluice/error.h"
#include "sluice/urls.h"
#include "text.h"

namespace sluice::cli {
namespace {

bool is_number(const std::string& word) {
  return !word.empty() &&
         std::ranges::all_of(word, [](unsigned char c) { return std::isdigit(c); });
}

bool exists(const std::string& word) {
  std::error_code unknown;
  return is_url(word) || std::filesystem::exists(word, unknown);
}

// In either mix: which one it is does not say what a word was meant for.
const FileType* type_of(const std::string& word, Mix mix = Mix::llama_cpp) {
  const FileType* type = find_file_type(word, mix);
  return type != nullptr ? type : find_file_type(word, Mix::ik_llama_cpp);
}

bool is_type(const std::string& word) {
  return type_of(word) != nullptr;
}

// Where the model's files are; here, if they are on a server.
std::string folder_of(const std::string& input) {
  std::error_code unknown;
  if (is_url(input)) return "";
  if (std::filesystem::is_directory(input, unknown)) {
    return input.ends_with('/') ? input : input + "/";
  }
  return input.substr(0, input.find_last_of('/') + 1);  // npos + 1 is 0
}

// What is asked for in place of a type, as a part of a name: "100G", "2.1bpw".
std::string target_name(const MixTarget& target) {
  if (target.bpw > 0) return fmt::format("{}bpw", target.bpw);
  constexpr double kGiga = 1e9;
  auto bytes = static_cast<double>(target.size);
  for (const PlaceTarget& place : target.places) bytes += static_cast<double>(place.bytes);
  return bytes < kGiga ? fmt::format("{:.5g}M", bytes / 1e6)
                       : fmt::format("{:.5g}G", bytes / kGiga);
}

// llama-quantize's: beside the input, named after the type.
std::string default_output(const std::string& input, const std::string& type,
                           const QuantizeOptions& options) {
  return fmt::format("{}ggml-model-{}.gguf", folder_of(input),
                     options.target.given() ? target_name(options.target)
                                            : std::string(type_of(type, options.mix)->name));
}

// The same words in the right order, if they can be told apart: files, a type's name, a number. Of
// two files the model is the one that is there.
std::optional<std::string> in_order(const std::string& command, std::vector<std::string> words) {
  const auto rank = [](const std::string& word) {
    return is_number(word) ? 2 : is_type(word) ? 1 : 0;
  };
  std::ranges::stable_sort(words, {}, rank);
  const auto files = std::ranges::count(words, 0, rank);
  if (std::ranges::count(words, 1, rank) != 1 || files == 0 || files > 2 ||
      !std::all_of(words.begin(), words.begin() + files, looks_like_file)) {
    return std::nullopt;
  }
  if (files == 2 && !exists(words[0]) && exists(words[1])) std::swap(words[0], words[1]);
  words.insert(words.begin(), {"sluice", command});
  return command_line(words);
}

[[noreturn]] void refuse(const std::string& command, const std::vector<std::string>& words,
                         const std::string& what) {
  throw Error(ErrorCode::usage, what,
              {.cure = "Write: " + in_order(command, words)
                                       .value_or(fmt::format("sluice {} MODEL OUTPUT TYPE NTHREADS",
                                                             command))});
}

[[noreturn]] void refuse_without_type(const std::string& command,
                                      const std::vector<std::string>& words, bool output_given) {
  std::vector<std::string> line{"sluice", command, words[0]};
  if (words.size() > 1) line.push_back(words[1]);
  if (output_given) line.insert(line.begin() + 2, {"-o", "FILE"});
  line.emplace_back("Q4_K_M");
  throw Error(ErrorCode::usage, "no type is given",
              {.cure = fmt::format("Add it, as in '{}', or a size with --target-size; 'sluice "
                                   "help types' lists all types",
                                   command_line(line))});
}

}  // namespace

bool looks_like_file(const std::string& word) {
  return word.find_first_of("./") != word.npos || exists(word);
}

void set_conversion_words(const std::string& command, const std::vector<std::string>& words,
                          Options& options) {
  const bool sized = options.quantize.target.given();
  const bool output_given = !options.quantize.output.empty();
  const auto word = [&](std::size_t place) { return place < words.size() ? words[place] : ""; };
  const bool type_first = output_given || is_type(word(1)) || (sized && words.size() == 1);
  const std::string type = word(type_first ? 1 : 2);
  const std::string threads = word(type_first ? 2 : 3);
  if (is_type(words[0]) && !looks_like_file(words[0]) && words.size() > 1) {
    refuse(command, words,
           fmt::format("'{}' is a type, and stands where the model is due", printable(words[0])));
  }
  if (type.empty() && !sized) {
    // What looks like no file was meant as a type, of which there is more to say.
    if (words.size() == 2 && !looks_like_file(words[1])) options.set("type", words[1]);
    refuse_without_type(command, words, output_given);
  }
  for (const auto& [given, what] : {std::pair{type, "type"}, std::pair{threads, "threads"}}) {
    if (given.size() > 1 && given[0] == '-' && !is_number(given.substr(1))) {
      throw Error(ErrorCode::usage,
                  fmt::format("'{}' stands behind '--', where no options are looked for, and is "
                              "taken for the {}",
                              printable(given), what),
                  {.cure = "Put options before '--'"});
    }
  }
  if (!type.empty() && !is_type(type) && looks_like_file(type)) {
    refuse(command, words,
           fmt::format("'{}' is a file, and stands where the type is due", printable(type)));
  }
  if (type_first && !is_number(threads) && (is_type(threads) || looks_like_file(threads))) {
    refuse(command, words,
           fmt::format("'{}' stands where the number of threads is due, since '{}' is a type. To "
                       "name an output like that, put ./ before it",
                       printable(threads), printable(type)));
  }
  if (type_first && words.size() > 3) {
    throw Error(ErrorCode::usage,
                fmt::format("'{}' is one argument too many: behind '{}', a type, stand the threads",
                            printable(words[3]), printable(type)));
  }
  options.set("input", words[0]);
  if (!type.empty()) options.set("type", type);
  if (!output_given) {
    options.set("output", type_first ? default_output(words[0], type, options.quantize) : words[1]);
  }
  if (!threads.empty()) options.set("threads", threads);
}

}  // namespace sluice::cli
