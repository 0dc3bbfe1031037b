#include "journal/journal.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice::journal {
namespace {

using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

Record record(std::uint64_t begin, std::uint64_t end) {
  return {{begin, end}, begin * 31 + end, static_cast<std::uint32_t>(end)};
}

std::vector<std::byte> journal_of(const std::string& path, int records) {
  Journal journal(path);
  journal.start("the binding");
  for (int i = 0; i < records; ++i) {
    journal.append(
        record(static_cast<std::uint64_t>(i) * 10, static_cast<std::uint64_t>(i) * 10 + 7));
  }
  journal.commit();
  return read_file(path);
}

TEST(Journal, TellsWhatWasCommitted) {
  const TempFolder folder;
  Journal journal(folder / "j");
  EXPECT_EQ(journal.load(), std::nullopt);
  EXPECT_FALSE(journal.there());
  journal.start("the binding");
  EXPECT_TRUE(journal.there()) << "it tells whose the output is, before that begins";
  journal.append(record(0, 10));
  EXPECT_TRUE(Journal(folder / "j").load()->records.empty()) << "nothing is safe yet";
  journal.commit();
  journal.append(record(10, 30));
  EXPECT_EQ(Journal(folder / "j").load()->records, (std::vector<Record>{record(0, 10)}));
  journal.commit();
  const std::optional<Contents> contents = Journal(folder / "j").load();
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->binding, "the binding");
  EXPECT_EQ(contents->records, (std::vector<Record>{record(0, 10), record(10, 30)}));
  EXPECT_EQ(contents->size, std::filesystem::file_size(folder / "j"));
}

TEST(Journal, GoesOnAfterATornTail) {
  const TempFolder folder;
  std::vector<std::byte> bytes = journal_of(folder / "j", 3);
  bytes.resize(bytes.size() - 5);
  write_file(folder / "j", bytes);
  Journal journal(folder / "j");
  const std::optional<Contents> contents = journal.load();
  ASSERT_TRUE(contents);
  ASSERT_EQ(contents->records.size(), 2u);
  journal.resume(*contents);
  journal.append(record(500, 600));
  journal.commit();
  EXPECT_EQ(Journal(folder / "j").load()->records,
            (std::vector<Record>{record(0, 7), record(10, 17), record(500, 600)}));
}

TEST(Journal, IsReplacedAsAWholeOrNotAtAll) {
  const TempFolder folder;
  const std::vector<std::byte> before = journal_of(folder / "j", 5);
  Journal journal(folder / "j");
  Contents contents = *journal.load();
  contents.records.erase(contents.records.begin() + 1);
  std::filesystem::create_directory(folder / "j.new");
  EXPECT_THROW(journal.replace(contents), Error);
  EXPECT_EQ(read_file(folder / "j"), before);

  std::filesystem::remove(folder / "j.new");
  journal.replace(contents);
  EXPECT_FALSE(std::filesystem::exists(folder / "j.new"));
  EXPECT_EQ(Journal(folder / "j").load()->records, contents.records);
  journal.append(record(500, 600));
  journal.commit();
  contents.records.push_back(record(500, 600));
  EXPECT_EQ(Journal(folder / "j").load()->records, contents.records);

  contents.records.clear();
  journal.replace(contents);
  EXPECT_TRUE(Journal(folder / "j").load()->records.empty()) << "nothing is safe";
}

// Those after a damaged one are as good as those before it.
TEST(Journal, OnlyTheDamagedRecordIsLost) {
  const TempFolder folder;
  std::vector<std::byte> bytes = journal_of(folder / "j", 4);
  bytes[bytes.size() - 3 * 40 + 5] ^= std::byte{1};
  const Contents contents = *parse(bytes);
  EXPECT_EQ(contents.records, (std::vector<Record>{record(0, 7), record(20, 27), record(30, 37)}));
  EXPECT_EQ(contents.damaged, 1u);
  EXPECT_FALSE(contents.torn);
}

TEST(Journal, ACopyIsKeptUnderANameThatNoFileHas) {
  const TempFolder folder;
  const std::vector<std::byte> bytes = journal_of(folder / "j", 2);
  EXPECT_EQ(Journal(folder / "j").keep_copy(), folder / "j.damaged");
  EXPECT_EQ(Journal(folder / "j").keep_copy(), folder / "j.damaged-2");
  for (const char* name : {"j", "j.damaged", "j.damaged-2"}) {
    EXPECT_EQ(read_file(folder / name), bytes) << name;
  }
}

// Whatever is cut off, what is left is the beginning of what was written; and no changed byte goes
// unnoticed.
TEST(Journal, EveryTruncationAndEveryFlippedBit) {
  const TempFolder folder;
  const std::vector<std::byte> whole = journal_of(folder / "j", 4);
  const Contents truth = *parse(whole);
  ASSERT_EQ(truth.records.size(), 4u);
  const std::size_t header = whole.size() - 4 * 40;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::optional<Contents> contents = parse(std::span(whole).first(size));
    ASSERT_EQ(contents.has_value(), size >= header);
    if (!contents) continue;
    ASSERT_EQ(contents->records.size(), (size - header) / 40);
    for (std::size_t i = 0; i < contents->records.size(); ++i) {
      ASSERT_EQ(contents->records[i], truth.records[i]);
    }
    ASSERT_EQ(contents->torn, (size - header) % 40 != 0);
  }
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::vector<std::byte> changed = whole;
    changed[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    const std::optional<Contents> contents = parse(changed);
    if (bit / 8 < header) {
      ASSERT_FALSE(contents) << bit;
    } else {
      ASSERT_EQ(contents->damaged, 1u) << bit;
      ASSERT_EQ(contents->records.size(), 3u) << bit;
    }
  }
}

// A record at another place, or of a journal of another binding, is no record.
TEST(Journal, RecordsCannotBeMoved) {
  const TempFolder folder;
  std::vector<std::byte> bytes = journal_of(folder / "j", 3);
  const auto record_at = [&](std::size_t i) {
    return bytes.end() - 120 + static_cast<int>(i) * 40;
  };
  std::swap_ranges(record_at(0), record_at(1), record_at(1));
  EXPECT_EQ(parse(bytes)->records, (std::vector<Record>{record(20, 27)}));
}

TEST(Journal, AnUnreadableOneIsAnError) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "j");
  EXPECT_THROW(Journal(folder / "j").load(), Error);
}

}  // namespace
}  // namespace sluice::journal
