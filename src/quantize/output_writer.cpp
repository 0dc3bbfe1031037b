#include "quantize/output_writer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "sluice/error.h"

namespace sluice {
namespace {

// Where reads need not wait for writes, output goes out as soon as it makes a write of some size:
// what is left when the last input was read is time that nothing else fills.
constexpr std::uint64_t kEagerWrite = std::uint64_t{2} << 20;

// With what is on its way through the pipeline, less than 64 MiB of output are made twice after a
// crash.
constexpr std::uint64_t kCheckpointBytes = std::uint64_t{48} << 20;

// Less work than this is not worth the files that would be left behind.
constexpr double kWorthSaving = 1;  // seconds

// A run that was told to stop shall have stopped after a second, on a slow disk too.
constexpr double kSaveSeconds = 0.3;

static_assert(kPartAlignment % io::OutputBuffer::kExtent == 0, "no extent is of two files");

// What need not come any more: what an earlier run wrote, and what lies between two files.
IntervalSet written_before(const Plan& plan, std::span<const journal::Record> done) {
  IntervalSet written = journal::ranges_of(done);
  for (std::size_t no = 1; no < plan.parts.size(); ++no) {
    written.add({plan.parts[no - 1].end(), plan.parts[no].begin});
  }
  return written;
}

}  // namespace

OutputWriter::OutputWriter(const Plan& plan, std::span<const journal::Record> done,
                           const Surroundings& surroundings, const Options& options)
    : plan_(plan),
      to_(surroundings),
      options_(options),
      done_(journal::ranges_of(done)),
      buffer_(options.extents, plan.output_end(), written_before(plan, done)) {
  for (const PlannedTensor& tensor : plan.tensors) checksums_.emplace_back(tensor.output_size);
  for (const journal::Record& record : done) note(record);
}

OutputWriter::~OutputWriter() {
  to_.sink.wait_for_writes();
}

void OutputWriter::note(const journal::Record& record) {
  const auto next = std::upper_bound(plan_.tensors.begin(), plan_.tensors.end(), record.range.begin,
                                     [](std::uint64_t offset, const PlannedTensor& tensor) {
                                       return offset < tensor.output_offset;
                                     });
  if (next == plan_.tensors.begin()) return;  // the first header
  const PlannedTensor& tensor = *std::prev(next);
  // Else it is padding, or another header.
  if (record.range.end <= tensor.output_offset + tensor.output_size) {
    checksums_[static_cast<std::size_t>(&tensor - plan_.tensors.data())].add(
        record.range.begin - tensor.output_offset, record.range.size(), record.crc32);
  }
}

// A record is of bytes that come together, of one tensor or between two, and counts when all of them
// are on the disk. What an earlier run wrote has its own.
void OutputWriter::record(std::uint64_t offset, std::span<const std::byte> bytes) {
  const std::uint64_t end = offset + bytes.size();
  std::uint64_t at = offset;
  while (const std::optional<Interval> gap = done_.first_gap({at, end})) {
    const std::span<const std::byte> part = bytes.subspan(gap->begin - offset, gap->size());
    const journal::Record record{*gap, xxh3_of(part), crc32_of(part)};
    at = gap->end;
    const std::lock_guard lock(mutex_);
    note(record);
    unsafe_.push_back(record);
  }
}

void OutputWriter::write(std::vector<io::OutputBuffer::Write> writes) {
  for (io::OutputBuffer::Write& write : writes) {
    unsafe_bytes_ += write.size;
    if (to_.turns.shared()) {
      const engine::Monitor::Scope writing = to_.monitor.writing(write.size);
      to_.sink.write_at(write.begin, write.pieces);
    } else {
      start(std::move(write));
    }
  }
}

void OutputWriter::start(io::OutputBuffer::Write write) {
  struct UnderWay {
    io::OutputBuffer::Write write;
    engine::Monitor::Scope writing;
  };
  const std::uint64_t size = write.size;
  const std::shared_ptr<UnderWay> held(new UnderWay{std::move(write), to_.monitor.writing(size)});
  to_.sink.start_write(held->write.begin, held->write.pieces, held);
}

void OutputWriter::write_ready() {
  const engine::Turns::WriteBatch turn(to_.turns);
  write(buffer_.take_ready(std::numeric_limits<std::uint64_t>::max(), io::Sink::kLargestWrite));
}

void OutputWriter::write_all() {
  const engine::Turns::WriteBatch turn(to_.turns);
  write(buffer_.take_all(io::Sink::kLargestWrite));
}

void OutputWriter::put(std::uint64_t offset, std::span<const std::byte> bytes) {
  for (;;) {
    const std::size_t taken = buffer_.put(offset, bytes);
    offset += taken;
    bytes = bytes.subspan(taken);
    if (bytes.empty()) break;
    if (buffer_.ready_bytes() > 0) {
      write_ready();
    } else if (!to_.sink.wait_for_write()) {
      write_all();  // output arrives at more places than there are extents: better small than none
    }
  }
}

void OutputWriter::write_eagerly() {
  if (!to_.turns.shared() && buffer_.ready_bytes() >= kEagerWrite) write_ready();
}

void OutputWriter::put_headers() {
  for (const OutputPart& part : plan_.parts) {
    record(part.begin, part.header);
    put(part.begin, part.header);
  }
}

void OutputWriter::put_zeros(Interval range) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  while (range.size() > 0) {
    const auto zeros = std::span(kZeros).first(std::min<std::uint64_t>(range.size(), 4096));
    record(range.begin, zeros);
    put(range.begin, zeros);
    range.begin += zeros.size();
  }
}

