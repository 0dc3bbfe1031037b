// Whole runs: the output against rows encoded one tensor at a time, over every way of running.

#include "sluice/quantize.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <random>
#include <regex>

#include "base/float16.h"
#include "sluice/codec.h"
#include "sluice/error.h"
#include "sluice/imatrix.h"
#include "sluice/version.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing_support::Bytes;
using testing_support::GgufBuilder;
using testing_support::put;
using testing_support::put_bytes;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

struct TestTensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  TensorType type;
  Bytes data;

  std::uint64_t elements() const {
    std::uint64_t n = 1;
    for (const std::uint64_t extent : shape) n *= extent;
    return n;
  }
};

std::vector<float> random_values(std::uint64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0.0f, 0.02f);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

Bytes stored(const std::vector<float>& values, TensorType type) {
  Bytes bytes;
  for (const float value : values) {
    if (type == TensorType::f32) put(bytes, value);
    if (type == TensorType::f16) put(bytes, f32_to_f16(value));
    if (type == TensorType::bf16) put(bytes, f32_to_bf16(value));
  }
  return bytes;
}

TestTensor make_tensor(std::string name, std::vector<std::uint64_t> shape, TensorType type) {
  TestTensor tensor{std::move(name), std::move(shape), type, {}};
  tensor.data =
      stored(random_values(tensor.elements(), std::hash<std::string>()(tensor.name)), type);
  return tensor;
}

// A mixture-of-experts model with every kind of source, rows that fit no super-block, and a tensor
// larger than the largest chunk.
std::vector<TestTensor> test_tensors() {
  return {
      make_tensor("token_embd.weight", {512, 100}, TensorType::f32),
      make_tensor("blk.0.attn_norm.weight", {512}, TensorType::f32),
      make_tensor("blk.0.attn_q.weight", {512, 6000}, TensorType::bf16),
      make_tensor("blk.0.attn_k.weight", {512, 64}, TensorType::f16),
      make_tensor("blk.0.attn_v.weight", {512, 64}, TensorType::f16),
      make_tensor("blk.0.attn_output.weight", {512, 512}, TensorType::f16),
      make_tensor("blk.0.ffn_gate_inp.weight", {512, 3}, TensorType::f32),
      make_tensor("blk.0.ffn_up_exps.weight", {512, 96, 3}, TensorType::bf16),
      make_tensor("blk.0.ffn_gate_exps.weight", {512, 96, 3}, TensorType::bf16),
      make_tensor("blk.0.ffn_down_exps.weight", {96, 512, 3}, TensorType::bf16),
      make_tensor("output_norm.weight", {512}, TensorType::f32),
      make_tensor("output.weight", {512, 100}, TensorType::f16),
  };
}

GgufBuilder with_metadata() {
  GgufBuilder builder;
  builder.string("general.architecture", "llama")
      .u32("llama.block_count", 1)
      .u32("llama.attention.head_count", 8)
      .u32("llama.attention.head_count_kv", 1)
      .u32("llama.expert_count", 3)
      .strings("tokenizer.ggml.tokens", {"a", "b"});
  return builder;
}

void write_model(const std::string& path, const std::vector<TestTensor>& tensors,
                 GgufBuilder builder = with_metadata()) {
  for (const TestTensor& tensor : tensors) {
    builder.tensor(tensor.name, tensor.shape, static_cast<std::uint32_t>(tensor.type), tensor.data);
  }
  write_file(path, builder.build());
}

std::vector<float> importance_of(const TestTensor& tensor, std::uint64_t expert) {
  std::vector<float> values =
      random_values(tensor.shape[0], std::hash<std::string>()(tensor.name) + 77 * expert);
  for (float& value : values) value = value * value + 1e-6f;
  return values;
}

