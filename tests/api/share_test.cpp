// Outputs of which several runs make a part each: the bytes are those of one run, in whatever order, cut off or at
// once, and nothing is named before all is there.

#include <algorithm>
#include <map>
#include <thread>

#include "api/calibrated_fixture.h"
#include "api/job_share.h"
#include "api/resume_fixture.h"
#include "gguf/split.h"
#include "journal/shared_record.h"
#include "plan/shares.h"
#include "sluice/verify.h"

namespace sluice::resume_tests {
namespace {

/// The dearest of all ways to cut items into so many stretches, at its cheapest.
std::uint64_t cheapest(std::span<const std::uint64_t> costs, std::size_t shares) {
  std::uint64_t sum = 0;
  if (shares == 1) {
    for (const std::uint64_t cost : costs) sum += cost;
    return sum;
  }
  std::uint64_t best = ~std::uint64_t{0};
  for (std::size_t first = 0; first <= costs.size(); ++first) {
    best = std::min(best, std::max(sum, cheapest(costs.subspan(first), shares - 1)));
    if (first < costs.size()) sum += costs[first];
  }
  return best;
}

TEST(Shares, AreAsEvenAsTheyCanBe) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<std::uint64_t> costs(1 + random() % 7);
    for (std::uint64_t& cost : costs) cost = 1 + random() % 50;
    const std::size_t count = 1 + random() % 5;
    std::size_t next = 0;
    std::uint64_t dearest = 0;
    const std::vector<Stretch> stretches = share_out(costs, count);
    ASSERT_EQ(stretches.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(stretches[i].count > 0, i < costs.size());
      std::uint64_t sum = 0;
      for (std::size_t k = 0; k < stretches[i].count; ++k) sum += costs[next + k];
      if (stretches[i].count > 0) {
        EXPECT_EQ(stretches[i].first, next);
      }
      next += stretches[i].count;
      dearest = std::max(dearest, sum);
    }
    EXPECT_EQ(next, costs.size());
    EXPECT_EQ(dearest, cheapest(costs, count));
  }
}

std::string share_text(const std::map<std::string, std::string>& variables) {
  try {
    const ShareOptions share = share_of_job([&](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    });
    return std::to_string(share.number) + "/" + std::to_string(share.count);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.what();
  }
}

TEST(JobShare, IsWhatTheJobSays) {
  const auto slurm = [](const char* id, const char* count, const char* least, const char* most,
                        const char* step) {
    return share_text({{"SLURM_ARRAY_TASK_ID", id},
                       {"SLURM_ARRAY_TASK_COUNT", count},
                       {"SLURM_ARRAY_TASK_MIN", least},
                       {"SLURM_ARRAY_TASK_MAX", most},
                       {"SLURM_ARRAY_TASK_STEP", step}});
  };
  EXPECT_EQ(slurm("1", "8", "1", "8", "1"), "1/8");
  EXPECT_EQ(slurm("0", "8", "0", "7", "1"), "1/8");
  EXPECT_EQ(slurm("10", "3", "4", "10", "3"), "3/3");
  EXPECT_NE(slurm("5", "3", "1", "5", "1").find("--array=1-8"), std::string::npos) << "a list";
  EXPECT_EQ(share_text({{"JOB_COMPLETION_INDEX", "7"}, {"JOB_COMPLETIONS", "8"}}), "8/8");
  EXPECT_NE(share_text({{"JOB_COMPLETION_INDEX", "7"}}).find("JOB_COMPLETIONS is not set"),
            std::string::npos);
  EXPECT_NE(share_text({{"JOB_COMPLETION_INDEX", "8"}, {"JOB_COMPLETIONS", "8"}}).find("8"),
            std::string::npos);
  EXPECT_NE(share_text({}).find("neither"), std::string::npos);
  EXPECT_NE(share_text({{"JOB_COMPLETION_INDEX", "0"}, {"SLURM_ARRAY_TASK_ID", "0"}}).find("both"),
            std::string::npos);
}