void OutputWriter::prepare(engine::Task& task) {
  for (engine::Result& result : task.results) {
    record(result.output.begin, result.bytes);
    result.taken = buffer_.put_all(result.output.begin, result.bytes);
  }
}

void OutputWriter::take(const engine::Task& task) {
  for (const engine::Result& result : task.results) {
    if (!result.taken) put(result.output.begin, result.bytes);
    put_zeros({result.output.begin + result.bytes.size(), result.output.end});
  }
  write_eagerly();
}

void OutputWriter::settle() {
  if (since_checkpoint_.seconds() < options_.checkpoint_s &&
      unsafe_bytes_ + buffer_.ready_bytes() < kCheckpointBytes) {
    return;
  }
  const engine::Turns::WriteBatch turn(to_.turns);
  write(buffer_.take_ready(std::numeric_limits<std::uint64_t>::max(), io::Sink::kLargestWrite));
  checkpoint();
}

/// Records of which all bytes have been written.
std::vector<journal::Record> OutputWriter::take_safe() {
  const std::lock_guard lock(mutex_);
  const auto safe = std::stable_partition(
      unsafe_.begin(), unsafe_.end(),
      [&](const journal::Record& record) { return !buffer_.took_out(record.range); });
  std::vector<journal::Record> taken(safe, unsafe_.end());
  unsafe_.erase(safe, unsafe_.end());
  return taken;
}

void OutputWriter::checkpoint() {
  if (unsafe_bytes_ > 0) {
    const engine::Monitor::Scope syncing = to_.monitor.syncing();
    to_.sink.sync();
    for (const journal::Record& record : take_safe()) to_.journal.append(record);
    unsafe_bytes_ = 0;
    to_.journal.commit();
    to_.sink.keep();
  }
  since_checkpoint_ = Stopwatch();
}

void OutputWriter::finish() {
  const engine::Turns::WriteBatch turn(to_.turns);
  write(buffer_.take_all(io::Sink::kLargestWrite));
  // So that the journal knows that all is there when the file gets its name.
  if (to_.journal.empty()) {
    to_.sink.finish_writes();
  } else {
    checkpoint();
  }
}

void OutputWriter::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  if (to_.sink.read_at(offset, bytes) == bytes.size()) return;
  throw Error(
      ErrorCode::output_write, "ends before what was written to it",
      {.file = to_.sink.work_path(), .cure = "Check the disk and run the same command again"});
}

void OutputWriter::save() noexcept {
  if (to_.journal.empty() && since_checkpoint_.seconds() < kWorthSaving) return;
  try {
    const engine::Turns::WriteBatch turn(to_.turns);
    const Stopwatch watch;
    while (buffer_.ready_bytes() > 0 && watch.seconds() < kSaveSeconds) {
      write(buffer_.take_ready(1, io::Sink::kLargestWrite));
    }
    if (watch.seconds() < kSaveSeconds) write(buffer_.take_all(io::Sink::kLargestWrite));
    checkpoint();
  } catch (...) {
    // The error that ends the run is what the user must see. The journal speaks of less.
  }
}

}  // namespace sluice
