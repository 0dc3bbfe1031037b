#pragma once

// Trials: what people did by hand to break the program, done by a machine, case after case. Each trial
// is a file here; main.cpp lists and runs them.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace sluice::trials {

using namespace testing_support;
using Words = std::vector<std::string>;

/// What is wrong in a case.
struct Failure : std::runtime_error {
  using runtime_error::runtime_error;
};

/// What a trial needs and this machine lacks.
struct Missing : std::runtime_error {
  using runtime_error::runtime_error;
};

/// How often something happened in a trial: what never happened was not tried.
using Tally = std::map<std::string_view, int>;

/// One case of a trial: its own random numbers, the same for the same seed and number, and a folder.
class Case {
 public:
  Case(std::uint64_t seed, std::string_view trial, unsigned number, Tally& tally);

  /// Less than `end`.
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool chance(int percent) { return below(100) < static_cast<std::uint64_t>(percent); }
  template <typename List>
  const auto& pick(const List& list) {
    return list[below(std::size(list))];
  }
  std::uint64_t number64() { return random_(); }

  void happened(std::string_view what) { ++tally_[what]; }

  const unsigned number;
  const TempFolder folder;

 private:
  std::mt19937_64 random_;
  Tally& tally_;
};

struct Trial {
  std::string_view name;
  unsigned cases;                       ///< of a whole run
  unsigned least;                       ///< cases that have each kind of the trial
  std::vector<std::string_view> kinds;  ///< what must have happened in `least` cases
  void (*run)(Case&);
};

const Trial& kills();
const Trial& parts();
const Trial& mutations();
const Trial& cuts();
const Trial& counts();
const Trial& full_disks();
const Trial& locales();
const Trial& limits();
const Trial& names();

/// Runs the program with at most a minute's time; `prepare` runs in the child before.
Finished sluice(
    const Words& words, const std::function<void()>& prepare = [] {});

/// That a run ended as it may, whatever was wrong: within its time, by no signal, without a
/// sanitizer's report, with a status of ERRORS.md, and if it failed, with one line that says why.
/// \throws Failure
void expect_orderly(const Words& words, const Finished& done);

/// As sluice(), and orderly.
Finished orderly(
    const Words& words, const std::function<void()>& prepare = [] {});

/// What `prepare` may be: the program gets so many bytes of address space. With sanitizers, which take
/// more than there is, any number.
std::function<void()> limited_to(std::uint64_t bytes);

/// Starts the program with nothing to print on. \return its process
pid_t start_silently(const Words& words);

/// Kills a process that start_silently() began, or sees that it has ended well. Whether it was killed.
/// \throws Failure if it had failed
bool kill_or_done(pid_t child);

/// That a condition holds.
/// \throws Failure with the text and what the program said
void expect(bool holds, const std::string& text, const Finished& done = {});

/// Names of a folder's files.
std::vector<std::string> files_in(const std::string& folder);

/// What an undisturbed run makes: by that others are judged.
struct Undisturbed {
  /// \param folder  where `words` have it write, which is empty
  Undisturbed(const Words& words, std::string folder);

  /// That another folder has the same files. \throws Failure that says `when`
  void expect_in(const std::string& other, const std::string& when) const;

  std::string folder;
  std::chrono::microseconds duration;
  std::vector<std::string> names;
};

/// The trained model of tests/data, its importance matrix, and what takes the model to IQ1_M.
inline const std::string kModel = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";
inline const std::string kMatrix = SLUICE_TEST_DATA "/imatrix/tiny-llama.imatrix.gguf";

/// A model of a few kilobytes with metadata of all types, tensors of several, and an importance
/// matrix of it in both formats.
Bytes small_model();
Bytes small_matrix_gguf();
Bytes small_matrix_dat();

/// Writes a model of some ten megabytes of BF16 with tensors of all sizes.
void write_made_model(Case& one, const std::string& path);

}  // namespace sluice::trials
