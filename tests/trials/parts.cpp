// The parts of a split output, by as many runs, some at once, each killed at any moment, over and over:
// the files are those of one run, and before the first has its name all others are whole.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "trials.h"

namespace sluice::trials {
namespace {

namespace fs = std::filesystem;

struct Splitting {
  bool trained;  ///< the trained model, with its importance matrix; else a made one
  unsigned parts;
  const char* type;
  Words options;
};

const Splitting kSplittings[] = {
    {true, 3, "IQ1_M", {"--split-max-tensors", "4"}},
    {false, 2, "Q8_0", {"--pure", "--io", "mmap", "--split-max-size", "2M"}},
    {true,
     2,
     "IQ1_M",
     {"--split-max-size", "300K", "--calibrate", SLUICE_TEST_DATA "/model/validation.txt",
      "--calibrate-context", "128", "--calibrate-chunks", "4"}},
    {false, 4, "Q4_0", {"--pure", "--io", "read", "--split-max-tensors", "3"}},
};
constexpr int kMostRounds = 4;
constexpr const char* kRecord = "m.gguf.parts";  ///< of which parts are done; it stays

void try_parts(Case& one) {
  const Splitting& setting = kSplittings[one.number % std::size(kSplittings)];
  std::string model = kModel;
  if (!setting.trained) write_made_model(one, model = one.folder / "model.gguf");
  const std::string whole = one.folder / "whole";
  const std::string out = one.folder / "out";
  fs::create_directory(whole);
  fs::create_directory(out);
  const auto command = [&](const std::string& folder) {
    Words words = {"quantize", "--checkpoint", "0"};
    words.insert(words.end(), setting.options.begin(), setting.options.end());
    if (setting.trained) words.insert(words.end(), {"--imatrix", kMatrix});
    words.insert(words.end(), {model, folder + "/m.gguf", setting.type, "2"});
    return words;
  };
  const auto part = [&](unsigned number) {
    Words words = command(out);
    words.insert(words.begin() + 1,
                 {"--part", std::to_string(number) + "/" + std::to_string(setting.parts)});
    return words;
  };

  const Undisturbed undisturbed(command(whole), whole);
  const auto duration = undisturbed.duration;
  const std::vector<std::string>& names = undisturbed.names;

  std::vector<unsigned> left;
  for (unsigned number = 1; number <= setting.parts; ++number) left.push_back(number);
  for (int round = 0; round < kMostRounds && !left.empty(); ++round) {
    std::vector<pid_t> running;
    for (const unsigned number : left) {
      running.push_back(start_silently(part(number)));
      if (one.chance(50)) std::this_thread::sleep_for(duration / 8);
    }
    std::vector<unsigned> killed;
    for (std::size_t i = 0; i < running.size(); ++i) {
      std::this_thread::sleep_for(duration * static_cast<int>(one.below(1000)) / 1500);
      if (kill_or_done(running[i])) killed.push_back(left[i]);
    }
    one.happened(killed.empty() ? "all done" : "killed");
    if (killed.size() != left.size()) one.happened("done beside killed ones");
    left = killed;
    if (fs::exists(out + "/" + names.front()))
      undisturbed.expect_in(out, "where the first has its name");
  }
  // What was done once more does nothing.
  left.push_back(1 + static_cast<unsigned>(one.below(setting.parts)));
  for (const unsigned number : left) {
    const Finished last = orderly(part(number));
    expect(last.status == 0, "the last run of a part fails", last);
  }
  undisturbed.expect_in(out, "in the end");
  std::vector<std::string> found = files_in(out);
  std::erase(found, kRecord);
  expect(found == names, fmt::format("something else is left: {}", fmt::join(found, " ")));
}

}  // namespace

const Trial& parts() {
  static const Trial trial{"parts", 60, std::size(kSplittings), {"killed"}, try_parts};
  return trial;
}

}  // namespace sluice::trials
