// Outputs in several files: which tensor is where, against files built byte by byte here; and the
// same tensors as in one file.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/observers.h"
#include "sluice/error.h"
#include "sluice/gguf.h"
#include "sluice/quantize.h"
#include "sluice/verify.h"
#include "sluice/version.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing_support::Bytes;
using testing_support::GgufBuilder;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

const std::string kModel = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";
const std::string kMatrix = SLUICE_TEST_DATA "/imatrix/tiny-llama.imatrix.gguf";
constexpr std::uint32_t kBf16 = 30;

std::string part_name(const std::string& stem, std::size_t no, std::size_t count) {
  const auto five = [](std::size_t n) {
    const std::string digits = std::to_string(n);
    return std::string(5 - digits.size(), '0') + digits;
  };
  return stem + "-" + five(no) + "-of-" + five(count) + ".gguf";
}

std::vector<std::string> names_in(const TempFolder& folder, const std::string& beginning) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder / ".")) {
    const std::string name = entry.path().filename();
    if (name.starts_with(beginning)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Rows of BF16 that are copied, so that every byte of the output is known beforehand. Their sizes,
// padded to 32 bytes: 64, 96, 64, 128, 32, 32.
struct Row {
  std::string name;
  std::uint64_t elements;

  Bytes data() const {
    Bytes bytes;
    for (std::uint64_t i = 0; i < elements; ++i) {
      testing_support::put(bytes, static_cast<std::uint16_t>(0x3f80 + name[0] + i));
    }
    return bytes;
  }
};
const std::vector<Row> kRows{{"a", 32}, {"b", 48}, {"c", 20}, {"d", 64}, {"e", 16}, {"f", 1}};

GgufBuilder& add_rows(GgufBuilder& builder, const std::string& names) {
  for (const Row& row : kRows) {
    if (names.find(row.name) != std::string::npos) {
      builder.tensor(row.name, {row.elements}, kBf16, row.data());
    }
  }
  return builder;
}

GgufBuilder metadata() {
  GgufBuilder builder;
  builder.string("general.architecture", "llama").u32("llama.block_count", 1);
  return builder;
}

// The output's part `no`, from 0, with the tensors of these one-letter names.
Bytes expected_part(std::size_t no, std::size_t count, const std::string& names,
                    std::uint32_t alignment = 32, std::int32_t tensors = 6) {
  GgufBuilder builder;
  if (no == 0) builder = metadata();
  if (alignment != 32) builder.alignment(alignment);
  if (no == 0) {
    builder.u32("general.quantization_version", 2)
        .u32("general.file_type", 32)
        .string("sluice.version", version())
        .string("sluice.effort", "best");
  }
  builder.u16("split.no", static_cast<std::uint16_t>(no))
      .u16("split.count", static_cast<std::uint16_t>(count))
      .i32("split.tensors.count", tensors);
  return add_rows(builder, names).build();
}

class SplitLayout : public testing::Test {
 protected:
  SplitLayout() {
    options_.input = folder_ / "model.gguf";
    options_.output = folder_ / "out.gguf";
    options_.file_type = find_file_type("BF16");
    options_.threads = 2;
    options_.spindle = Spindle::separate;
    GgufBuilder model = metadata();
    write_file(options_.input, add_rows(model, "abcdef").build());
  }

  void expect_parts(const std::vector<std::string>& parts, std::uint32_t alignment = 32) {
    const RunReport report = quantize(options_, notes_);
    ASSERT_EQ(names_in(folder_, "out").size(), parts.size());
    ASSERT_EQ(report.parts.size(), parts.size());
    const PlanView view = plan(options_);
    ASSERT_EQ(view.parts.size(), parts.size());
    std::size_t tensor = 0;
    std::uint64_t total = 0;
    for (std::size_t no = 0; no < parts.size(); ++no) {
      SCOPED_TRACE(no);
      const std::string file = part_name(folder_ / "out", no + 1, parts.size());
      const Bytes expected = expected_part(no, parts.size(), parts[no], alignment);
      ASSERT_TRUE(fs::exists(file)) << file;
      EXPECT_TRUE(read_file(file) == expected);
      EXPECT_EQ(report.parts[no].file, file);
      EXPECT_EQ(view.parts[no].file, file);
      EXPECT_EQ(view.parts[no].bytes, expected.size());
      EXPECT_EQ(view.parts[no].tensors, parts[no].size());
      total += expected.size();
      for (const char name : parts[no]) {
        const PlannedTensorView& planned = view.tensors.at(tensor++);
        EXPECT_EQ(planned.name, std::string(1, name));
        EXPECT_EQ(planned.part, no);
        const Bytes data = kRows[static_cast<std::size_t>(name - 'a')].data();
        ASSERT_LE(planned.offset + planned.size, expected.size());
        EXPECT_TRUE(std::equal(data.begin(), data.end(),
                               expected.begin() + static_cast<std::ptrdiff_t>(planned.offset)));
      }
    }
    EXPECT_EQ(tensor, view.tensors.size());
    EXPECT_EQ(view.output_bytes, total);
    for (const std::string& name : names_in(folder_, "out")) fs::remove(folder_ / name);
  }

  const TempFolder folder_;
  Notes notes_;
  QuantizeOptions options_;
};

// llama.cpp sorts by part and offset when it keeps the split, and by layer when it does not; the
// values of the first four that it meets get a better type in Q4_K_S.
TEST_F(SplitLayout, KeptPartsAreMetInTheOrderOfTheFiles) {
  const std::vector<std::vector<int>> layers = {{0, 1, 10}, {11, 2, 3, 4, 5, 6, 7, 8, 9}};
  for (std::size_t no = 0; no < layers.size(); ++no) {
    GgufBuilder part;
    if (no == 0) part.string("general.architecture", "llama").u32("llama.block_count", 12);
    part.u16("split.no", static_cast<std::uint16_t>(no)).u16("split.count", 2);
    part.i32("split.tensors.count", 12);
    for (const int layer : layers[no]) {
      part.tensor("blk." + std::to_string(layer) + ".attn_v.weight", {256, 2}, kBf16, Bytes(1024));
    }
    write_file(part_name(folder_ / "in", no + 1, 2), part.build());
  }
  options_.input = part_name(folder_ / "in", 1, 2);
  options_.file_type = find_file_type("Q4_K_S");
  const auto better = [&](Mix mix, bool keep) {
    options_.mix = mix;
    options_.split.keep = keep;
    std::string names;
    for (const PlannedTensorView& tensor : plan(options_).tensors) {
      if (tensor.type == TensorType::q5_k) names += tensor.name.substr(4, 2);
    }
    return names;
  };
  EXPECT_EQ(better(Mix::llama_cpp, true), "0.1.1011");
  EXPECT_EQ(better(Mix::llama_cpp, false), "0.1.2.3.");
  EXPECT_EQ(better(Mix::ik_llama_cpp, false), "0.1.1011") << "always so there";
}

// A part is full when the next tensor, padded, would be too much: gguf-split's rule, done by hand.
TEST_F(SplitLayout, BySize) {
  options_.split.max_bytes = 160;
  expect_parts({"ab", "c", "de", "f"});
  options_.split.max_bytes = 159;
  expect_parts({"a", "b", "c", "d", "ef"});
  options_.split.max_bytes = 415;
  expect_parts({"abcde", "f"});
  EXPECT_EQ(notes_.text, "");
}

TEST_F(SplitLayout, ByCount) {
  options_.split.max_tensors = 4;
  expect_parts({"abcd", "ef"});
  options_.split.max_tensors = 1;
  expect_parts({"a", "b", "c", "d", "e", "f"});
}

// Whoever loads by its name gets one or the other.
TEST_F(SplitLayout, PartsOfAnOlderOutputThatStayAreTold) {
  options_.output = folder_ / "out.gguf";
  options_.split.max_tensors = 2;
  Notes notes;
  quantize(options_, notes);
  quantize(options_, notes);
  EXPECT_EQ(notes.text.find("earlier output"), std::string::npos) << "all are replaced";
  options_.split.max_tensors = 3;
  quantize(options_, notes);
  EXPECT_NE(notes.text.find("out-00001-of-00003.gguf and 2 more are of an earlier output"),
            std::string::npos)
      << notes.text;
  options_.split = {};
  for (int part = 1; part <= 3; ++part) fs::remove(part_name(folder_ / "out", part, 3));
  fs::remove(part_name(folder_ / "out", 2, 2));
  EXPECT_NE(plan(options_).notes.back().find("out-00001-of-00002.gguf is of an earlier output"),
            std::string::npos);
  // The model's own parts are no older output.
  options_.input = part_name(folder_ / "out", 1, 1);
  fs::rename(part_name(folder_ / "out", 1, 2), folder_ / "elsewhere");
  fs::rename(folder_ / "model.gguf", options_.input);
  EXPECT_TRUE(plan(options_).notes.empty());
}

// gguf-split numbers a single part too.
TEST_F(SplitLayout, ASinglePartIsNumbered) {
  options_.split.max_tensors = 6;
  expect_parts({"abcdef"});
  options_.split = {.max_bytes = 1'000'000};
  expect_parts({"abcdef"});
  options_.split = {.keep = true};
  expect_parts({"abcdef"});
}

// gguf-split gives up if that is the first tensor.
TEST_F(SplitLayout, ATensorLargerThanAPartIsAlone) {
  options_.split.max_bytes = 96;
  expect_parts({"a", "b", "c", "d", "ef"});
  EXPECT_NE(notes_.text.find("1 tensor is larger"), std::string::npos) << notes_.text;
  EXPECT_NE(notes_.text.find("d, has 128 B"), std::string::npos) << notes_.text;
  options_.split.max_bytes = 1;
  expect_parts({"a", "b", "c", "d", "e", "f"});
}

TEST_F(SplitLayout, EachPartHasTheModelsAlignment) {
  GgufBuilder model = metadata();
  model.alignment(64);
  write_file(options_.input, add_rows(model, "abcdef").build());
  options_.split.max_bytes = 192;  // padded to 64: 64, 128, 64, 128, 64, 64
  expect_parts({"ab", "cd", "ef"}, 64);
}

TEST_F(SplitLayout, AnyNameOfTheSetWillDo) {
  options_.split.max_tensors = 3;
  for (const char* name : {"out", "out.gguf", "out-00002-of-00007.gguf"}) {
    options_.output = folder_ / name;
    expect_parts({"abc", "def"});
  }
  options_.output = "";
  EXPECT_EQ(plan(options_).parts.at(1).file, "-00002-of-00002.gguf");
}

TEST_F(SplitLayout, WithoutARuleTheOutputIsOneFileWithoutSplitKeys) {
  const RunReport report = quantize(options_, silent());
  EXPECT_EQ(names_in(folder_, "out"), std::vector<std::string>{"out.gguf"});
  ASSERT_EQ(report.parts.size(), 1u);
  EXPECT_EQ(report.parts[0].file, options_.output);
  const Bytes file = read_file(options_.output);
  const auto header = gguf::parse_header(file, file.size(), "out");
  EXPECT_EQ(header->find("split.count"), nullptr);
}

// The input's parts, of which the first and another have no tensors.
TEST_F(SplitLayout, TheInputsPartsAreKept) {
  const std::vector<std::string> parts{"", "abc", "", "d", "ef"};
  for (std::size_t no = 0; no < parts.size(); ++no) {
    GgufBuilder builder = no == 0 ? metadata() : GgufBuilder();
    builder.u16("split.no", static_cast<std::uint16_t>(no))
        .u16("split.count", 5)
        .i32("split.tensors.count", 6);
    write_file(part_name(folder_ / "model", no + 1, 5), add_rows(builder, parts[no]).build());
  }
  options_.input = part_name(folder_ / "model", 3, 5);
  options_.split.keep = true;
  expect_parts(parts);

  quantize(options_, silent());
  VerifyOptions check;
  check.output = part_name(folder_ / "out", 1, 5);
  check.against = options_.input;
  const VerifyReport report = verify(check, silent());
  EXPECT_EQ(report.findings_in_all, 0u) << report.findings.at(0).what;
  EXPECT_EQ(report.tensors.size(), 6u);

  // Split anew, they are as the whole model's.
  options_.split = {.max_tensors = 4};
  for (const std::string& name : names_in(folder_, "out")) fs::remove(folder_ / name);
  expect_parts({"abcd", "ef"});
}

TEST_F(SplitLayout, NoPartMayBeAnInput) {
  quantize(options_, silent());
  fs::rename(options_.output, part_name(folder_ / "x", 2, 2));
  options_.input = part_name(folder_ / "x", 2, 2);
  options_.output = folder_ / "x.gguf";
  options_.split.max_tensors = 3;
  for (const bool only_planned : {true, false}) {
    try {
      only_planned ? static_cast<void>(plan(options_))
                   : static_cast<void>(quantize(options_, silent()));
      ADD_FAILURE() << "an input would be lost";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::output_is_input);
      EXPECT_EQ(error.context().file, options_.input);
    }
  }
  EXPECT_EQ(names_in(folder_, "x").size(), 1u);
  options_.split.max_tensors = 2;  // three parts: other names
  EXPECT_EQ(quantize(options_, silent()).parts.size(), 3u);
}

std::optional<ErrorCode> refusal(const QuantizeOptions& options) {
  try {
    plan(options);
    return std::nullopt;
  } catch (const Error& error) {
    EXPECT_NE(error.context().cure, "");
    return error.code();
  }
}

TEST_F(SplitLayout, TwoRulesAreRefused) {
  for (const SplitOptions split : {SplitOptions{.max_bytes = 100, .max_tensors = 1},
                                   SplitOptions{.max_bytes = 100, .keep = true},
                                   SplitOptions{.max_tensors = 1, .keep = true}}) {
    options_.split = split;
    EXPECT_EQ(refusal(options_), ErrorCode::usage);
  }
}

TEST_F(SplitLayout, MorePartsThanTheFormatCountsAreRefused) {
  GgufBuilder model = metadata();
  for (int i = 0; i < 65536; ++i) model.tensor(std::to_string(i), {1}, kBf16, Bytes(2));
  write_file(options_.input, model.build());
  options_.split.max_tensors = 1;
  EXPECT_EQ(refusal(options_), ErrorCode::usage);
  options_.split = {.max_bytes = 1};
  EXPECT_EQ(refusal(options_), ErrorCode::usage);
  options_.split = {.max_tensors = 2};
  EXPECT_EQ(refusal(options_), std::nullopt);
}

// The trained model in the mix of all kinds of types.
class SplitBytes : public testing::Test {
 protected:
  QuantizeOptions options(const std::string& output) const {
    QuantizeOptions options;
    options.input = kModel;
    options.output = folder_ / output;
    options.file_type = find_file_type("IQ1_M");
    options.imatrix = kMatrix;
    options.threads = 2;
    options.memory = std::uint64_t{64} << 20;
    options.effort = Effort::fast;
    return options;
  }

  std::vector<Bytes> parts_of(const RunReport& report) {
    std::vector<Bytes> parts;
    for (const PartReport& part : report.parts) {
      parts.push_back(read_file(part.file));
      EXPECT_EQ(parts.back().size(), part.bytes);
    }
    return parts;
  }

  const TempFolder folder_;
};

// The least budget, to a MiB.
std::uint64_t least_memory_tried(QuantizeOptions options) {
  for (options.memory = 8u << 20;; options.memory += 1u << 20) {
    try {
      quantize(options, silent());
      return options.memory;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::memory_budget) throw;
    }
  }
}

