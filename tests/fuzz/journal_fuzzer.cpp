// Journals: of any bytes; and sound ones that are cut off or damaged, from which a run goes on.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/expect.h"
#include "fuzz/input.h"
#include "journal/binding.h"
#include "journal/journal.h"
#include "support/temp_folder.h"

namespace sluice::fuzzing {
namespace {

using journal::Contents;
using journal::Journal;
using journal::Record;

/// A name for a journal in memory, where it need not wait for a disk.
const std::string& journal_path() {
  static const testing_support::TempFolder folder("/dev/shm");
  static const std::string path = folder / "journal";
  return path;
}

/// Whether `some` are of `all`, in their order.
bool are_of(const std::vector<Record>& some, const std::vector<Record>& all) {
  auto at = all.begin();
  return std::all_of(some.begin(), some.end(), [&](const Record& record) {
    at = std::find(at, all.end(), record);
    return at != all.end() && at++ != all.end();
  });
}

/// What a binding's text says is kept: a run that wrote it may go on with it.
void expect_binding_kept(std::string_view text) {
  const std::optional<journal::Binding> binding = journal::parse_binding(text);
  if (!binding) return;
  const std::string again = journal::to_text(*binding);
  const std::optional<journal::Binding> back = journal::parse_binding(again);
  FUZZ_EXPECT(back);
  FUZZ_EXPECT(journal::to_text(*back) == again);
  FUZZ_EXPECT(journal::difference(*binding, *back).text.empty());
}

void try_bytes(std::span<const std::byte> bytes) {
  const std::optional<Contents> contents = journal::parse(bytes);
  if (!contents) return;
  FUZZ_EXPECT(contents->size <= bytes.size());
  for (const Record& record : contents->records) {
    FUZZ_EXPECT(record.range.begin < record.range.end);
  }
  expect_binding_kept(contents->binding);
}

std::vector<Record> take_records(Input& input) {
  std::vector<Record> records(1 + input.below(8));
  for (Record& record : records) {
    auto begin = input.number<std::uint64_t>();
    auto end = input.number<std::uint64_t>();
    if (begin > end) std::swap(begin, end);
    if (begin == end) begin = 0, end = 1;
    record = {{begin, end}, input.number<std::uint64_t>(), input.number<std::uint32_t>()};
  }
  return records;
}

/// Writes a journal, damages it, and goes on after what is left: whatever happened, nothing is
/// believed that was not written.
void try_damage(Input input) {
  const std::vector<Record> records = take_records(input);
  const std::size_t keep = input.number<std::uint16_t>();
  const std::size_t place = input.number<std::uint16_t>();
  const auto change = input.number<std::uint8_t>();
  const auto rest = input.rest();
  const std::string binding(reinterpret_cast<const char*>(rest.data()), rest.size());
  expect_binding_kept(binding);

  Journal journal(journal_path());
  journal.start(binding);
  for (const Record& record : records) journal.append(record);
  journal.commit();
  std::vector<std::byte> bytes = testing_support::read_file(journal_path());
  const std::optional<Contents> whole = journal::parse(bytes);
  FUZZ_EXPECT(whole && whole->binding == binding && whole->records == records);
  FUZZ_EXPECT(whole->size == bytes.size());

  bytes.resize(std::min(bytes.size(), keep));
  if (!bytes.empty()) bytes[place % bytes.size()] ^= static_cast<std::byte>(change);
  testing_support::write_file(journal_path(), bytes);
  Journal later(journal_path());
  const std::optional<Contents> left = later.load();
  if (!left) return;
  FUZZ_EXPECT(left->binding == binding && are_of(left->records, records));
  left->damaged == 0 ? later.resume(*left) : later.replace(*left);
  const Record added{{7, 9}, 1, 2};
  later.append(added);
  later.commit();
  std::vector<Record> wanted = left->records;
  wanted.push_back(added);
  FUZZ_EXPECT(Journal(journal_path()).load()->records == wanted);
}

}  // namespace
}  // namespace sluice::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  sluice::fuzzing::try_bytes(bytes);
  sluice::fuzzing::expect_binding_kept({reinterpret_cast<const char*>(data), size});
  sluice::fuzzing::try_damage({data, size});
  return 0;
}
