// What an earlier run has left, whole, damaged or in part.

#include "api/resume_fixture.h"
#include "journal/journal.h"

namespace sluice::resume_tests {
namespace {

// Bytes that changed on the disk since are noticed where they are looked at.
TEST_F(ResumeTest, VerifyResumeMakesDamagedRangesAnew) {
  ASSERT_TRUE(stop_after(20));
  Bytes part = read_file(output_ + ".part");
  const IntervalSet done =
      journal::ranges_of(journal::Journal(output_ + ".part.journal").load()->records);
  std::uint64_t at = 0;
  done.for_each([&](Interval range) { at = (range.begin + range.end) / 2; });
  part[at] ^= std::byte{1};
  write_file(output_ + ".part", part);
  options_.verify_resume = true;
  StoppingObserver observer(0);
  finish(observer);
  EXPECT_EQ(read_file(output_), expected_);
  EXPECT_NE(observer.notes.find("made again"), std::string::npos) << observer.notes;
}

// The control: without looking, the damage stays.
TEST_F(ResumeTest, WithoutVerifyResumeTheJournalIsBelieved) {
  ASSERT_TRUE(stop_after(20));
  Bytes part = read_file(output_ + ".part");
  part[fs::file_size(output_ + ".part") / 10] ^= std::byte{1};
  write_file(output_ + ".part", part);
  StoppingObserver observer(0);
  finish(observer);
  EXPECT_NE(read_file(output_), expected_);
}

TEST_F(ResumeTest, ATornJournalLosesItsTailOnly) {
  ASSERT_TRUE(stop_after(20));
  const std::string journal = output_ + ".part.journal";
  fs::resize_file(journal, fs::file_size(journal) - 17);
  StoppingObserver observer(0);
  const RunReport report = finish(observer);
  EXPECT_GT(report.resumed_bytes, 0u);
  EXPECT_EQ(read_file(output_), expected_);
}

TEST_F(ResumeTest, APartFileWithoutAJournalIsNotOurs) {
  ASSERT_TRUE(stop_after(20));
  fs::remove(output_ + ".part.journal");
  const Bytes part = read_file(output_ + ".part");
  for (const bool restart : {false, true}) {
    options_.restart = restart;
    StoppingObserver observer(0);
    try {
      finish(observer);
      ADD_FAILURE() << "overwritten";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::output_open);
      EXPECT_EQ(error.context().file, output_ + ".part");
    }
    EXPECT_TRUE(read_file(output_ + ".part") == part);
  }
}

TEST_F(ResumeTest, ADamagedJournalIsToldAndKept) {
  const std::string journal = output_ + ".part.journal";
  for (const std::size_t at : {3, 15, 40}) {  // magic, hash, binding
    ASSERT_TRUE(stop_after(20));
    Bytes bytes = read_file(journal);
    bytes[at] ^= std::byte{1};
    write_file(journal, bytes);
    StoppingObserver observer(0);
    EXPECT_EQ(finish(observer).resumed_bytes, 0u);
    EXPECT_EQ(read_file(output_), expected_);
    EXPECT_NE(observer.notes.find(journal + ".damaged"), std::string::npos) << observer.notes;
    EXPECT_EQ(read_file(journal + ".damaged"), bytes);
    EXPECT_FALSE(fs::exists(journal));
    fs::remove(journal + ".damaged");
    fs::remove(output_);
  }
}

TEST_F(ResumeTest, ADamagedRecordLosesNoOther) {
  const std::string journal = output_ + ".part.journal";
  ASSERT_TRUE(stop_after(20));
  Bytes bytes = read_file(journal);
  const journal::Contents whole = *journal::parse(bytes);
  ASSERT_GT(whole.records.size(), 5u);
  bytes[bytes.size() - 3 * 40] ^= std::byte{1};
  write_file(journal, bytes);
  StoppingObserver observer(0);
  EXPECT_EQ(finish(observer).resumed_bytes,
            journal::ranges_of(whole.records).size() -
                whole.records[whole.records.size() - 3].range.size());
  EXPECT_EQ(read_file(output_), expected_);
  EXPECT_NE(observer.notes.find(journal + ".damaged"), std::string::npos) << observer.notes;
}

// 0.4.0's speaks of other things about the input, and not of the files' sizes.
TEST_F(ResumeTest, AnotherVersionsJournalIsToldAndCanBeBegunAnew) {
  ASSERT_TRUE(stop_after(20));
  fs::resize_file(output_ + ".part", fs::file_size(output_ + ".part") - 4096);
  journal::Journal journal(output_ + ".part.journal");
  journal::Contents contents = *journal.load();
  contents.binding = R"({"imatrix":"","imatrix_hash":0,"inputs":[],"options":"","output_size":9,)"
                     R"("plan_hash":1,"version":"0.4.0"})";
  journal.replace(contents);
  EXPECT_NE(refusal().find("another version"), std::string::npos);
  options_.restart = true;
  StoppingObserver observer(0);
  EXPECT_EQ(finish(observer).resumed_bytes, 0u);
  EXPECT_EQ(read_file(output_), expected_);
}

// What is left when a run ends in its first moments, before there is anything to go on with.
TEST_F(ResumeTest, ARunThatWasCutOffAtItsBeginningIsInNobodysWay) {
  ASSERT_TRUE(stop_after(20));
  journal::Journal journal(output_ + ".part.journal");
  journal.start(journal.load()->binding);
  options_.effort = Effort::fast;  // nothing was made, so that anything may be
  StoppingObserver observer(0);
  EXPECT_EQ(finish(observer).resumed_bytes, 0u);
  EXPECT_EQ(observer.notes.find("resuming"), std::string::npos) << observer.notes;
}

TEST_F(ResumeTest, APartFileThatIsGoneIsTold) {
  ASSERT_TRUE(stop_after(20));
  fs::remove(output_ + ".part");
  StoppingObserver observer(0);
  EXPECT_EQ(finish(observer).resumed_bytes, 0u);
  EXPECT_EQ(read_file(output_), expected_);
  EXPECT_NE(observer.notes.find(output_ + ".part is gone"), std::string::npos) << observer.notes;
}

}  // namespace
}  // namespace sluice::resume_tests
