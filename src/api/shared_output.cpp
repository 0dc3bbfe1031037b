#include "api/shared_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "gguf/split.h"
#include "io/file.h"
#include "io/locked_text.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice {
namespace {

bool has_size(const std::string& path, std::uint64_t size) {
  std::error_code failed;
  return std::filesystem::file_size(path, failed) == size && !failed;
}

}  // namespace

std::string waiting_name(const std::string& first_file) {
  return first_file + ".waiting";
}

OutputNames names_of_share(const QuantizeOptions& options, const SharedPlan& shared,
                           const Plan& own) {
  OutputNames names{.work_path = working_file(options), .parts = {}};
  const std::size_t first = shared.shares[options.share.number - 1].first_file;
  for (std::size_t i = 0; i < own.parts.size(); ++i) {
    io::SinkPart part = shared.names.parts[first + i];
    part.begin = own.parts[i].begin;
    if (first + i == 0) part.path = waiting_name(part.path);
    names.parts.push_back(std::move(part));
  }
  return names;
}

SharedOutput::SharedOutput(const QuantizeOptions& options, const SharedPlan& plan,
                           journal::Binding whole)
    : plan_(plan),
      share_(options.share),
      restart_(options.restart),
      path_(record_file(options)),
      whole_(std::move(whole)) {}

journal::SharedRecord SharedOutput::record_of(const std::string& text) const {
  if (text.empty()) return {};
  const auto record = journal::parse_shared_record(text);
  if (!record && text.find('\n') == text.npos) return {};  // cut off when it was made
  if (record) return *record;
  throw Error(ErrorCode::output_open, "would be written to, and is no record of sluice's parts",
              {.file = path_, .cure = "Name another output; or, if nothing needs it, remove it"});
}

void SharedOutput::check_same_plan(const journal::SharedRecord& record) const {
  std::string different;
  if (record.count != share_.count) {
    different = fmt::format("it is made in {} parts, and this run is for one of {}", record.count,
                            share_.count);
  } else if (const auto then = journal::parse_binding(record.binding)) {
    // Machines may have copies of the input, under other names and of other times.
    different = journal::difference(*then, whole_, true).text;
  } else {
    different = "another version of sluice began it";
  }
  if (different.empty()) return;
  throw Error(ErrorCode::resume_refused,
              "other runs make this output, of another plan: " + different,
              {.file = path_,
               .cure = "Run all parts with the same options, name another output, or begin anew "
                       "with --restart, in each part"});
}

bool SharedOutput::files_are_there() const {
  const ShareView& own = plan_.shares[share_.number - 1];
  for (std::size_t no = own.first_file; no < own.first_file + own.files; ++no) {
    const io::SinkPart& part = plan_.names.parts[no];
    const bool waits = no == 0 && has_size(waiting_name(part.path), part.size);
    if (!waits && !has_size(part.path, part.size)) return false;
  }
  return true;
}

bool SharedOutput::begin(Observer& observer) {
  bool to_make = true;
  {
    io::LockedText file(path_);
    journal::SharedRecord record = record_of(file.text());
    const bool known = record.count > 0;
    const bool other =
        known && (record.count != share_.count || record.binding != journal::to_text(whole_));
    if (other && !restart_ && !record.whole) check_same_plan(record);
    const auto then = journal::parse_binding(record.binding);
    const bool same = known && record.count == share_.count && then &&
                      journal::difference(*then, whole_, true).text.empty();
    if (!same) {
      file.replace(journal::first_line(share_.count, journal::to_text(whole_)));
      record = {};
    }
    to_make = restart_ || !record.made.contains(share_.number) || !files_are_there();
    if (to_make) file.append(journal::begun_line(share_.number));
  }
  if (!to_make) {
    observer.note(fmt::format("part {} of {} is made already", share_.number, share_.count));
    finish(observer);
  }
  return to_make;
}

void SharedOutput::clear() {
  io::LockedText file(path_);
  if (record_of(file.text()).cleared) return;
  const std::string& first = plan_.names.parts.front().path;
  ::unlink(first.c_str());
  io::sync_folder_of(first);
  file.append(journal::kClearedLine);
}

std::vector<std::uint32_t> SharedOutput::unmade(const journal::SharedRecord& record) const {
  std::vector<std::uint32_t> parts;
  for (std::uint32_t i = 0; i < plan_.shares.size(); ++i) {
    if (plan_.shares[i].files > 0 && !record.made.contains(i + 1)) parts.push_back(i + 1);
  }
  return parts;
}

// All are there, since their runs have said so; whoever took one away since is told.
void SharedOutput::name_first() const {
  const std::vector<io::SinkPart>& parts = plan_.names.parts;
  const std::string& first = parts.front().path;
  const std::string waiting = waiting_name(first);
  for (std::size_t no = 0; no < parts.size(); ++no) {
    if (has_size(parts[no].path, parts[no].size)) continue;
    if (no == 0 && has_size(waiting, parts[no].size)) continue;
    throw Error(ErrorCode::output_write, "is not there any more, or has another size",
                {.file = parts[no].path, .cure = "Run its part again"});
  }
  io::sync_folder_of(first);
  if (std::rename(waiting.c_str(), first.c_str()) != 0 && errno != ENOENT) {
    throw Error(
        ErrorCode::output_write, "cannot be renamed: " + io::system_message(errno),
        {.file = waiting, .cure = "Check the folder's rights and run the same command again"});
  }
  io::sync_folder_of(first);
}

void SharedOutput::finish(Observer& observer) {
  io::LockedText file(path_);
  journal::SharedRecord record = record_of(file.text());
  if (!record.made.contains(share_.number)) {
    file.append(journal::made_line(share_.number));
    record.made.insert(share_.number);
  }
  const std::vector<std::uint32_t> left = unmade(record);
  if (!left.empty()) {
    observer.note(fmt::format("{} of {} still to be made: {}; the last run to end names {}",
                              counted(left.size(), "part"), share_.count, fmt::join(left, ", "),
                              visible(plan_.names.parts.front().path)));
    return;
  }
  if (!record.whole) {
    name_first();
    file.append(journal::kWholeLine);
  }
  observer.note(fmt::format("all {} parts are made", share_.count));
}

}  // namespace sluice
