// The program on disks and kernels that fail, in each I/O mode: it either makes the same bytes as
// ever or ends with one clear message, and an older output stays as it was.

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>

#include "journal/journal.h"
#include "support/fault_disk.h"
#include "support/needs.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

const std::string kModel = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";
const std::string kMatrix = SLUICE_TEST_DATA "/imatrix/tiny-llama.imatrix.gguf";
constexpr std::size_t kModelSize = 14221152;

// Runs it in small pieces, so that there are many reads and writes to fail.
Finished quantize(
    const std::string& mode, const std::string& matrix, const std::string& model,
    const std::string& output, const std::function<void()>& prepare = [] {}) {
  return run({SLUICE_PROGRAM, "quantize", "--effort", "fast", "--memory", "32M", "--io", mode,
              "--imatrix", matrix, model, output, "IQ1_M"},
             prepare);
}

// What an undisturbed run makes.
const std::vector<std::byte>& expected_bytes() {
  static const std::vector<std::byte> bytes = [] {
    const TempFolder folder;
    const Finished done = quantize("read", kMatrix, kModel, folder / "out.gguf");
    if (done.status != 0) throw std::runtime_error(done.errors);
    return read_file(folder / "out.gguf");
  }();
  return bytes;
}

// Makes a system call fail in this process and those it starts.
void forbid(int call, int error) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{std::size(filter), filter};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    ::_exit(126);
  }
}

class Faults : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    SLUICE_NEEDS(disk_.mounted(), disk_.why_not());
    write_file(output_, older_);
  }

  Finished quantize_on_disk(const std::function<void()>& prepare = [] {}) {
    return quantize(mode_, matrix_, disk_ / "tiny-llama-f16.gguf", output_, prepare);
  }

  // What a failed run may have left for the next one.
  void remove_leftovers() {
    std::vector<fs::path> leftovers;
    for (const fs::directory_entry& entry : fs::directory_iterator(disk_ / ".")) {
      if (entry.path().filename().string().starts_with("out.gguf.")) {
        leftovers.push_back(entry.path());
      }
    }
    for (const fs::path& leftover : leftovers) fs::remove(leftover);
  }

  void expect_same_bytes(const Finished& done) {
    ASSERT_EQ(done.status, 0) << done.errors;
    EXPECT_TRUE(read_file(output_) == expected_bytes());
    EXPECT_FALSE(fs::exists(output_ + ".part"));
  }

  // One line that names the file, what is wrong and what helps; the older output is untouched.
  void expect_failure(const Finished& done, int status, const std::string& file,
                      const std::vector<std::string>& texts) {
    EXPECT_EQ(done.status, status) << done.errors;
    const std::size_t begin = done.errors.find("sluice: ");
    ASSERT_NE(begin, std::string::npos) << done.errors;
    const std::string message = done.errors.substr(begin);
    EXPECT_NE(message.find(file), std::string::npos) << message;
    EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 1) << message;
    for (const std::string& text : texts) {
      EXPECT_NE(message.find(text), std::string::npos) << "wanted: " << text << "\n" << message;
    }
    EXPECT_TRUE(read_file(output_) == older_);
  }

  const std::string mode_ = GetParam();
  FaultDisk disk_{{kModel, kMatrix}};
  std::string matrix_ = kMatrix;  // its path becomes part of the output
  const std::string output_ = disk_ / "out.gguf";
  const std::vector<std::byte> older_ = std::vector<std::byte>(1000, std::byte{7});
};

// Reads by system calls, which can be interrupted; a page fault cannot.
class CallFaults : public Faults {};

// What must be survived. On a disk with short reads nothing can be mapped: there `mmap` is a test
// of how it does without.

TEST_P(Faults, AGoodDiskGivesTheExpectedBytes) {
  expect_same_bytes(quantize_on_disk());
}

TEST_P(Faults, ShortReadsAreContinued) {
  disk_.tell("short 40000\n");
  expect_same_bytes(quantize_on_disk());
  EXPECT_GT(disk_.count("read"), kModelSize / 40000);
}

