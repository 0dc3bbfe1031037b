#include "api/checkpoint.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "sluice/error.h"

namespace sluice {
namespace {

// Where reading is for checking only, this much at a time.
constexpr std::size_t kReadBytes = std::size_t{1} << 20;

bool holds(const io::Sink& sink, const journal::Record& record) {
  struct FreeState {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  const std::unique_ptr<XXH3_state_t, FreeState> hash(XXH3_createState());
  XXH3_64bits_reset(hash.get());
  std::vector<std::byte> bytes(kReadBytes);
  for (std::uint64_t at = record.range.begin; at < record.range.end;) {
    const std::size_t wanted = std::min<std::uint64_t>(kReadBytes, record.range.end - at);
    const std::size_t got = sink.read_at(at, std::span(bytes).first(wanted));
    if (got < wanted) return false;
    XXH3_64bits_update(hash.get(), bytes.data(), got);
    at += got;
  }
  return XXH3_64bits_digest(hash.get()) == record.hash;
}

}  // namespace

Checkpoint::Checkpoint(const QuantizeOptions& options, journal::Binding binding,
                       std::uint64_t output_size)
    : sink_(options.output),
      journal_(sink_.part_path() + ".journal"),
      output_(options.output),
      binding_(std::move(binding)),
      output_size_(output_size) {}

// Whether the earlier run was cut off between its last two steps: the output has its name, and the
// journal is still there.
bool Checkpoint::renamed(const std::vector<journal::Record>& records) const {
  std::error_code error;
  return journal::ranges_of(records).contains({0, output_size_}) &&
         std::filesystem::file_size(output_, error) == output_size_ && !error;
}

Checkpoint::Found Checkpoint::open(const QuantizeOptions& options, Observer& observer) {
  const std::optional<journal::Contents> contents = journal_.load();
  if (options.restart || !contents) {
    journal_.start(to_text(binding_));
    sink_.start(output_size_);
    return {};
  }
  const std::optional<journal::Binding> then = journal::parse_binding(contents->binding);
  const std::string reason = then ? journal::difference(*then, binding_)
                                  : std::string("its journal is of another version");
  if (!sink_.found_size()) {
    const bool complete = reason.empty() && renamed(contents->records);
    if (complete) {
      observer.note("the output was complete already");
      journal_.remove();
    } else {
      journal_.start(to_text(binding_));
      sink_.start(output_size_);
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
                {.file = sink_.part_path(),
                 .cure = "Run the earlier command again to finish it, name another output, or pass "
                         "--restart to begin anew"});
  }
  if (*sink_.found_size() != output_size_) {
    throw Error(
        ErrorCode::resume_refused,
        fmt::format("has {} bytes where its journal says {}", *sink_.found_size(), output_size_),
        {.file = sink_.part_path(), .cure = "Pass --restart to begin anew"});
  }
  sink_.resume(output_size_);
  std::vector<journal::Record> records = contents->records;
  if (options.verify_resume) records = verified(std::move(records), observer);
  if (records.size() == contents->records.size()) {
    journal_.resume(*contents);
  } else {  // what is not so must not count the next time either
    journal_.start(to_text(binding_));
    for (const journal::Record& record : records) journal_.append(record);
    journal_.commit();
  }
  observer.note(fmt::format("resuming: {:.0f} % done",
                            100.0 * static_cast<double>(journal::ranges_of(records).size()) /
                                static_cast<double>(output_size_)));
  return {.records = std::move(records)};
}

std::vector<journal::Record> Checkpoint::verified(std::vector<journal::Record> records,
                                                  Observer& observer) const {
  std::uint64_t lost = 0;
  std::erase_if(records, [&](const journal::Record& record) {
    if (holds(sink_, record)) return false;
    lost += record.range.size();
    return true;
  });
  if (lost > 0) {
    observer.note(fmt::format("{} bytes of {} are not what was written there, and are made again",
                              lost, sink_.part_path()));
  }
  return records;
}

void Checkpoint::commit() {
  sink_.commit();
  journal_.remove();
}

}  // namespace sluice
