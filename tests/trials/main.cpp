// trials [--seed S] [--count N] [--only N] [TRIAL...]
//
// Runs all trials, or those named. What fails is printed with the command that repeats it.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "trials.h"

namespace {

using namespace sluice::trials;

constexpr unsigned kWholeRun = 5000;  // mutations

struct Order {
  std::uint64_t seed = std::random_device{}();
  unsigned count = kWholeRun;
  std::optional<unsigned> only;
  Words names;
};

/// Runs the cases of a trial; whether none failed.
bool run_trial(const Trial& trial, const Order& order) {
  const unsigned share = trial.cases * order.count / kWholeRun;
  const unsigned begin = order.only.value_or(0);
  const unsigned end = order.only ? begin + 1 : std::max(share, trial.least);
  Tally tally;
  unsigned failed = 0;
  for (unsigned number = begin; number < end; ++number) {
    try {
      Case one(order.seed, trial.name, number, tally);
      trial.run(one);
    } catch (const Missing&) {
      throw;
    } catch (const std::exception& failure) {
      ++failed;
      fmt::print("{} {} FAILED: {}\n  again: trials --seed {} --only {} {}\n", trial.name, number,
                 failure.what(), order.seed, number, trial.name);
    }
  }
  fmt::print("{}: {} cases, {} failed", trial.name, end - begin, failed);
  for (const auto& [what, times] : tally) fmt::print(", {} {}", times, what);
  fmt::print("\n");
  const bool all_kinds =
      order.only || std::ranges::all_of(trial.kinds, [&](const std::string_view kind) {
        if (tally.contains(kind)) return true;
        fmt::print("{} FAILED: not once {}\n", trial.name, kind);
        return false;
      });
  return failed == 0 && all_kinds;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;
  const Trial* const all[] = {&kills(),   &parts(),      &mutations(), &cuts(), &counts(),
                              &locales(), &full_disks(), &limits(),    &names()};
  Order order;
  CLI::App app("Repeats by machine what was done by hand to break sluice.");
  app.add_option("--seed", order.seed, "Where the random numbers start (default: any)");
  app.add_option("--count", order.count,
                 fmt::format("Mutations, the others in proportion (default: {})", kWholeRun));
  app.add_option("--only", order.only, "This case alone");
  Words known;
  for (const Trial* trial : all) known.emplace_back(trial->name);
  app.add_option("TRIAL", order.names, "Which trials (default: all)")->check(CLI::IsMember(known));
  CLI11_PARSE(app, argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what failed is seen while the rest runs
  fmt::print("trials --seed {} --count {}\n", order.seed, order.count);

  bool good = true;
  bool skipped = false;
  for (const Trial* trial : all) {
    if (!order.names.empty() && std::ranges::count(order.names, trial->name) == 0) continue;
    try {
      good &= run_trial(*trial, order);
    } catch (const Missing& missing) {
      const char* ci = std::getenv("CI");
      const bool must = ci != nullptr && std::string_view(ci) == "true";
      fmt::print("{} {}: {}\n", trial->name, must ? "FAILED" : "skipped", missing.what());
      good &= !must;
      skipped = true;
    }
  }
  return !good ? 1 : skipped ? kSkipped : 0;
}