TEST(SharedRecord, CutOffAnywhereIsWhatItsWholeLinesSay) {
  const std::string text = journal::first_line(3, "{\"a\":1}") + journal::begun_line(2) +
                           std::string(journal::kClearedLine) + journal::made_line(2) +
                           journal::begun_line(1) + journal::made_line(1) + journal::made_line(3) +
                           std::string(journal::kWholeLine) + journal::begun_line(2);
  const std::string_view all = text;
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string_view some = all.substr(0, size);
    const std::size_t end = some.rfind('\n');
    const auto whole = journal::parse_shared_record(end == some.npos ? std::string_view()
                                                                     : some.substr(0, end + 1));
    EXPECT_EQ(journal::parse_shared_record(some), whole) << size;
  }
  const auto record = journal::parse_shared_record(text);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->made, (std::set<std::uint32_t>{1, 3}));
  EXPECT_FALSE(record->whole);
  EXPECT_FALSE(record->cleared) << "the older first file is there again";
  EXPECT_FALSE(journal::parse_shared_record("sluice parts 3 0123456789abcdef {\"a\":1}\n"));
}

class ShareTest : public ResumeTest {
 protected:
  static constexpr std::uint32_t kParts = 3;

  ShareTest() {
    options_.split.max_tensors = 6;
    options_.output = folder_ / "one.gguf";
    Observer silent;
    one_ = quantize(options_, silent).parts;
    options_.output = output_;
  }

  std::string notes_of(std::uint32_t part, QuantizeOptions options) {
    options.share = {part, kParts};
    StoppingObserver observer(0);
    quantize(options, observer);
    return observer.notes;
  }

  std::string refusal_of(std::uint32_t part, QuantizeOptions options) {
    try {
      return "made: " + notes_of(part, options);
    } catch (const Error& error) {
      return error.what();
    }
  }

  std::string file(std::size_t no) const { return gguf_part(output_, no); }
  std::string gguf_part(const std::string& output, std::size_t no) const {
    const std::string stem = output.substr(0, output.size() - 5);
    std::string number = std::to_string(no + 1);
    std::string count = std::to_string(one_.size());
    return stem + "-" + std::string(5 - number.size(), '0') + number + "-of-" +
           std::string(5 - count.size(), '0') + count + ".gguf";
  }

  bool is_whole() const { return fs::exists(file(0)); }

  void expect_same_bytes() const {
    for (std::size_t no = 0; no < one_.size(); ++no) {
      EXPECT_TRUE(read_file(one_[no].file) == read_file(file(no))) << no;
    }
    for (const fs::directory_entry& entry :
         fs::directory_iterator(fs::path(output_).parent_path())) {
      const std::string name = entry.path().filename();
      EXPECT_TRUE(name.find(".part.") == name.npos && !name.ends_with(".part") &&
                  !name.ends_with(".waiting"))
          << name;
    }
  }

  std::vector<PartReport> one_;
};

