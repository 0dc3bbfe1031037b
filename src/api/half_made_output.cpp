#include "api/half_made_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/checksum.h"
#include "base/stop.h"
#include "base/text.h"
#include "sluice/amounts.h"
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

HalfMadeOutput::HalfMadeOutput(const OutputNames& names, journal::Binding binding)
    : names_(names),
      sink_(names.work_path, names.parts),
      journal_(sink_.work_path() + ".journal"),
      binding_(std::move(binding)) {}

// The journal last, because it tells whose the others are.
HalfMadeOutput::~HalfMadeOutput() {
  if (sink_.discard()) journal_.remove();
}

// Only then did the earlier run begin to give the files their names.
bool HalfMadeOutput::all_made(const std::vector<journal::Record>& records) const {
  const IntervalSet made = journal::ranges_of(records);
  return std::ranges::all_of(sink_.parts(), [&](const io::SinkPart& part) {
    return made.contains({part.begin, part.begin + part.size});
  });
}

HalfMadeOutput::Found HalfMadeOutput::begin(const EarlierFiles& earlier) {
  sink_.require_space();
  sink_.remove_surplus(earlier.part_sizes.size());
  journal_.start(to_text(binding_));
  sink_.start();
  return {};
}

void HalfMadeOutput::note_damage(const EarlierFiles& earlier, Observer& observer) const {
  if (!earlier.contents) {
    observer.note(fmt::format(
        "the journal {} is damaged, so that what an earlier run made cannot be used: all is made "
        "anew. The journal is kept as {}",
        visible(journal_.path()), visible(journal_.keep_copy())));
  } else if (earlier.contents->damaged > 0) {
    observer.note(fmt::format(
        "the journal {} is damaged: it lost {} of its {} records, and what they spoke of is made "
        "again. "
        "It is kept as {}",
        visible(journal_.path()), earlier.contents->damaged,
        earlier.contents->records.size() + earlier.contents->damaged,
        visible(journal_.keep_copy())));
  } else if (earlier.contents->torn) {
    observer.note(
        fmt::format("the journal {} ends within a record: what that spoke of is made again",
                    visible(journal_.path())));
  }
}

HalfMadeOutput::Found HalfMadeOutput::open(const QuantizeOptions& options, Observer& observer) {
  const EarlierFiles earlier = look_at_earlier(names_, binding_);
  if (options.restart || !earlier.journal) return begin(earlier);
  note_damage(earlier, observer);
  if (!earlier.contents) return begin(earlier);
  const journal::Contents& contents = *earlier.contents;
  const journal::Difference difference = sluice::difference(earlier, binding_, options.same_input);
  if (!sink_.found()) {
    // Or it was cut off between its last two steps: the journal is all that is left to remove.
    if (difference.text.empty() && all_made(contents.records) && sink_.has_names()) {
      observer.note("the output was complete already");
      journal_.remove();
      return {.complete = true};
    }
    if (!contents.records.empty()) {
      observer.note(fmt::format("{} is gone, of which its journal speaks: all is made anew",
                                visible(sink_.work_path())));
    }
    return begin(earlier);
  }
  if (earlier.binding && contents.records.empty() && contents.damaged == 0) return begin(earlier);
  if (!difference.text.empty()) {
    throw Error(ErrorCode::resume_refused,
                "an earlier run left a part of the output here, and this run cannot go on with "
                "it: " +
                    difference.text,
                {.file = sink_.work_path(),
                 .cure = difference.times_only
                             ? "If it is the same file all the same, or a copy, pass --same-input, "
                               "which looks at its header and samples; else pass --restart to "
                               "begin anew"
                             : "Run the earlier command again to finish it, name another output, "
                               "or pass --restart to begin anew"});
  }
  if (all_made(contents.records)) sink_.take_back();
  if (const std::string unfit = sink_.first_unfit(); !unfit.empty()) {
    throw Error(ErrorCode::resume_refused,
                "is not there, or has not the size that its journal speaks of",
                {.file = unfit, .cure = "Pass --restart to begin anew"});
  }
  sink_.resume();
  std::vector<journal::Record> records = contents.records;
  if (options.verify_resume) records = verified(std::move(records), options.stop, observer);
  const std::string binding = to_text(binding_);
  if (records.size() == contents.records.size() && contents.damaged == 0 &&
      binding == contents.binding) {
    journal_.resume(contents);
  } else {  // what is not so must not count the next time either
    journal_.replace({.binding = binding, .records = records});
  }
  return {.records = std::move(records)};
}

std::vector<journal::Record> HalfMadeOutput::verified(std::vector<journal::Record> records,
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
    observer.note(fmt::format("{} of {} are not what was written there, and are made again",
                              bytes_text(static_cast<double>(lost)), visible(sink_.work_path())));
  }
  return records;
}

void HalfMadeOutput::commit(const std::function<void()>& named) {
  sink_.commit();
  named();
  journal_.remove();
}

}  // namespace sluice