TEST_P(Faults, ReadsShorterThanAPageAreContinued) {
  disk_.tell("short 3000\n");
  expect_same_bytes(quantize_on_disk());
}

TEST_P(CallFaults, InterruptedCallsAreRepeated) {
  disk_.tell("on read skip=30 times=5 do EINTR\non write times=3 do EINTR\n");
  expect_same_bytes(quantize_on_disk());
  EXPECT_EQ(disk_.count("faults"), 8u);
}

TEST_P(Faults, WithoutDirectReadsItGoesThroughTheCache) {
  disk_.tell("no-direct\n");
  expect_same_bytes(quantize_on_disk());
}

TEST_P(Faults, DirectReadsThatAreRefusedOnlyThenGoThroughTheCache) {
  disk_.tell("no-direct-reads\n");
  expect_same_bytes(quantize_on_disk());
}

TEST_P(Faults, WithoutFallocateItWritesAllTheSame) {
  disk_.tell("on fallocate do EOPNOTSUPP\n");
  expect_same_bytes(quantize_on_disk());
  EXPECT_GT(disk_.count("faults"), 0u);
}

TEST_P(Faults, WithoutIoUringItReadsOtherwise) {
  for (const int error : {EPERM, ENOSYS}) {
    expect_same_bytes(quantize_on_disk([&] { forbid(__NR_io_uring_setup, error); }));
  }
}

// What ends the run.

TEST_P(Faults, AFailingInputIsNamedWithThePlace) {
  disk_.tell("on read file=f16.gguf at=9000000 do EIO\n");
  const Finished done = quantize_on_disk();
  expect_failure(done, 4, disk_ / "tiny-llama-f16.gguf", {"cannot be read", "Check the disk"});
  EXPECT_GT(disk_.count("faults"), 0u);
  // A direct read is told only that it failed, the others on which page.
  const std::size_t at = done.errors.find("(at byte ");
  ASSERT_NE(at, std::string::npos) << done.errors;
  const std::size_t offset = std::stoull(done.errors.substr(at + 9));
  EXPECT_LE(offset, 9000000u);
  EXPECT_GE(offset, mode_ == "async" ? 9000000u - (4u << 20) : 9000000u / 4096 * 4096);
}

TEST_P(Faults, AFailingHeaderIsNamed) {
  disk_.tell("on read file=f16.gguf do EIO\n");
  expect_failure(quantize_on_disk(), 4, disk_ / "tiny-llama-f16.gguf",
                 {"cannot be read", "(at byte 0)", "Check the disk"});
}

// At its beginning, and at values that are only looked at when they are needed.
TEST_P(Faults, AFailingImportanceMatrixIsNamed) {
  matrix_ = disk_ / "tiny-llama.imatrix.gguf";
  for (const std::string at : {"0", "70000"}) {
    disk_.tell("clear\non read file=imatrix.gguf at=" + at + " do EIO\n");
    expect_failure(quantize_on_disk(), 4, matrix_,
                   {"cannot be read", "(at byte ", "Check the disk"});
  }
}

TEST_P(Faults, AnImportanceMatrixThatShrinksIsAnError) {
  matrix_ = disk_ / "tiny-llama.imatrix.gguf";
  disk_.tell("on read file=imatrix.gguf times=1 do shrink:50000\n");
  expect_failure(quantize_on_disk(), 3, matrix_,
                 {"ends before", "(at byte 50000)", "copy it again"});
}

TEST_P(Faults, AnInputThatShrinksIsAnError) {
  disk_.tell("on read file=f16.gguf skip=20 times=1 do shrink:5000001\n");
  expect_failure(quantize_on_disk(), 3, disk_ / "tiny-llama-f16.gguf",
                 {"ends before", "(at byte ", "copy it again"});
  EXPECT_EQ(disk_.count("faults"), 1u);
}

TEST_P(Faults, AnInputThatCannotBeOpenedIsNamed) {
  disk_.tell("on open file=f16.gguf do EACCES\n");
  expect_failure(quantize_on_disk(), 3, disk_ / "tiny-llama-f16.gguf",
                 {"cannot be opened", "right to read"});
}