// A legacy importance matrix with a row for every matrix, expert 1 without data.
void write_imatrix(const std::string& path, const std::vector<TestTensor>& tensors) {
  Bytes body;
  std::int32_t entries = 0;
  for (const TestTensor& tensor : tensors) {
    if (tensor.shape.size() < 2) continue;
    const std::uint64_t experts = tensor.shape.size() > 2 ? tensor.shape[2] : 1;
    put(body, static_cast<std::int32_t>(tensor.name.size()));
    put_bytes(body, tensor.name.data(), tensor.name.size());
    put(body, std::int32_t{4});
    put(body, static_cast<std::int32_t>(tensor.shape[0] * experts));
    for (std::uint64_t expert = 0; expert < experts; ++expert) {
      for (const float value : importance_of(tensor, expert)) {
        put(body, expert == 1 ? 0.0f : 4 * value);
      }
    }
    ++entries;
  }
  Bytes file;
  put(file, entries);
  put_bytes(file, body.data(), body.size());
  put(file, std::int32_t{17});
  put(file, std::int32_t{4});
  put_bytes(file, "text", 4);
  write_file(path, file);
}

// The data of an output file, by tensor name, and checks of its layout that need no reader of ours
// beyond the header's.
std::map<std::string, Bytes> tensor_data(const std::string& path, gguf::Header* header_out) {
  const Bytes file = read_file(path);
  const gguf::Header header = *gguf::parse_header(file, file.size(), path);
  std::map<std::string, Bytes> data;
  std::uint64_t expected_offset = 0;
  for (const gguf::Tensor& tensor : header.tensors) {
    EXPECT_EQ(tensor.offset, expected_offset) << "tensors must follow one another";
    const std::uint64_t start = header.data_offset + tensor.offset;
    data[tensor.name] = Bytes(file.begin() + start, file.begin() + start + tensor.size);
    const std::uint64_t padded =
        (tensor.size + header.alignment - 1) / header.alignment * header.alignment;
    for (std::uint64_t i = tensor.size; i < padded; ++i) {
      EXPECT_EQ(file[start + i], std::byte{0}) << "padding";
    }
    expected_offset += padded;
  }
  EXPECT_EQ(file.size(), header.data_offset + expected_offset);
  if (header_out != nullptr) *header_out = header;
  return data;
}

// What a tensor must become: all its rows encoded in one call per expert.
Bytes expected_data(const TestTensor& tensor, TensorType type, bool with_imatrix) {
  if (type == tensor.type) return tensor.data;
  const std::uint64_t experts = tensor.shape.size() > 2 ? tensor.shape[2] : 1;
  const std::uint64_t elements = tensor.elements() / experts;
  std::vector<float> values(tensor.elements());
  find_codec(tensor.type)->decode(tensor.data.data(), values.data(), values.size());
  Bytes out(byte_size(type, tensor.elements()));
  for (std::uint64_t expert = 0; expert < experts; ++expert) {
    std::vector<float> importance = importance_of(tensor, expert);
    if (expert == 1) std::fill(importance.begin(), importance.end(), 1.0f);
    find_codec(type)->encode({.values = values.data() + expert * elements,
                              .rows = elements / tensor.shape[0],
                              .row_elements = tensor.shape[0],
                              .importance = with_imatrix ? importance.data() : nullptr},
                             out.data() + byte_size(type, expert * elements));
  }
  return out;
}

QuantizeOptions options_for(const std::string& input, const std::string& output,
                            std::string_view type, bool pure) {
  QuantizeOptions options;
  options.input = input;
  options.output = output;
  options.file_type = find_file_type(type);
  options.pure = pure;
  options.threads = 2;
  return options;
}

Observer& silent() {
  static Observer observer;
  return observer;
}

// The least budget, from the error that a budget of nothing gives.
std::uint64_t least_memory(QuantizeOptions options) {
  options.memory = 1;
  try {
    quantize(options, silent());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::memory_budget);
    std::smatch match;
    const std::string message = error.what();
    if (std::regex_search(message, match, std::regex(R"(the least is (\d+)M)"))) {
      return std::stoull(match[1]) << 20;
    }
  }
  ADD_FAILURE() << "no least budget";
  return 0;
}

