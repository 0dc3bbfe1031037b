// File names of all that a file system takes, for every file of a command.

#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "trials.h"

namespace sluice::trials {
namespace {

namespace fs = std::filesystem;

std::string odd_name(Case& one) {
  static const Words kPieces = {
      " ",        "  ",   "\n",   "\t",       "'",  "\"",       "`",
      "$HOME",    "\\",   "*",    "?",        "%s", "{}",       "<b>",
      "&amp;",    ";",    "|",    "#",        "=",  ",",        "--",
      "--memory", "ü",    "日本", "\xff\xfe", "é",  "\x1b[31m", ".gguf",
      "..",       "name", ":",    "-of-",     "\r", "~",        "00001-of-00002"};
  std::string name = one.chance(10) ? "-" : "";
  for (std::uint64_t i = 0, n = 1 + one.below(5); i < n; ++i) name += one.pick(kPieces);
  constexpr std::size_t kLongest = 255;
  if (one.chance(20)) name.resize(kLongest - one.below(20), 'x');
  return name == ".." ? "..." : name;
}

void try_names(Case& one) {
  const std::string folder = one.folder / "here";
  fs::create_directory(folder);
  Words used;
  const auto place = [&](const char* what) {
    // Two names of one case are never the same.
    std::string name = std::to_string(used.size()) + odd_name(one);
    if (one.chance(30)) name = name.substr(1) + what;
    if (name.starts_with("-")) name = "./" + name;
    if (name.size() > 255) name.resize(255);
    used.push_back(name);
    return one.chance(50) ? name : folder + "/" + name;
  };
  const std::string model = place("m");
  const std::string matrix = place("i");
  const std::string out = place("o");
  const std::string report = place("r");
  const auto in_folder = [&] { static_cast<void>(!::chdir(folder.c_str())); };
  const auto full = [&](const std::string& name) {
    return name[0] == '/' ? name : folder + "/" + name;
  };
  write_file(full(model), small_model());
  write_file(full(matrix), small_matrix_gguf());
  const Words words = {"quantize", "--imatrix", matrix, "--report", report, model, out, "IQ1_M"};
  const Finished done = orderly(words, in_folder);
  one.happened(done.status == 0 ? "taken" : "refused");
  expect(
      done.out.find('\x1b') == std::string::npos && done.errors.find('\x1b') == std::string::npos,
      "a name drives the terminal", done);
  if (done.status != 0) {
    expect(files_in(folder).size() == 2, "something is left", done);
    return;
  }
  expect(files_in(folder).size() == 4, "not two files are made", done);
  const Bytes text = read_file(full(report));
  expect(nlohmann::json::accept(reinterpret_cast<const char*>(text.data()),
                                reinterpret_cast<const char*>(text.data()) + text.size()),
         "the report is no JSON", done);
  for (const Words& next :
       {Words{"verify", out, "--against", model, "--imatrix", matrix},
        Words{"inspect", "--json", out}, Words{"report", report, "-o", "page.html"},
        Words{"compare", model, out}}) {
    const Finished seen = orderly(next, in_folder);
    expect(seen.status == 0, next[0] + " refuses a name", seen);
  }
}

}  // namespace

const Trial& names() {
  static const Trial trial{"names", 500, 50, {"taken"}, try_names};
  return trial;
}

}  // namespace sluice::trials
