#include "quantize/output_writer.h"

#include <algorithm>
#include <array>
#include <limits>

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
      buffer_(options.extents, plan.output_end(), written_before(plan, done)) {
  for (const PlannedTensor& tensor : plan.tensors) checksums_.emplace_back(tensor.output_size);
  for (const OutputPart& part : plan.parts) {
    for (std::size_t i = part.first_tensor; i < part.first_tensor + part.tensors; ++i) {
      boundaries_.push_back(plan.tensors[i].output_offset);
      boundaries_.push_back(plan.tensors[i].output_offset + plan.tensors[i].output_size);
    }
    boundaries_.push_back(part.end());
  }
  for (const journal::Record& record : done) note(record);
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

// A record is of one tensor, or of what lies between two.
void OutputWriter::record(const io::OutputBuffer::Write& write) {
  StreamHash hash;
  std::uint64_t at = write.begin;
  journal::Record record{.range = {at, at}};
  auto boundary = std::upper_bound(boundaries_.begin(), boundaries_.end(), at);
  const auto close_record = [&] {
    if (record.range.begin == at) return;
    record.range.end = at;
    record.hash = hash.take();
    note(record);
    unsafe_.push_back(record);
    record = {.range = {at, at}};
  };
  for (std::span<const std::byte> piece : write.pieces) {
    while (!piece.empty()) {
      while (*boundary <= at) ++boundary;
      const std::size_t size = std::min<std::uint64_t>(piece.size(), *boundary - at);
      hash.add(piece.first(size));
      record.crc32 = crc32_of(piece.first(size), record.crc32);
      at += size;
      piece = piece.subspan(size);
      if (at == *boundary) close_record();
    }
  }
  close_record();
  unsafe_bytes_ += write.size;
}

void OutputWriter::write(const std::vector<io::OutputBuffer::Write>& writes) {
  for (const io::OutputBuffer::Write& write : writes) {
    {
      const engine::Monitor::Scope writing = to_.monitor.writing(write.begin, write.size);
      to_.sink.write_at(write.begin, write.pieces);
    }
    record(write);
  }
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
    } else {
      write_all();  // output arrives at more places than there are extents: better small than none
    }
  }
  if (!to_.turns.shared() && buffer_.ready_bytes() >= kEagerWrite) write_ready();
}

void OutputWriter::put_headers() {
  for (const OutputPart& part : plan_.parts) put(part.begin, part.header);
}

void OutputWriter::take(const engine::Task& task) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  for (const engine::Result& result : task.results) {
    put(result.output.begin, result.bytes);
    std::uint64_t at = result.output.begin + result.bytes.size();
    while (at < result.output.end) {
      const std::size_t size = std::min<std::uint64_t>(result.output.end - at, kZeros.size());
      put(at, std::span(kZeros).first(size));
      at += size;
    }
  }
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

void OutputWriter::checkpoint() {
  if (!unsafe_.empty()) {
    const engine::Monitor::Scope syncing = to_.monitor.syncing();
    to_.sink.sync();
    for (const journal::Record& record : unsafe_) to_.journal.append(record);
    unsafe_.clear();
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
  if (!to_.journal.empty()) checkpoint();
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