class QuantizeTest : public testing::Test {
 protected:
  QuantizeTest() {
    write_model(model_, tensors_);
    write_imatrix(imatrix_, tensors_);
  }

  void expect_right(const std::string& output, bool with_imatrix) {
    gguf::Header header;
    const std::map<std::string, Bytes> data = tensor_data(output, &header);
    ASSERT_EQ(header.tensors.size(), tensors_.size());
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      EXPECT_EQ(header.tensors[i].name, tensors_[i].name);
      EXPECT_EQ(header.tensors[i].shape, tensors_[i].shape);
      EXPECT_TRUE(data.at(tensors_[i].name) ==
                  expected_data(tensors_[i], header.tensors[i].type, with_imatrix))
          << tensors_[i].name;
    }
  }

  TempFolder folder_;
  std::string model_ = folder_ / "model.gguf";
  std::string imatrix_ = folder_ / "model.imatrix";
  std::string output_ = folder_ / "out.gguf";
  std::vector<TestTensor> tensors_ = test_tensors();
};

TEST_F(QuantizeTest, TheMixIsEveryTensorEncodedWithItsRow) {
  QuantizeOptions options = options_for(model_, output_, "IQ1_M", false);
  options.imatrix = imatrix_;
  quantize(options, silent());
  expect_right(output_, true);

  gguf::Header header;
  tensor_data(output_, &header);
  EXPECT_EQ(header.version, 3u);
  EXPECT_EQ(header.find("general.file_type")->as_uint(), 31u);
  EXPECT_EQ(header.find("general.quantization_version")->as_uint(), 2u);
  EXPECT_EQ(header.find("sluice.version")->as_string(), std::string(version()));
  EXPECT_EQ(header.find("sluice.effort")->as_string(), "best");
  EXPECT_EQ(header.find("quantize.imatrix.file")->as_string(), imatrix_);
  EXPECT_EQ(header.find("quantize.imatrix.dataset")->as_string(), "text");
  EXPECT_EQ(header.find("quantize.imatrix.entries_count")->as_uint(), 10u);
  EXPECT_EQ(header.find("quantize.imatrix.chunks_count")->as_uint(), 17u);
  EXPECT_EQ(header.find("tokenizer.ggml.tokens")->as_strings(),
            (std::vector<std::string>{"a", "b"}));
}

TEST_F(QuantizeTest, TheSameBytesForAnyModeThreadsAndBudget) {
  for (const std::string type : {"Q4_0", "Q8_0"}) {
    QuantizeOptions options = options_for(model_, output_, type, true);
    quantize(options, silent());
    expect_right(output_, false);
    const Bytes first = read_file(output_);
    for (const IoMode io : {IoMode::automatic, IoMode::mmap, IoMode::async, IoMode::plain}) {
      for (const int threads : {1, 2, 5}) {
        options.io = io;
        options.threads = threads;
        for (const std::uint64_t memory :
             {least_memory(options), least_memory(options) + (1u << 20), std::uint64_t{2} << 30}) {
          options.memory = memory;
          options.isa =
              supported_isas()[static_cast<std::size_t>(threads) % supported_isas().size()];
          quantize(options, silent());
          EXPECT_TRUE(read_file(output_) == first)
              << "io " << static_cast<int>(io) << " threads " << threads << " memory " << memory;
        }
      }
    }
  }
}

TEST_F(QuantizeTest, AnonymousMemoryStaysWithinTheBudget) {
  QuantizeOptions options = options_for(model_, output_, "Q4_0", true);
  options.memory = least_memory(options) + (2u << 20);
  const RunReport report = quantize(options, silent());
  EXPECT_LE(report.peak_anon_bytes, options.memory);
  EXPECT_GT(report.peak_anon_bytes, 0u);
}

