#include "api/imatrix_files.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

#include "imatrix/dat_writer.h"
#include "sluice/error.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// Fails for a file that is there and no run's.
void require_own(const std::string& path) {
  std::error_code none;
  const std::uintmax_t size = fs::file_size(path, none);
  if (none || size == 0) return;
  throw Error(ErrorCode::output_open,
              "would be overwritten, and is no working file of sluice's: no state of a run is "
              "beside it",
              {.file = path, .cure = "Name another output, or remove it"});
}

void check_done(const std::error_code& failed, const std::string& path) {
  if (!failed) return;
  throw Error(ErrorCode::output_write, "cannot be removed: " + failed.message(),
              {.file = path, .cure = "Check the folder's rights and run the same command again"});
}

void remove_file(const std::string& path) {
  std::error_code failed;
  fs::remove(path, failed);
  check_done(failed, path);
}

// Makes the older format of the sums, which stay until it has its name.
void make_dat(io::Sink& sums, const ImatrixRun& run) {
  io::Sink sink(run.dat_file(),
                {{.path = run.names.parts.front().path, .size = imatrix::dat_size(*run.layout)}});
  sink.start();
  std::uint64_t written = 0;
  imatrix::write_dat(
      *run.layout,
      [&](std::uint64_t offset, std::span<std::byte> out) { sums.read_at(offset, out); },
      [&](std::span<const std::byte> bytes) {
        sink.write_at(written, {&bytes, 1});
        written += bytes.size();
      });
  sink.commit();
}

}  // namespace

void drop_earlier_run(const io::Sink& sums, const ImatrixRun& run) {
  const std::string state = run.state_file();
  if (!fs::exists(state)) return;
  // The state last: without it nobody would know whose the others are.
  std::error_code failed;
  fs::resize_file(sums.work_path(), 0, failed);
  check_done(failed, sums.work_path());
  remove_file(run.dat_file());
  remove_file(state);
}

void open_sums(io::Sink& sums, calibrate::Walk& walk, const ImatrixRun& run) {
  if (walk.found() && sums.found() && sums.first_unfit().empty()) {
    sums.resume();
  } else {
    if (walk.done() > 0) {
      throw Error(ErrorCode::resume_refused, "has no longer what an earlier run wrote",
                  {.file = sums.work_path(), .cure = "Begin anew with --restart"});
    }
    if (!walk.found()) {
      require_own(sums.work_path());
      require_own(run.dat_file());
    }
    walk.begin();
    sums.start();
    const std::span<const std::byte> header = run.layout->header();
    sums.write_at(0, {&header, 1});
  }
  sums.keep();
}

void commit_sums(io::Sink& sums, ImatrixFormat format, const ImatrixRun& run) {
  if (format == ImatrixFormat::dat) {
    make_dat(sums, run);
    remove_file(sums.work_path());
  } else {
    sums.commit();
    remove_file(run.dat_file());
  }
}

}  // namespace sluice