TEST_P(Faults, TooLittleSpaceIsSaidBeforeAnyWork) {
  disk_.tell("free 1000000\n");
  expect_failure(quantize_on_disk(), 4, output_, {"needs", "Free some space"});
  EXPECT_EQ(read_file(output_).size(), older_.size());
  EXPECT_LT(disk_.count("read"), kModelSize / (128 * 1024)) << "the model was read";
}

TEST_P(Faults, ADiskThatCannotSetSpaceAsideIsFoundFullBeforeAnyWork) {
  disk_.tell("on fallocate do ENOSPC\n");
  expect_failure(quantize_on_disk(), 4, output_, {"Free some space"});
  EXPECT_LT(disk_.count("read"), kModelSize / (128 * 1024)) << "the model was read";
}

TEST_P(Faults, ADiskThatFillsUpMeanwhileIsAnError) {
  disk_.tell("on fallocate do EOPNOTSUPP\nspace 1000000\n");
  expect_failure(quantize_on_disk(), 4, output_, {"No space left", "Free some space"});
}

TEST_P(Faults, FailingWritesSyncsAndRenamesAreErrors) {
  for (const std::string rule : {"write", "write at=1000000", "fsync", "rename"}) {
    disk_.tell("clear\non " + rule + " do EIO\n");
    SCOPED_TRACE(rule);
    remove_leftovers();
    expect_failure(quantize_on_disk(), 4, output_, {"Input/output error", "Check the "});
  }
}

// The kernel tells each descriptor once of a write-back that failed: whoever hears it must say so.
TEST_P(Faults, AFailingWriteBackIsAnError) {
  disk_.tell("no-direct\n");
  expect_failure(quantize_on_disk([] { forbid(__NR_sync_file_range, EIO); }), 4, output_,
                 {"cannot be written: Input/output error", "Check the disk"});
  expect_same_bytes(quantize_on_disk([] { forbid(__NR_sync_file_range, ENOSYS); }));
}

TEST_P(Faults, AReadOnlyTargetIsSaidBeforeAnyWork) {
  disk_.tell("on create do EROFS\n");
  expect_failure(quantize_on_disk(), 4, output_, {"cannot be created", "Read-only", "folder"});
  EXPECT_LT(disk_.count("read"), kModelSize / (128 * 1024)) << "the model was read";
}

TEST_P(Faults, APowerCutLeavesTheOlderOutput) {
  {  // The older output and its name are safe.
    const int file = ::open(output_.c_str(), O_WRONLY);
    ASSERT_EQ(::fsync(file), 0);
    ::close(file);
    const int folder = ::open((disk_ / ".").c_str(), O_RDONLY | O_DIRECTORY);
    ASSERT_EQ(::fsync(folder), 0);
    ::close(folder);
  }
  for (const std::string names : {"lost", "kept"}) {
    remove_leftovers();
    disk_.tell("clear\non write do power-off\n");
    const Finished done = quantize_on_disk();
    EXPECT_EQ(done.status, 4) << done.errors;
    disk_.tell("clear\npower-on data=lost names=" + names + "\n");
    EXPECT_TRUE(read_file(output_) == older_);
  }
  // Off at the very end: whichever file has the name is whole.
  for (const std::string at : {"fsync", "rename", "fsyncdir"}) {
    for (const std::string names : {"lost", "kept"}) {
      disk_.tell("clear\non " + at + " do power-off\n");
      quantize_on_disk();
      disk_.tell("clear\npower-on data=lost names=" + names + "\n");
      const std::vector<std::byte> left = read_file(output_);
      EXPECT_TRUE(left == older_ || left == expected_bytes()) << at << " " << names;
    }
  }
  expect_same_bytes(quantize_on_disk());
}

INSTANTIATE_TEST_SUITE_P(Modes, Faults, testing::Values("mmap", "async", "read"),
                         [](const auto& test) { return test.param; });
INSTANTIATE_TEST_SUITE_P(Modes, CallFaults, testing::Values("async", "read"),
                         [](const auto& test) { return test.param; });