TEST_F(QuantizeTest, TheReportTellsEachTensorsChecksum) {
  for (const std::uint64_t memory : {std::uint64_t{64} << 20, std::uint64_t{512} << 20}) {
    QuantizeOptions options = options_for(model_, output_, "IQ1_M", false);
    options.imatrix = imatrix_;
    options.memory = memory;
    options.verify = true;
    const RunReport report = quantize(options, silent());
    const std::map<std::string, Bytes> data = tensor_data(output_, nullptr);
    for (const TensorReport& tensor : report.tensors) {
      const Bytes& bytes = data.at(tensor.name);
      EXPECT_EQ(tensor.crc32, ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()),
                                      static_cast<uInt>(bytes.size())))
          << tensor.name;
    }
  }
}

TEST_F(QuantizeTest, TheReportTellsErrorsThatAnIndependentSumConfirms) {
  QuantizeOptions options = options_for(model_, output_, "Q4_0", true);
  options.imatrix = imatrix_;
  options.measure_error = true;
  const RunReport report = quantize(options, silent());
  ASSERT_EQ(report.tensors.size(), tensors_.size());
  const std::map<std::string, Bytes> data = tensor_data(output_, nullptr);
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    const TestTensor& tensor = tensors_[t];
    const TensorReport& told = report.tensors[t];
    ASSERT_EQ(told.name, tensor.name);
    EXPECT_EQ(told.bytes, data.at(tensor.name).size());
    std::vector<float> x(tensor.elements());
    std::vector<float> y(tensor.elements());
    find_codec(tensor.type)->decode(tensor.data.data(), x.data(), x.size());
    find_codec(told.type)->decode(data.at(tensor.name).data(), y.data(), y.size());
    const std::uint64_t per_expert =
        tensor.shape[0] * (tensor.shape.size() > 1 ? tensor.shape[1] : 1);
    double error = 0, norm = 0, weighted_error = 0, weighted_norm = 0;
    std::vector<float> q;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (i % per_expert == 0) {
        q = importance_of(tensor, i / per_expert);
        if (i / per_expert == 1) std::fill(q.begin(), q.end(), 1.0f);
      }
      const double difference = double{x[i]} - double{y[i]};
      const double weight = q[i % tensor.shape[0]];
      error += difference * difference;
      norm += double{x[i]} * double{x[i]};
      weighted_error += weight * difference * difference;
      weighted_norm += weight * double{x[i]} * double{x[i]};
    }
    EXPECT_NEAR(told.plain_error, error / norm, 1e-9) << tensor.name;
    EXPECT_NEAR(told.weighted_error, weighted_error / weighted_norm, 1e-9) << tensor.name;
    EXPECT_EQ(told.plain_error == 0, told.source == told.type) << tensor.name;
  }
}

TEST_F(QuantizeTest, SplitFilesGiveTheSameTensorsFromAnyPart) {
  const std::string names[] = {folder_ / "split-00001-of-00003.gguf",
                               folder_ / "split-00002-of-00003.gguf",
                               folder_ / "split-00003-of-00003.gguf"};
  const std::size_t first_of[] = {0, 4, 9, tensors_.size()};
  for (std::uint16_t part = 0; part < 3; ++part) {
    GgufBuilder builder = part == 0 ? with_metadata() : GgufBuilder();
    builder.u16("split.no", part)
        .u16("split.count", 3)
        .i32("split.tensors.count", static_cast<std::int32_t>(tensors_.size()));
    write_model(names[part],
                {tensors_.begin() + first_of[part], tensors_.begin() + first_of[part + 1]},
                builder);
  }
  QuantizeOptions options = options_for(model_, output_, "Q4_0", true);
  quantize(options, silent());
  const Bytes whole = read_file(output_);
  for (const std::string& name : names) {
    options.input = name;
    quantize(options, silent());
    EXPECT_TRUE(read_file(output_) == whole) << name;
  }

  options.output = names[1];
  EXPECT_THROW(quantize(options, silent()), Error) << "an input part as output";
  fs::remove(names[2]);
  options.output = output_;
  try {
    quantize(options, silent());
    ADD_FAILURE() << "a missing part was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_open);
    EXPECT_EQ(error.context().file, names[2]);
  }
}

