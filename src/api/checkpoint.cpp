#include "api/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/checksum.h"
#include "base/stop.h"
#include "sluice/error.h"

namespace sluice {
namespace {

// Where reading is for checking only, this much at a time.
constexpr std::size_t kReadBytes = std::size_t{1} << 20;

bool holds(io::Sink& sink, const journal::Record& record) {
  StreamHash hash;
  std::vector<std::byte> bytes(kReadBytes);
  for (std::uint64_t at = record.range.begin; at < record.range.end;) {
    const std::size_t wanted = std::min<std::uint64_t>(kReadBytes, record.range.end - at);
    const std::size_t got = sink.read_at(at, std::span(bytes).first(wanted));
    if (got < wanted) return false;
    hash.add(std::span(bytes).first(got));
    at += got;
  }
  return hash.take() == record.hash;
}

}  // namespace

Checkpoint::Checkpoint(const OutputNames& names, journal::Binding binding)
    : sink_(names.work_path, names.parts),
      journal_(sink_.work_path() + ".journal"),
      binding_(std::move(binding)) {}

// Only then did the earlier run begin to give the files their names.
bool Checkpoint::all_made(const std::vector<journal::Record>& records) const {
  const IntervalSet made = journal::ranges_of(records);
  return std::ranges::all_of(sink_.parts(), [&](const io::SinkPart& part) {
    return made.contains({part.begin, part.begin + part.size});
  });
}

Checkpoint::Found Checkpoint::open(const QuantizeOptions& options, Observer& observer) {
  const std::optional<journal::Contents> contents = journal_.load();
  if (options.restart || !contents) {
    journal_.start(to_text(binding_));
    sink_.start();
    return {};
  }
  const std::optional<journal::Binding> then = journal::parse_binding(contents->binding);
  const std::string reason = then ? journal::difference(*then, binding_)
                                  : std::string("its journal is of another version");
  if (!sink_.found()) {
    // Or it was cut off between its last two steps: the journal is all that is left to remove.
    const bool complete = reason.empty() && all_made(contents->records) && sink_.has_names();
    if (complete) {
      observer.note("the output was complete already");
      journal_.remove();
    } else {
      journal_.start(to_text(binding_));
      sink_.start();
    }
    return {.complete = complete};
  }
  // From here on a failure must not lose what is there.
  sink_.keep();
  if (!reason.empty()) {
    throw Error(ErrorCode::resume_refused,
                "an earlier run left a part of the output here, and this run cannot go on with "
                "it: " +
                    reason,
                {.file = sink_.work_path(),
                 .cure = "Run the earlier command again to finish it, name another output, or pass "
                         "--restart to begin anew"});
  }
  if (all_made(contents->records)) sink_.take_back();
  if (const std::string unfit = sink_.first_unfit(); !unfit.empty()) {
    throw Error(ErrorCode::resume_refused,
                "is not there, or has not the size that its journal speaks of",
                {.file = unfit, .cure = "Pass --restart to begin anew"});
  }
  sink_.resume();
  std::vector<journal::Record> records = contents->records;
  if (options.verify_resume) records = verified(std::move(records), options.stop, observer);
  if (records.size() == contents->records.size()) {
    journal_.resume(*contents);
  } else {  // what is not so must not count the next time either
    journal_.replace({.binding = contents->binding, .records = records});
  }
  observer.note(fmt::format("resuming: {:.0f} % done",
                            100.0 * static_cast<double>(journal::ranges_of(records).size()) /
                                static_cast<double>(binding_.output_size)));
  return {.records = std::move(records)};
}

std::vector<journal::Record> Checkpoint::verified(std::vector<journal::Record> records,
                                                  const std::atomic<bool>* stop,
                                                  Observer& observer) {
  std::uint64_t lost = 0;
  std::erase_if(records, [&](const journal::Record& record) {
    throw_if_stopped(stop);
    if (holds(sink_, record)) return false;
    lost += record.range.size();
    return true;
  });
  if (lost > 0) {
    observer.note(fmt::format("{} bytes of {} are not what was written there, and are made again",
                              lost, sink_.work_path()));
  }
  return records;
}

void Checkpoint::commit() {
  sink_.commit();
  journal_.remove();
}

}  // namespace sluice
