// Outputs that are right must pass; damage of each kind must be found, and named where it is.

#include "sluice/verify.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>

#include "base/float16.h"
#include "codec/random_rows.h"
#include "sluice/codec.h"
#include "sluice/error.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

using testing_support::Bytes;
using testing_support::GgufBuilder;
using testing_support::put;
using testing_support::put_bytes;
using testing_support::Random;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

constexpr std::uint64_t kRow = 512;
constexpr std::uint64_t kRows = 40;
constexpr std::uint64_t kExperts = 3;

struct TestTensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  TensorType type;
  Bytes data;
};

using Tensors = std::vector<TestTensor>;

Bytes f32_bytes(const std::vector<float>& values) {
  Bytes bytes;
  put_bytes(bytes, values.data(), values.size() * sizeof(float));
  return bytes;
}

// Most weights have heavy tails; one row in four is odd: zeros, one outlier, tiny, mostly zeros.
std::vector<float> weights(std::uint64_t rows, const std::string& seed) {
  Random random(seed);
  std::vector<float> values(rows * kRow);
  for (std::uint64_t row = 0; row < rows; ++row) {
    const std::size_t kind = row % 2 == 0 ? random.below(8) : 7;
    for (std::uint64_t i = row * kRow; i < (row + 1) * kRow; ++i) {
      const double x = 0.02 * random.heavy();
      const double odd[] = {0, x * 1e-7, random.chance(0.02) ? x : 0.0, x * 1e4};
      values[i] = static_cast<float>(kind < 4 ? odd[kind] : x);
    }
    if (kind == 4) values[row * kRow + random.below(kRow)] = 10;
  }
  return values;
}

Tensors source_tensors() {
  Tensors tensors;
  const auto add = [&](const std::string& name, std::vector<std::uint64_t> shape) {
    std::uint64_t rows = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) rows *= shape[i];
    tensors.push_back({name, std::move(shape), TensorType::f32, f32_bytes(weights(rows, name))});
  };
  add("norm.weight", {kRow});
  add("a.weight", {kRow, kRows});
  add("b.weight", {kRow, kRows});
  add("experts.weight", {kRow, kRows, kExperts});
  return tensors;
}

/// All tensors but the first as `type`; the first is copied.
Tensors encoded(const Tensors& source, TensorType type) {
  Tensors tensors = source;
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    const std::size_t elements = tensors[i].data.size() / sizeof(float);
    std::vector<float> values(elements);
    std::memcpy(values.data(), tensors[i].data.data(), tensors[i].data.size());
    tensors[i].type = type;
    tensors[i].data.resize(byte_size(type, elements, kRow));
    find_codec(type)->encode({.values = values.data(),
                              .rows = elements / kRow,
                              .row_elements = kRow,
                              .importance = nullptr},
                             tensors[i].data.data());
  }
  return tensors;
}

Bytes file_of(const Tensors& tensors) {
  GgufBuilder builder;
  builder.string("general.architecture", "llama");
  for (const TestTensor& tensor : tensors) {
    builder.tensor(tensor.name, tensor.shape, static_cast<std::uint32_t>(tensor.type), tensor.data);
  }
  return builder.build();
}

class Verify : public testing::TestWithParam<TensorType> {
 protected:
  Verify() : source_(source_tensors()), output_(encoded(source_, GetParam())) {
    write_file(folder_ / "in.gguf", file_of(source_));
  }

  VerifyReport check(const Bytes& file, const std::function<void(VerifyOptions&)>& change = {}) {
    write_file(folder_ / "out.gguf", file);
    VerifyOptions options;
    options.output = folder_ / "out.gguf";
    options.against = folder_ / "in.gguf";
    options.threads = 3;
    options.memory = 64 << 20;
    if (change) change(options);
    Observer observer;
    return verify(options, observer);
  }
  VerifyReport check() { return check(file_of(output_)); }

  /// Bytes of rows of one of the output's tensors.
  std::span<std::byte> rows(std::size_t tensor, std::uint64_t first, std::uint64_t count) {
    const TensorType type = output_[tensor].type;
    return std::span(output_[tensor].data)
        .subspan(byte_size(type, first * kRow, kRow), byte_size(type, count * kRow, kRow));
  }

  const TempFolder folder_;
  Tensors source_;
  Tensors output_;
};