TEST_F(QuantizeTest, AnyFileOrderAlignmentAndVersionOfTheInput) {
  QuantizeOptions options = options_for(model_, output_, "Q4_0", true);
  quantize(options, silent());
  const std::map<std::string, Bytes> expected = tensor_data(output_, nullptr);

  GgufBuilder builder = with_metadata();
  builder.version(2).alignment(256).gap(1000);
  std::vector<std::size_t> backwards;
  for (std::size_t i = tensors_.size(); i-- > 0;) backwards.push_back(i);
  builder.data_order(backwards);
  write_model(folder_ / "odd.gguf", tensors_, builder);
  options.input = folder_ / "odd.gguf";
  quantize(options, silent());
  gguf::Header header;
  EXPECT_TRUE(tensor_data(output_, &header) == expected);
  EXPECT_EQ(header.alignment, 256u);
}

TEST_F(QuantizeTest, ValuesThatAreNoNumbersAreNamedByRowAndColumn) {
  struct Case {
    std::string tensor;
    float value;
    std::uint64_t element;
    std::string place;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  // A tensor that is encoded, one with experts, one that is only copied.
  for (const Case& c : std::vector<Case>{
           {"blk.0.attn_q.weight", nan, 512 * 5999 + 511, "NaN at row 5999, column 511"},
           {"blk.0.ffn_up_exps.weight", -infinity, 512 * 96 * 2 + 512 * 7 + 3,
            "infinity at row 7, column 3 of expert 2"},
           {"blk.0.attn_norm.weight", nan, 17, "NaN at row 0, column 17"}}) {
    std::vector<TestTensor> tensors = tensors_;
    for (TestTensor& tensor : tensors) {
      if (tensor.name != c.tensor) continue;
      Bytes value = stored({c.value}, tensor.type);
      std::copy(value.begin(), value.end(), tensor.data.begin() + c.element * value.size());
    }
    write_model(folder_ / "bad.gguf", tensors);
    try {
      quantize(options_for(folder_ / "bad.gguf", output_, "Q4_0", true), silent());
      ADD_FAILURE() << c.tensor << ": no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input_value);
      EXPECT_EQ(error.context().tensor, c.tensor);
      EXPECT_NE(std::string(error.what()).find(c.place), std::string::npos) << error.what();
    }
    EXPECT_FALSE(fs::exists(output_));
    EXPECT_FALSE(fs::exists(output_ + ".part"));
  }
}

TEST_F(QuantizeTest, MissingImportanceRowsAreAllListedBeforeAnyWork) {
  QuantizeOptions options = options_for(model_, output_, "IQ1_M", false);
  std::vector<TestTensor> fewer = tensors_;
  std::erase_if(fewer, [](const TestTensor& t) {
    return t.name == "blk.0.attn_q.weight" || t.name.find("exps") != std::string::npos;
  });
  write_imatrix(folder_ / "fewer.imatrix", fewer);
  options.imatrix = folder_ / "fewer.imatrix";
  try {
    quantize(options, silent());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::imatrix_missing);
    const std::string message = error.what();
    for (const std::string name :
         {"blk.0.attn_q.weight", "blk.0.ffn_up_exps.weight", "blk.0.ffn_gate_exps.weight"}) {
      EXPECT_NE(message.find(name), std::string::npos) << message;
    }
    EXPECT_EQ(message.find("blk.0.attn_norm.weight"), std::string::npos);
    EXPECT_EQ(message.find("\n."), std::string::npos) << message;
  }
  EXPECT_FALSE(fs::exists(output_ + ".part"));
  EXPECT_EQ(plan(options).missing_importance.size(), 3u);
  options.ignore_imatrix_rules = true;
  EXPECT_NO_THROW(quantize(options, silent()));
}