Bytes data_of(const Bytes& file) {
  const auto header = gguf::parse_header(file, file.size(), "file");
  return Bytes(file.begin() + static_cast<std::ptrdiff_t>(header->data_offset), file.end());
}

TEST_F(SplitBytes, TheDataOfAllPartsIsThatOfOneFile) {
  const RunReport one = quantize(options("one.gguf"), silent());
  const Bytes expected = data_of(read_file(folder_ / "one.gguf"));
  for (const SplitOptions split :
       {SplitOptions{.max_bytes = 300'000}, SplitOptions{.max_tensors = 9},
        SplitOptions{.max_tensors = 1}, SplitOptions{.keep = true}}) {
    QuantizeOptions wanted = options("out.gguf");
    wanted.split = split;
    const RunReport report = quantize(wanted, silent());
    Bytes joined;
    for (const Bytes& part : parts_of(report)) {
      const Bytes data = data_of(part);
      testing_support::put_bytes(joined, data.data(), data.size());
    }
    EXPECT_TRUE(joined == expected) << report.parts.size() << " parts";
    ASSERT_EQ(report.tensors.size(), one.tensors.size());
    for (std::size_t i = 0; i < one.tensors.size(); ++i) {
      EXPECT_EQ(report.tensors[i].crc32, one.tensors[i].crc32) << one.tensors[i].name;
    }
  }
}

TEST_F(SplitBytes, AreTheSameForAnyModeThreadsAndBudget) {
  QuantizeOptions wanted = options("out.gguf");
  wanted.split.max_bytes = 250'000;
  const std::vector<Bytes> first = parts_of(quantize(wanted, silent()));
  EXPECT_GE(first.size(), 7u);
  for (const IoMode io : {IoMode::mmap, IoMode::async, IoMode::plain}) {
    for (const int threads : {1, 3}) {
      wanted.io = io;
      wanted.threads = threads;
      wanted.spindle = threads == 1 ? Spindle::shared : Spindle::separate;
      wanted.isa = supported_isas()[static_cast<std::size_t>(threads) % supported_isas().size()];
      // With the least there are fewer extents than parts.
      wanted.memory = threads == 1 ? least_memory_tried(wanted) : std::uint64_t{512} << 20;
      EXPECT_TRUE(parts_of(quantize(wanted, silent())) == first)
          << "io " << static_cast<int>(io) << " threads " << threads;
    }
  }
}

TEST_F(SplitBytes, DamageIsFoundInTheRightPart) {
  QuantizeOptions wanted = options("out.gguf");
  wanted.split.max_tensors = 20;
  const RunReport report = quantize(wanted, silent());
  ASSERT_EQ(report.parts.size(), 4u);
  VerifyOptions check;
  check.output = report.parts[0].file;
  check.against = kModel;
  check.imatrix = kMatrix;
  check.threads = 2;
  EXPECT_TRUE(verify(check, silent()).good());

  const std::string damaged = report.parts[2].file;
  Bytes bytes = read_file(damaged);
  std::fill(bytes.end() - 60'000, bytes.end() - 30'000, std::byte{0});
  write_file(damaged, bytes);
  const VerifyReport found = verify(check, silent());
  ASSERT_FALSE(found.good());
  for (const Finding& finding : found.findings) EXPECT_EQ(finding.file, damaged) << finding.what;

  fs::remove(report.parts[3].file);
  EXPECT_FALSE([&] {
    try {
      return verify(check, silent()).good();
    } catch (const Error& error) {
      return error.code() != ErrorCode::input_open;
    }
  }());
}

}  // namespace
}  // namespace sluice