std::string list(const VerifyReport& report) {
  std::string text;
  for (const Finding& finding : report.findings)
    text += finding.tensor + ": " + finding.what + "\n";
  return text;
}

/// Whether all findings are of this tensor, with this fault, and within these rows of this expert.
void expect_only(const VerifyReport& report, Fault fault, const std::string& tensor,
                 std::uint64_t expert, std::uint64_t first, std::uint64_t last) {
  EXPECT_GT(report.findings_in_all, 0u);
  for (const Finding& finding : report.findings) {
    EXPECT_EQ(name(finding.fault), name(fault)) << list(report);
    EXPECT_EQ(finding.tensor, tensor) << list(report);
    ASSERT_TRUE(finding.rows) << list(report);
    EXPECT_EQ(finding.rows->expert, expert) << list(report);
    EXPECT_GE(finding.rows->first, first) << list(report);
    EXPECT_LE(finding.rows->last, last) << list(report);
    EXPECT_NE(finding.what.find("bytes "), std::string::npos);
  }
}

TEST_P(Verify, PassesWhatIsRight) {
  const VerifyReport report = check();
  EXPECT_TRUE(report.good()) << list(report);
  ASSERT_EQ(report.tensors.size(), output_.size());
  for (std::size_t i = 0; i < output_.size(); ++i) {
    const Bytes& data = output_[i].data;
    EXPECT_EQ(report.tensors[i].crc32, ::crc32(0, reinterpret_cast<const Bytef*>(data.data()),
                                               static_cast<uInt>(data.size())));
    EXPECT_LT(report.tensors[i].plain_error, 0.6);
  }
  EXPECT_EQ(report.tensors[0].plain_error, 0);
}

TEST_P(Verify, FindsOneRowOfZeros) {
  std::ranges::fill(rows(1, 7, 1), std::byte{});
  // Some types have no zeros but by their scale, so all bytes zero are zeros in every type.
  expect_only(check(), Fault::error, "a.weight", 0, 7, 7);
}

TEST_P(Verify, FindsATornRegion) {
  // The end of the second tensor was never written over older data: here, the third's.
  const auto older = rows(2, 31, 9);
  std::ranges::copy(older, rows(1, 31, 9).begin());
  const VerifyReport report = check();
  expect_only(report, Fault::error, "a.weight", 0, 31, 39);
  std::uint64_t bytes = 0;
  for (const Finding& finding : report.findings) bytes += finding.size;
  EXPECT_GT(bytes, older.size() / 2) << list(report);
}

TEST_P(Verify, NamesBothTensorsThatWereSwapped) {
  std::swap(output_[1].data, output_[2].data);
  const VerifyReport report = check();
  std::map<std::string, int> by_tensor;
  for (const Finding& finding : report.findings) ++by_tensor[finding.tensor];
  EXPECT_EQ(by_tensor.size(), 2u) << list(report);
  EXPECT_TRUE(by_tensor.contains("a.weight") && by_tensor.contains("b.weight"));
  EXPECT_GT(report.tensors[1].plain_error, 1);
  EXPECT_TRUE(check(file_of(output_), [](VerifyOptions& options) { options.against = ""; }).good())
      << "without the source nothing can tell";
}

TEST_P(Verify, NamesBothExpertsThatWereSwapped) {
  std::ranges::swap_ranges(rows(3, kRows, kRows), rows(3, 2 * kRows, kRows));
  const VerifyReport report = check();
  std::map<std::uint64_t, int> by_expert;
  for (const Finding& finding : report.findings) {
    EXPECT_EQ(finding.tensor, "experts.weight");
    ++by_expert[finding.rows.value().expert];
  }
  EXPECT_EQ(by_expert.size(), 2u) << list(report);
  EXPECT_FALSE(by_expert.contains(0)) << list(report);
}

TEST_P(Verify, FindsOneScaleThatIsNoNumber) {
  std::ranges::fill(rows(3, 2 * kRows + 11, 1).first(info(GetParam()).block_bytes),
                    std::byte{0xff});
  // Readers take NVFP4's NaN for a number, of which the error tells too.
  if (GetParam() != TensorType::nvfp4) {
    const VerifyReport report = check();
    expect_only(report, Fault::scale, "experts.weight", 2, 11, 11);
    EXPECT_EQ(report.findings_in_all, 1u);
  }
  EXPECT_EQ(
      check(file_of(output_), [](VerifyOptions& options) { options.against = ""; }).findings_in_all,
      1u)
      << "no source is needed for that";
}