TEST_F(QuantizeTest, AMatrixWithoutNumbersIsRefusedAndBlankRowsAreNoted) {
  class : public Observer {
   public:
    void note(std::string_view text) override { notes += std::string(text) + '\n'; }
    std::string notes;
  } observer;
  QuantizeOptions options = options_for(model_, output_, "Q4_K", true);
  options.imatrix = imatrix_;
  quantize(options, observer);
  EXPECT_NE(observer.notes.find("rows have no importance"), std::string::npos) << observer.notes;

  fs::remove(output_);
  Bytes bytes = read_file(imatrix_);
  // The first value of the first entry, after entries, length, name, calls and count.
  std::int32_t length = 0;
  std::memcpy(&length, bytes.data() + 4, sizeof(length));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + 8 + length + 8, &nan, sizeof(nan));
  write_file(imatrix_, bytes);
  try {
    quantize(options, silent());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::imatrix_format);
    EXPECT_EQ(error.context().file, imatrix_);
    EXPECT_FALSE(error.context().tensor.empty());
  }
  EXPECT_FALSE(fs::exists(output_ + ".part"));
}

TEST_F(QuantizeTest, TheOutputIsAFileOfItsOwn) {
  const auto code = [](const QuantizeOptions& options) {
    try {
      quantize(options, silent());
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::interrupted;  // accepted
  };
  QuantizeOptions options = options_for(model_, "", "Q8_0", true);
  EXPECT_EQ(code(options), ErrorCode::output_open) << "no output";
  options.output = "/dev/null";
  EXPECT_EQ(code(options), ErrorCode::output_open);
  options.output = folder_ / "new/";
  EXPECT_EQ(code(options), ErrorCode::output_open);
  options.split.max_tensors = 1;
  EXPECT_EQ(code(options), ErrorCode::output_open);
  options.split = {};

  const Bytes matrix = read_file(imatrix_);
  options.imatrix = imatrix_;
  options.output = imatrix_;
  EXPECT_EQ(code(options), ErrorCode::output_is_input);
  fs::create_symlink(imatrix_, folder_ / "x.gguf.part");
  options.output = folder_ / "x.gguf";
  EXPECT_EQ(code(options), ErrorCode::output_open);
  options.output = output_;
  options.trace = model_;
  EXPECT_EQ(code(options), ErrorCode::output_is_input);
  EXPECT_TRUE(read_file(imatrix_) == matrix);
}

TEST_F(QuantizeTest, ALinkStaysAndItsTargetGetsTheOutput) {
  fs::create_directory(folder_ / "elsewhere");
  write_file(folder_ / "elsewhere/real.gguf", Bytes(3));
  fs::create_symlink("elsewhere/real.gguf", output_);
  quantize(options_for(model_, output_, "Q8_0", true), silent());
  EXPECT_TRUE(fs::is_symlink(output_));
  EXPECT_GT(fs::file_size(folder_ / "elsewhere/real.gguf"), 1000u);
}

TEST_F(QuantizeTest, AnImportanceRowOfAnotherLengthNamesTensorFoundAndWanted) {
  std::vector<TestTensor> other = tensors_;
  for (TestTensor& tensor : other) {
    if (tensor.name == "blk.0.attn_k.weight") tensor.shape[0] = 384;
  }
  write_imatrix(imatrix_, other);
  QuantizeOptions options = options_for(model_, output_, "IQ1_M", false);
  options.imatrix = imatrix_;
  try {
    quantize(options, silent());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::imatrix_length);
    EXPECT_EQ(error.context().tensor, "blk.0.attn_k.weight");
    const std::string message = error.what();
    EXPECT_NE(message.find("384"), std::string::npos) << message;
    EXPECT_NE(message.find("512"), std::string::npos) << message;
  }
}

TEST_F(QuantizeTest, AModelWithoutTheKeysThatAMixNeedsIsNamed) {
  write_model(folder_ / "bare.gguf", tensors_, GgufBuilder());
  try {
    quantize(options_for(folder_ / "bare.gguf", output_, "IQ1_M", false), silent());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_format);
    EXPECT_EQ(error.context().file, folder_ / "bare.gguf");
    EXPECT_EQ(std::string(error.what()).find(folder_ / "bare.gguf"), 0u) << error.what();
    EXPECT_FALSE(error.context().cure.empty());
  }
}

