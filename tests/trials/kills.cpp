// The program killed at any moment, over and over: the bytes are the same in the end, and what has its
// name is whole.

#include <chrono>
#include <filesystem>
#include <thread>

#include "published/widened.h"
#include "trials.h"

namespace sluice::trials {
namespace {

namespace fs = std::filesystem;
using std::chrono::microseconds;

struct Setting {
  std::string_view
      model;  ///< "trained", with its importance matrix; "made"; or a widened checkpoint
  const char* type;
  const char* threads;
  Words options;
};

const Words kCalibrate = {"--calibrate",         SLUICE_TEST_DATA "/model/validation.txt",
                          "--calibrate-context", "128",
                          "--calibrate-chunks",  "6"};

const Setting kSettings[] = {
    {"trained", "IQ1_M", "2", kCalibrate},
    {"trained", "Q3_K_M", "1", kCalibrate},
    {"trained", "IQ1_M", "2", {"--io", "async"}},
    {"trained", "IQ1_M", "1", {"--io", "mmap"}},
    {"trained", "IQ1_M", "3", {"--io", "read", "--spindle", "shared"}},
    {"trained", "IQ1_M", "2", {"--io", "async", "--effort", "fast"}},
    {"trained", "IQ1_M", "2", {"--io", "async", "--split-max-size", "300K"}},
    {"trained", "Q4_K", "2", {"--io", "mmap", "--verify", "--memory", "24M"}},
    {"made", "Q4_0", "2", {"--io", "async", "--pure"}},
    {"made", "Q8_0", "4", {"--io", "mmap", "--pure"}},
    {"made", "Q5_0", "1", {"--io", "read", "--pure", "--spindle", "separate"}},
    {"made", "BF16", "2", {"--io", "async", "--pure"}},
    {"made", "Q8_0", "2", {"--io", "read", "--pure", "--split-max-tensors", "1"}},
    {"made", "Q8_0", "2", {"--io", "async", "--pure", "--verify", "--memory", "32M"}},
    {"llama4_scout", "IQ1_M", "2", {"--io", "async", "--ignore-imatrix-rules"}},
    {"llama4_scout", "Q4_0", "1", {"--io", "read", "--memory", "24M"}},
    {"deepseek_v3_fp8", "IQ1_M", "2", {"--io", "mmap", "--ignore-imatrix-rules"}},
    {"deepseek_v3_fp8", "Q8_0", "3", {"--io", "async", "--split-max-size", "2M"}},
    {"kimi_k2_int4", "Q4_K", "2", {"--io", "async", "--keep-split"}},
    {"gpt_oss", "MXFP4_MOE", "2", {"--io", "read"}},
};
constexpr int kMostKills = 4;

/// Starts the program and kills it after a while, or sees it end. Whether it was killed.
bool run_and_kill(const Words& words, microseconds after) {
  const pid_t child = start_silently(words);
  std::this_thread::sleep_for(after);
  return kill_or_done(child);
}

void try_kills(Case& one) {
  const Setting& setting = kSettings[one.number % std::size(kSettings)];
  std::string model = kModel;
  if (setting.model == "made") {
    write_made_model(one, model = one.folder / "model.gguf");
  } else if (setting.model != "trained") {
    published::widened(std::string(setting.model))
        .write(model = one.folder / "model", 1 + one.below(4));
  }
  const std::string whole = one.folder / "whole";
  const std::string out = one.folder / "out";
  fs::create_directory(whole);
  fs::create_directory(out);
  const auto command = [&](const std::string& folder) {
    Words words = {"quantize", "--checkpoint", "0"};
    words.insert(words.end(), setting.options.begin(), setting.options.end());
    if (setting.model == "trained") words.insert(words.end(), {"--imatrix", kMatrix});
    words.insert(words.end(), {model, folder + "/m.gguf", setting.type, setting.threads});
    return words;
  };

  const Undisturbed undisturbed(command(whole), whole);
  const auto duration = undisturbed.duration;
  const std::vector<std::string>& names = undisturbed.names;

  for (int kill = 0; kill < kMostKills; ++kill) {
    if (fs::exists(out + "/m.gguf.part.journal")) one.happened("resumed");
    // Usually well before the end, and now and then not at all.
    const bool killed =
        run_and_kill(command(out), duration * static_cast<int>(one.below(1000)) / 900);
    if (killed) one.happened("killed");
    // By the first name a program finds all files.
    if (fs::exists(out + "/" + names.front())) undisturbed.expect_in(out, "where it has its name");
    if (!killed) break;
  }
  const Finished last = orderly(command(out));
  expect(last.status == 0, "the last run fails", last);
  undisturbed.expect_in(out, "in the end");
  expect(files_in(out) == names, "something else is left");
}

}  // namespace

const Trial& kills() {
  static const Trial trial{"kills", 120, std::size(kSettings), {"killed", "resumed"}, try_kills};
  return trial;
}

}  // namespace sluice::trials