TEST_P(Verify, FindsADifferenceInACopy) {
  output_[0].data[4 * 300] ^= std::byte{1};
  expect_only(check(), Fault::copy, "norm.weight", 0, 0, 0);
}

TEST_P(Verify, SeesATruncatedFile) {
  Bytes file = file_of(output_);
  file.resize(file.size() - 100);
  const VerifyReport report = check(file);
  ASSERT_EQ(report.findings_in_all, 1u);
  EXPECT_EQ(report.findings[0].fault, Fault::structure);
  EXPECT_EQ(report.findings[0].tensor, "experts.weight");
}

TEST_P(Verify, SeesBytesBehindTheEnd) {
  Bytes file = file_of(output_);
  file.resize(file.size() + 32);
  const VerifyReport report = check(file);
  ASSERT_EQ(report.findings_in_all, 1u) << list(report);
  EXPECT_EQ(report.findings[0].fault, Fault::structure);
  EXPECT_EQ(report.findings[0].size, 32u);
}

TEST_P(Verify, NamesTensorsOfAnotherModel) {
  output_[1].name = "c.weight";
  output_[2].shape = {kRow, kRows / 2, 2};
  const VerifyReport report = check();
  std::map<Fault, std::string> faults;
  for (const Finding& finding : report.findings) faults[finding.fault] = finding.tensor;
  EXPECT_EQ(faults, (std::map<Fault, std::string>{{Fault::missing_tensor, "a.weight"},
                                                  {Fault::extra_tensor, "c.weight"},
                                                  {Fault::shape, "b.weight"}}));
}

// The header says another type than the data has: sizes differ, or weights do.
TEST_P(Verify, SeesAWrongType) {
  const TensorType other = GetParam() == TensorType::q8_0 ? TensorType::q4_0 : TensorType::q8_0;
  output_[1].type = other;
  output_[1].data.resize(byte_size(other, kRow * kRows, kRow));
  const VerifyReport report = check();
  EXPECT_FALSE(report.good());
  for (const Finding& finding : report.findings) EXPECT_EQ(finding.tensor, "a.weight");
}

TEST_P(Verify, AgreesOverThreadsAndBudgets) {
  std::ranges::fill(rows(3, kRows + 2, 5), std::byte{});
  const std::string expected = list(check());
  for (const int threads : {1, 2, 5}) {
    for (const std::uint64_t memory : {std::uint64_t{24} << 20, std::uint64_t{512} << 20}) {
      const VerifyReport report = check(file_of(output_), [&](VerifyOptions& options) {
        options.threads = threads;
        options.memory = memory;
      });
      EXPECT_EQ(list(report), expected) << threads << " threads, " << memory << " bytes";
    }
  }
}

std::string type_name(const testing::TestParamInfo<TensorType>& test) {
  return std::string(name(test.param));
}

INSTANTIATE_TEST_SUITE_P(Types, Verify,
                         testing::Values(TensorType::iq1_m, TensorType::iq2_xxs, TensorType::q2_k,
                                         TensorType::q4_k, TensorType::q6_k, TensorType::q8_0,
                                         TensorType::q4_0, TensorType::iq4_nl, TensorType::f16,
                                         TensorType::bf16, TensorType::nvfp4),
                         type_name);

class VerifyFile : public testing::Test {
 protected:
  VerifyReport check(const std::string& file, const std::string& against = "") {
    Observer observer;
    VerifyOptions options;
    options.output = file;
    options.against = against;
    return verify(options, observer);
  }
  const TempFolder folder_;
};

TEST_F(VerifyFile, PassesAModelAgainstItself) {
  const std::string model = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";
  const VerifyReport report = check(model, model);
  EXPECT_TRUE(report.good()) << list(report);
}