TEST_F(QuantizeTest, AQuantizedSourceIsAcceptedOnRequestOnly) {
  quantize(options_for(model_, output_, "Q8_0", true), silent());
  const std::string again = folder_ / "again.gguf";
  QuantizeOptions options = options_for(output_, again, "Q4_0", true);
  try {
    quantize(options, silent());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_type);
  }
  options.allow_requantize = true;
  EXPECT_NO_THROW(quantize(options, silent()));
}

TEST_F(QuantizeTest, AFailureLeavesAnOlderOutputAsItWas) {
  write_file(output_, stored({1.0f}, TensorType::f32));
  fs::resize_file(model_, fs::file_size(model_) - 1000);
  EXPECT_THROW(quantize(options_for(model_, output_, "Q4_0", true), silent()), Error);
  EXPECT_EQ(read_file(output_), stored({1.0f}, TensorType::f32));
  EXPECT_FALSE(fs::exists(output_ + ".part"));
}

TEST_F(QuantizeTest, ThePlanIsWhatTheOutputHas) {
  QuantizeOptions options = options_for(model_, output_, "IQ1_M", false);
  options.imatrix = imatrix_;
  const PlanView view = plan(options);
  EXPECT_FALSE(fs::exists(output_));
  quantize(options, silent());
  gguf::Header header;
  tensor_data(output_, &header);
  EXPECT_EQ(view.output_bytes, fs::file_size(output_));
  ASSERT_EQ(view.tensors.size(), header.tensors.size());
  for (std::size_t i = 0; i < view.tensors.size(); ++i) {
    EXPECT_EQ(view.tensors[i].name, header.tensors[i].name);
    EXPECT_EQ(view.tensors[i].type, header.tensors[i].type);
    EXPECT_EQ(view.tensors[i].size, header.tensors[i].size);
    EXPECT_EQ(view.tensors[i].offset, header.data_offset + header.tensors[i].offset);
    EXPECT_FALSE(view.tensors[i].rule.empty());
  }
}

// Counts what a run tells.
class CountingObserver final : public Observer {
 public:
  void progress(const Progress& progress) override {
    EXPECT_GE(progress.input_bytes_done, last_.input_bytes_done);
    EXPECT_LE(progress.input_bytes_done, progress.input_bytes);
    last_ = progress;
  }
  void tensor_done(const TensorReport&, std::size_t index, std::size_t count) override {
    EXPECT_EQ(index, tensors_++);
    count_ = count;
  }
  Progress last_;
  std::size_t tensors_ = 0;
  std::size_t count_ = 0;
};

TEST_F(QuantizeTest, TheObserverSeesEveryTensorAndTheEnd) {
  CountingObserver observer;
  const RunReport report = quantize(options_for(model_, output_, "Q4_0", true), observer);
  EXPECT_EQ(observer.tensors_, tensors_.size());
  EXPECT_EQ(observer.count_, tensors_.size());
  EXPECT_EQ(observer.last_.input_bytes_done, observer.last_.input_bytes);
  EXPECT_EQ(report.read_bytes, observer.last_.input_bytes);
  EXPECT_EQ(report.write_bytes, fs::file_size(output_));
}

// An observer that throws must stop the run, not the process.
class ThrowingObserver final : public Observer {
 public:
  void progress(const Progress&) override { throw std::runtime_error("observer"); }
};

TEST_F(QuantizeTest, AnObserverThatThrowsEndsTheRun) {
  ThrowingObserver observer;
  EXPECT_THROW(quantize(options_for(model_, output_, "Q4_0", true), observer), std::runtime_error);
  EXPECT_FALSE(fs::exists(output_));
}

}  // namespace
}  // namespace sluice
