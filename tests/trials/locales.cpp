// What the program prints and makes is the same in every language.

#include <stdlib.h>

#include <filesystem>
#include <regex>

#include "trials.h"

namespace sluice::trials {
namespace {

/// Locales of other decimal points and letters, made where the machine has their sources.
const TempFolder& made_locales() {
  static const TempFolder folder;
  static const bool made = [] {
    for (const std::string name : {"de_DE", "tr_TR"}) {
      testing_support::run({"localedef", "-i", name, "-f", "UTF-8", folder / (name + ".UTF-8")});
      if (!std::filesystem::exists(folder / (name + ".UTF-8"))) {
        throw Missing("no localedef, or no source of " + name + ", here");
      }
    }
    return true;
  }();
  static_cast<void>(made);
  return folder;
}

/// Without what is another each time: the space that is free, the pages that the process holds, and how
/// long it took. A number as a locale writes it stays.
std::string lasting(const std::string& text) {
  static const std::regex changes(
      "[0-9.]+ [A-Za-z]+ (free|at most)|\"(free|most)\": [0-9]+|in [0-9.]+ s");
  return std::regex_replace(text, changes, "#");
}

void try_locales(Case& one) {
  static const char* const kLocales[] = {"de_DE.UTF-8", "tr_TR.UTF-8", "C.UTF-8", "xx_XX", ""};
  const std::string model = one.folder / "model";
  write_file(model, small_model());
  const std::string out = one.folder / "m.gguf";
  const Words commands[] = {
      {"plan", "--no-estimate", "--memory", "1.5M", "--threads", "2", model, out, "iq4_nl",
       "--pure"},
      {"plan", "--no-estimate", "--json", model, out, "Q5_K_S"},
      {"inspect", "--full", kMatrix},
      {"inspect", "--json", model},
      {"compare", model, model, "--max-error", "0.5"},
      {"help", "types"},
      {"quantize", "--pure", "--quiet", model, out, "iq4_nl"},
      {"quantize", "--pure", model, out, "Q4_K_XI"},
      {"report", one.folder / "none.json"},
  };
  const Words& words = one.pick(commands);
  const std::string locale = one.pick(kLocales);
  const std::string places = made_locales() / ".";
  const auto in = [&](const std::string& name) {
    return orderly(words, [&] {
      ::setenv("LOCPATH", places.c_str(), 1);
      ::setenv("LC_ALL", name.c_str(), 1);
      ::setenv("LANG", name.c_str(), 1);
    });
  };
  const Finished expected = in("C");
  const Bytes made = std::filesystem::exists(out) ? read_file(out) : Bytes();
  const Finished done = in(locale);
  expect(done.status == expected.status && lasting(done.out) == lasting(expected.out) &&
             done.errors == expected.errors,
         words[0] + " is another in " + locale + ": " + done.out + " instead of " + expected.out,
         done);
  if (!made.empty()) expect(read_file(out) == made, "other bytes in " + locale);
  one.happened(expected.status == 0 ? "done" : "refused");
}

}  // namespace

const Trial& locales() {
  static const Trial trial{"locales", 200, 40, {"done", "refused"}, try_locales};
  return trial;
}

}  // namespace sluice::trials