// As a download leaves that was broken off. A bias may be zero.
TEST_F(VerifyFile, TellsOfTensorsOfZeros) {
  class : public Observer {
   public:
    void note(std::string_view text) override { notes += text; }
    std::string notes;
  } observer;
  std::vector<float> some(32);
  some[31] = 1;
  write_file(folder_ / "x.gguf",
             file_of({{"blk.0.a.weight", {16, 2}, TensorType::f32, f32_bytes(some)},
                      {"blk.0.b.bias", {32}, TensorType::f32, Bytes(128)},
                      {"blk.0.c.weight", {16, 2}, TensorType::f32, Bytes(128)},
                      {"blk.1.c.weight", {32, 1}, TensorType::q8_0, Bytes(34)},
                      {"blk.1.c_norm.weight", {32}, TensorType::f32, Bytes(128)}}));
  VerifyOptions options;
  options.output = folder_ / "x.gguf";
  const VerifyReport report = verify(options, observer);
  EXPECT_TRUE(report.good());
  EXPECT_EQ(
      observer.notes,
      "2 tensors (40.0 % of the weights) with nothing but zeros, as after a download that was "
      "broken off: blk.0.c.weight, blk.1.c_norm.weight");
  std::vector<bool> zero;
  for (const VerifiedTensor& tensor : report.tensors) zero.push_back(tensor.all_zero);
  EXPECT_EQ(zero, (std::vector<bool>{false, true, true, true, true}));
}

TEST_F(VerifyFile, SeesPaddingThatIsNotZero) {
  Tensors tensors = {{"a", {3}, TensorType::f32, f32_bytes({1, 2, 3})},
                     {"b", {8}, TensorType::f32, Bytes(32)}};
  Bytes file = file_of(tensors);
  EXPECT_TRUE((write_file(folder_ / "x.gguf", file), check(folder_ / "x.gguf").good()));
  file[file.size() - 33] = std::byte{1};  // the last byte before b
  write_file(folder_ / "x.gguf", file);
  const VerifyReport report = check(folder_ / "x.gguf");
  ASSERT_EQ(report.findings_in_all, 1u);
  EXPECT_EQ(report.findings[0].fault, Fault::padding);
  EXPECT_EQ(report.findings[0].tensor, "a");
  EXPECT_EQ(report.findings[0].offset, file.size() - 33);
}

TEST_F(VerifyFile, SeesAGapBetweenTensors) {
  GgufBuilder builder;
  builder.tensor("a", {8}, 0, Bytes(32)).tensor("b", {8}, 0, Bytes(32)).gap(32);
  write_file(folder_ / "x.gguf", builder.build());
  const VerifyReport report = check(folder_ / "x.gguf");
  ASSERT_FALSE(report.good());
  EXPECT_EQ(report.findings[0].fault, Fault::structure);
}

TEST_F(VerifyFile, ReadsAllPartsWhicheverIsNamed) {
  const auto part = [&](std::uint16_t no, const std::string& tensor, bool damaged) {
    GgufBuilder builder;
    builder.u16("split.no", no).u16("split.count", 2).i32("split.tensors.count", 2);
    builder.tensor(tensor, {8}, 0, f32_bytes(std::vector<float>(8, damaged ? NAN : 1.0f)));
    write_file(folder_ / ("m-0000" + std::to_string(no + 1) + "-of-00002.gguf"), builder.build());
  };
  part(0, "a", false);
  part(1, "b", false);
  EXPECT_TRUE(check(folder_ / "m-00001-of-00002.gguf").good());
  part(1, "b", true);
  for (const char* name : {"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"}) {
    const VerifyReport report = check(folder_ / name);
    ASSERT_EQ(report.findings_in_all, 1u) << list(report);
    EXPECT_EQ(report.findings[0].tensor, "b");
    EXPECT_EQ(report.findings[0].file, folder_ / "m-00002-of-00002.gguf");
  }
  std::filesystem::remove(folder_ / "m-00002-of-00002.gguf");
  EXPECT_THROW(check(folder_ / "m-00001-of-00002.gguf"), Error);
}

TEST_F(VerifyFile, RefusesABadSource) {
  write_file(folder_ / "x.gguf", file_of({{"a", {8}, TensorType::f32, Bytes(32)}}));
  write_file(folder_ / "bad.gguf", Bytes(100));
  try {
    check(folder_ / "x.gguf", folder_ / "bad.gguf");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_format);
  }
}

TEST_F(VerifyFile, RefusesABudgetThatIsTooSmall) {
  write_file(folder_ / "x.gguf", file_of({{"a", {8}, TensorType::f32, Bytes(32)}}));
  Observer observer;
  VerifyOptions options;
  options.output = folder_ / "x.gguf";
  options.threads = 2;
  options.memory = 1 << 20;
  try {
    verify(options, observer);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::memory_budget);
  }
}

}  // namespace
}  // namespace sluice