// Runs that go on where one failed. The model is elsewhere: a power cut on this disk changes the
// times of files.
class ResumeFaults : public testing::Test {
 protected:
  void SetUp() override {
    SLUICE_NEEDS(disk_.mounted(), disk_.why_not());
    disk_.tell("on write skip=5 do EIO\n");
    ASSERT_EQ(quantize().status, 4);
    disk_.tell("clear\n");
    ASSERT_TRUE(fs::exists(journal_));
  }

  Finished quantize(const std::vector<std::string>& options = {}) {
    std::vector<std::string> words = {SLUICE_PROGRAM, "quantize", "--effort",  "fast",
                                      "--memory",     "32M",      "--io",      "read",
                                      "--checkpoint", "0",        "--imatrix", kMatrix};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {kModel, output_, "IQ1_M"});
    return run(words);
  }

  void expect_resumed(const Finished& done) {
    ASSERT_EQ(done.status, 0) << done.errors;
    EXPECT_NE(done.errors.find("resuming: "), std::string::npos) << done.errors;
    EXPECT_TRUE(read_file(output_) == expected_bytes());
  }

  FaultDisk disk_;
  const std::string output_ = disk_ / "out.gguf";
  const std::string journal_ = output_ + ".part.journal";
};

TEST_F(ResumeFaults, AfterRestartAndAPowerCutTheOldJournalDoesNotSpeakForTheNewData) {
  // When the new journal is made, and at its first record. The disk knows it by its first name.
  for (const std::string at : {"skip=0", "skip=1"}) {
    for (const std::string names : {"lost", "kept"}) {
      disk_.tell("on fsync file=.journal.new " + at + " do power-off\n");
      EXPECT_EQ(quantize({"--restart"}).status, 4);
      disk_.tell("clear\npower-on data=lost names=" + names + "\n");
      const Finished done = quantize();
      ASSERT_EQ(done.status, 0) << done.errors;
      EXPECT_TRUE(read_file(output_) == expected_bytes()) << at << names;
      fs::remove(output_);
      disk_.tell("on write skip=5 do EIO\n");
      ASSERT_EQ(quantize().status, 4);
      disk_.tell("clear\n");
    }
  }
}

TEST_F(ResumeFaults, DamageThatIsFoundDoesNotLoseTheRest) {
  const auto contents = sluice::journal::Journal(journal_).load();
  ASSERT_TRUE(contents);
  ASSERT_GT(contents->records.size(), 3u);
  {
    std::fstream part(output_ + ".part", std::ios::binary | std::ios::in | std::ios::out);
    part.seekp(static_cast<std::streamoff>(contents->records[1].range.begin));
    part.write("damage", 6);
  }
  disk_.tell("on write file=.journal do ENOSPC\non write file=.journal.new do ENOSPC\n");
  const Finished failed = quantize({"--verify-resume"});
  EXPECT_EQ(failed.status, 4);
  EXPECT_NE(failed.errors.find("Free some space"), std::string::npos) << failed.errors;
  disk_.tell("clear\n");
  EXPECT_EQ(sluice::journal::Journal(journal_).load()->records, contents->records);
  expect_resumed(quantize({"--verify-resume"}));
}

// Outputs in several files, here of an older set to be replaced.
class SplitFaults : public testing::Test {
 protected:
  using Files = std::map<std::string, std::vector<std::byte>>;  // by name

  void SetUp() override {
    SLUICE_NEEDS(disk_.mounted(), disk_.why_not());
    const TempFolder folder;
    ASSERT_EQ(quantize(kModel, folder / "out.gguf").status, 0);
    expected_ = outputs_in(folder / ".");
    ASSERT_EQ(expected_.size(), 4u);
    for (auto& [name, bytes] : older_ = expected_) bytes.assign(1000, std::byte{7});
  }

  static Finished quantize(const std::string& model, const std::string& output) {
    return run({SLUICE_PROGRAM, "quantize", "--effort", "fast", "--memory", "32M", "--io", "read",
                "--checkpoint", "0", "--split-max-tensors", "20", "--imatrix", kMatrix, model,
                output, "IQ1_M"});
  }

  // The model is elsewhere: a power cut on this disk changes the times of files.
  Finished quantize_on_disk() { return quantize(kModel, disk_ / "out.gguf"); }

