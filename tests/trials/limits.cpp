// Limits that a shell sets (ulimit): the run keeps them or says which it meets, and without them the
// same command makes the model.

#include <sys/resource.h>

#include <filesystem>

#include "trials.h"

namespace sluice::trials {
namespace {

struct Limit {
  __rlimit_resource resource;
  const char* name;
  rlim_t least, most;
};

constexpr rlim_t kKiB = 1024;
// Of file size as much as the messages take, which go to a file.
constexpr Limit kLimits[] = {
    {RLIMIT_NOFILE, "files", 3, 40},
    {RLIMIT_FSIZE, "file size", 64 * kKiB, 3000 * kKiB},
    {RLIMIT_AS, "address space", 24 * 1024 * kKiB, 400 * 1024 * kKiB},
    {RLIMIT_STACK, "stack", 64 * kKiB, 2000 * kKiB},
    {RLIMIT_DATA, "data", 1024 * kKiB, 100 * 1024 * kKiB},
    {RLIMIT_MEMLOCK, "locked memory", 0, 64 * kKiB},
};

void try_limits(Case& one) {
  const Limit& limit = kLimits[one.number % std::size(kLimits)];
  const rlim_t value =
      one.chance(20) ? limit.least : limit.least + one.below(limit.most - limit.least + 1);
  const std::string out = one.folder / "m.gguf";
  const Words words = {"quantize",  "--io",  std::string(one.pick(Words{"async", "mmap", "read"})),
                       "--imatrix", kMatrix, kModel,
                       out,         "IQ1_M", std::to_string(1 + one.below(8))};
  const Finished done = sluice(words, [&] {
    const rlimit both{value, value};
    ::setrlimit(limit.resource, &both);
  });
  // The loader's and timeout's own ends, before there is a program.
  if (done.status >= 125 && done.status <= 127) {
    one.happened("not started");
    return;
  }
  const std::string said = std::string(limit.name) + " " + std::to_string(value) + ": ";
  try {
    expect_orderly(words, done);
  } catch (const Failure& failure) {
    throw Failure(said + failure.what());
  }
  one.happened(done.status == 0 ? "kept" : "met");
  if (done.status != 0) {
    expect(!std::filesystem::exists(out), said + "an output of a run that failed", done);
    const Finished again = orderly(words);
    expect(again.status == 0, said + "afterwards it does not go on", again);
  }
  const Finished right = orderly({"verify", out, "--against", kModel, "--imatrix", kMatrix});
  expect(right.status == 0, said + "what was made is not right", right);
}

}  // namespace

const Trial& limits() {
#ifdef SLUICE_SANITIZED
  constexpr unsigned kCases = 0;  // sanitizers take address space and stacks of their own
#else
  constexpr unsigned kCases = 300;
#endif
  static const Trial trial{"limits", kCases, kCases / 6, {"kept", "met"}, try_limits};
  return trial;
}

}  // namespace sluice::trials
