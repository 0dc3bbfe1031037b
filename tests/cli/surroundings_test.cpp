// Surroundings that forbid or lack something: readers, limits, system calls.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>

#include "cli_fixture.h"

namespace sluice::testing_support {
namespace {

namespace fs = std::filesystem;

TEST_F(Cli, AReaderThatWentAwayDoesNotEndTheRun) {
  const Finished done = run({SLUICE_PROGRAM, "quantize", "--pure", model_, output_, "Q8_0"}, [] {
    int ends[2];
    if (::pipe(ends) != 0) ::_exit(126);
    ::close(ends[0]);
    ::dup2(ends[1], STDERR_FILENO);
  });
  EXPECT_EQ(done.status, 0);
  EXPECT_TRUE(fs::exists(output_));
}

TEST_F(Cli, ALimitOfFileSizesIsAnError) {
  const Finished done = run({SLUICE_PROGRAM, "quantize", "--pure", model_, output_, "Q8_0"}, [] {
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  });
  EXPECT_EQ(done.status, 4) << done.errors;
  EXPECT_NE(done.errors.find("File too large"), std::string::npos) << done.errors;
  EXPECT_NE(done.errors.find("ulimit -f"), std::string::npos) << done.errors;
}

TEST_F(Cli, TheLimitOfOpenFilesIsRaised) {
  const Finished done = run({SLUICE_PROGRAM, "quantize", "--pure", model_, output_, "Q8_0"}, [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 6;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  });
  EXPECT_EQ(done.status, 0) << done.errors;
}

// As in a container that forbids io_uring.
void forbid_io_uring() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{std::size(filter), filter};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    ::_exit(126);
  }
}

TEST_F(Cli, WithoutIoUringItReadsOtherwiseAndSaysSo) {
  ASSERT_EQ(sluice({"quantize", "--pure", model_, output_, "Q8_0"}).status, 0);
  const std::vector<std::byte> expected = read_file(output_);
  for (const std::string mode : {"auto", "async"}) {
    const Finished done =
        run({SLUICE_PROGRAM, "quantize", "--pure", "--io", mode, model_, output_, "Q8_0"},
            forbid_io_uring);
    EXPECT_EQ(done.status, 0) << done.errors;
    EXPECT_NE(done.errors.find("io_uring is not available"), std::string::npos) << done.errors;
    EXPECT_NE(done.errors.find("--io mmap"), std::string::npos) << done.errors;
    EXPECT_TRUE(read_file(output_) == expected);
  }
}

}  // namespace
}  // namespace sluice::testing_support