  static Files outputs_in(const std::string& folder) {
    Files files;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename();
      if (name.starts_with("out")) files[name] = read_file(entry.path());
    }
    return files;
  }

  // The older set alone, safe.
  void begin_with_older() {
    for (const auto& [name, bytes] : outputs_in(disk_ / ".")) fs::remove(disk_ / name);
    for (const auto& [name, bytes] : older_) {
      write_file(disk_ / name, bytes);
      const int file = ::open((disk_ / name).c_str(), O_WRONLY);
      EXPECT_EQ(::fsync(file), 0);
      ::close(file);
    }
    const int folder = ::open((disk_ / ".").c_str(), O_RDONLY | O_DIRECTORY);
    EXPECT_EQ(::fsync(folder), 0);
    ::close(folder);
  }

  // Those with the outputs' own names.
  Files named() const {
    Files files;
    for (const auto& [name, bytes] : expected_) {
      if (fs::exists(disk_ / name)) files[name] = read_file(disk_ / name);
    }
    return files;
  }

  FaultDisk disk_{{kModel}};
  Files expected_;
  Files older_;
};

// Wherever the power fails: what the first file leads to is all old or all new, and the same
// command makes all new.
TEST_F(SplitFaults, APowerCutLeavesNoMixture) {
  const std::string first = expected_.begin()->first;
  int old = 0, none = 0, whole = 0;
  for (const std::string at :
       {"write skip=5", "fsync skip=1", "unlink", "fsyncdir skip=1", "rename", "fsyncdir skip=2",
        "rename skip=1", "rename skip=3", "fsyncdir skip=3", "unlink skip=1"}) {
    for (const std::string names : {"lost", "kept"}) {
      SCOPED_TRACE(at + ", names " + names);
      begin_with_older();
      disk_.tell("clear\non " + at + " do power-off\n");
      quantize_on_disk();
      EXPECT_GT(disk_.count("faults"), 0u);
      disk_.tell("clear\npower-on data=lost names=" + names + "\n");
      const Files left = named();
      if (!left.contains(first)) {
        ++none;
      } else {
        EXPECT_TRUE(left == older_ || left == expected_);
        ++(left == older_ ? old : whole);
      }
      const Finished done = quantize_on_disk();
      EXPECT_EQ(done.status, 0) << done.errors;
      EXPECT_TRUE(outputs_in(disk_ / ".") == expected_);
    }
  }
  EXPECT_GT(old, 0);
  EXPECT_GT(none, 0);
  EXPECT_GT(whole, 0);
}

TEST_F(SplitFaults, FailingStepsAreErrorsThatTheSameCommandSurvives) {
  for (const std::string rule : {"write skip=10", "fsync skip=2", "rename", "rename skip=2",
                                 "rename skip=3", "create skip=2"}) {
    SCOPED_TRACE(rule);
    begin_with_older();
    disk_.tell("clear\non " + rule + " times=1 do EIO\n");
    const Finished failed = quantize_on_disk();
    EXPECT_EQ(failed.status, 4) << failed.errors;
    EXPECT_NE(failed.errors.find(disk_ / "out.gguf.part"), std::string::npos) << failed.errors;
    disk_.tell("clear\n");
    const Finished done = quantize_on_disk();
    EXPECT_EQ(done.status, 0) << done.errors;
    EXPECT_TRUE(outputs_in(disk_ / ".") == expected_);
  }
}

TEST_F(SplitFaults, TooLittleSpaceForAllIsSaidBeforeAnyWork) {
  begin_with_older();
  disk_.tell("free 1000000\n");  // enough for each file
  const Finished done = quantize(disk_ / "tiny-llama-f16.gguf", disk_ / "out.gguf");
  EXPECT_EQ(done.status, 4);
  EXPECT_NE(done.errors.find("Free some space"), std::string::npos) << done.errors;
  EXPECT_LT(disk_.count("read"), kModelSize / (128 * 1024)) << "the model was read";
  EXPECT_TRUE(outputs_in(disk_ / ".") == older_);
}

}  // namespace