TEST_F(ShareTest, InAnyOrderAreTheBytesOfOneRun) {
  std::vector<std::uint32_t> order = {1, 2, 3};
  do {
    for (const std::uint32_t part : order) {
      EXPECT_FALSE(is_whole());
      notes_of(part, options_);
    }
    EXPECT_TRUE(is_whole());
    expect_same_bytes();
    for (std::size_t no = 0; no < one_.size(); ++no) fs::remove(file(no));
    fs::remove(output_ + ".parts");
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(ShareTest, AtOnceTheLastNamesTheFirstFile) {
  for (int trial = 0; trial < 5; ++trial) {
    options_.restart = trial > 0;
    {
      std::vector<std::jthread> runs;
      for (std::uint32_t part = 1; part <= kParts; ++part) {
        runs.emplace_back([this, part] { notes_of(part, options_); });
      }
    }
    EXPECT_TRUE(is_whole());
    expect_same_bytes();
  }
}

TEST_F(ShareTest, EachGoesOnWhereItWasStopped) {
  int stops = 0;
  for (std::uint32_t part = 1; part <= kParts;) {
    options_.share = {part, kParts};
    if (stop_after(4)) {
      ++stops;
      ASSERT_LT(stops, 40);
    } else {
      ++part;
    }
  }
  EXPECT_GE(stops, 3);
  expect_same_bytes();
}

TEST_F(ShareTest, WhatIsMadeIsNotMadeAgain) {
  notes_of(2, options_);
  const auto then = fs::last_write_time(file(3));
  EXPECT_NE(notes_of(2, options_).find("part 2 of 3 is made already"), std::string::npos);
  EXPECT_EQ(fs::last_write_time(file(3)), then);
  fs::remove(file(3));
  EXPECT_EQ(notes_of(2, options_).find("made already"), std::string::npos);
  notes_of(1, options_);
  EXPECT_FALSE(is_whole());
  VerifyOptions check;
  check.output = file(0);
  Observer silent;
  try {
    verify(check, silent);
    ADD_FAILURE() << "it is not whole";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_open);
    EXPECT_NE(std::string(error.what()).find("-of-00007.gguf.waiting until all parts are made"),
              std::string::npos)
        << error.what();
  }
  notes_of(3, options_);
  EXPECT_TRUE(verify(check, silent).findings.empty());
  expect_same_bytes();
}

TEST_F(ShareTest, OfAnotherPlanIsRefused) {
  notes_of(2, options_);
  QuantizeOptions other = options_;
  other.file_type = find_file_type("Q5_0");
  const std::string refused = refusal_of(1, other);
  EXPECT_NE(refused.find("of another plan: it was made with other options"), std::string::npos)
      << refused;
  // As other machines have it: a copy, of another time.
  fs::copy_file(model_, folder_ / "copy.gguf");
  options_.input = folder_ / "copy.gguf";
  notes_of(1, options_);
  notes_of(3, options_);
  expect_same_bytes();
}

// Before any file of the new output has its name.
TEST_F(ShareTest, AnOlderFirstFileGoesBeforeOthersComeBesideIt) {
  for (std::uint32_t part = 1; part <= kParts; ++part) notes_of(part, options_);
  const Bytes older = read_file(file(1));
  write_model(2);  // of the same sizes
  for (const std::uint32_t part : {3, 2, 1}) {
    EXPECT_EQ(is_whole(), part == 3) << "the older output is there until another file is";
    EXPECT_NE(notes_of(part, options_), "");
  }
  EXPECT_TRUE(is_whole());
  EXPECT_NE(read_file(file(1)), older);
}

TEST_F(ShareTest, WithMorePartsThanFilesSomeHaveNothingToDo) {
  options_.split.max_tensors = 30;
  options_.share = {3, 3};
  StoppingObserver observer(0);
  EXPECT_TRUE(quantize(options_, observer).tensors.empty());
  EXPECT_NE(observer.notes.find("part 3 of 3 has nothing to make: there are 2 files only"),
            std::string::npos)
      << observer.notes;
}

TEST_F(ShareTest, AForeignFileOfTheRecordsNameStays) {
  write_file(output_ + ".parts", Bytes(100, std::byte{'\n'}));
  EXPECT_NE(refusal_of(1, options_).find("no record of sluice's parts"), std::string::npos);
  EXPECT_EQ(read_file(output_ + ".parts"), Bytes(100, std::byte{'\n'}));
}

TEST_F(ShareTest, WhatPartsCannotDoIsRefused) {
  QuantizeOptions other = options_;
  other.split = {};
  EXPECT_NE(refusal_of(1, other).find("not split"), std::string::npos);
  other = options_;
  other.target.bpw = 3;
  EXPECT_NE(refusal_of(1, other).find("sluice recipe"), std::string::npos);
}

// Feedback is decided for all of the plan: what has room for it in one run has in each part.
class CalibratedShareTest : public calibrated_tests::CalibratedTest {
 protected:
  /// That so many parts make the files of one run.
  void expect_the_same(std::uint32_t count) {
    options_.share = {};
    options_.output = folder_ / "one.gguf";
    Observer silent;
    const std::vector<PartReport> one = quantize(options_, silent).parts;
    options_.output = folder_ / "out.gguf";
    std::vector<PartReport> parts;
    for (std::uint32_t part = count; part > 0; --part) {
      options_.share = {part, count};
      for (const PartReport& made : quantize(options_, silent).parts) parts.push_back(made);
    }
    std::ranges::sort(parts, {}, &PartReport::file);
    ASSERT_EQ(parts.size(), one.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_TRUE(read_file(one[i].file) == read_file(parts[i].file)) << one[i].file;
    }
  }
};

TEST_F(CalibratedShareTest, BytesAreThoseOfOneRun) {
  options_.split.max_tensors = 5;
  expect_the_same(3);
}

// One input is of several matrices: of another file each, some without a kernel for feedback.
TEST_F(CalibratedShareTest, WhatSharesAnInputMayBeInSeveralParts) {
  options_.split.max_tensors = 1;
  options_.tensor_types = {{"attn_k", TensorType::q5_0}, {"ffn_up", TensorType::q5_0}};
  expect_the_same(11);
}

TEST_F(CalibratedShareTest, ARouterMayBeInAnotherPartThanItsExperts) {
  write_file(folder_ / "model.gguf", calibrated_tests::WideModel(4).build());
  options_.split.max_tensors = 1;
  expect_the_same(13);
}

}  // namespace
}  // namespace sluice::resume_tests
