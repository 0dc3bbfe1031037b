// What a run refuses, and what it says: bad values, missing importance, outputs that are not to be.

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <regex>

#include "api/quantize_fixture.h"

namespace sluice {
namespace {

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
    QuantizeOptions options = options_for(folder_ / "bad.gguf", output_, "Q4_0", true);
    options.restart = true;  // a run of a second and more keeps what it made before the failure
    try {
      quantize(options, silent());
      ADD_FAILURE() << c.tensor << ": no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input_value);
      EXPECT_EQ(error.context().tensor, c.tensor);
      EXPECT_NE(std::string(error.what()).find(c.place), std::string::npos) << error.what();
    }
    EXPECT_FALSE(fs::exists(output_));
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
    EXPECT_NE(message.find("3 tensors would get a very-low-bit type"), std::string::npos);
    EXPECT_NE(message.find("\n  iq1_m: blk.0.attn_q.weight, blk.0.ffn_up_exps.weight, "
                           "blk.0.ffn_gate_exps.weight\n"),
              std::string::npos)
        << message;
    EXPECT_EQ(message.find("\n."), std::string::npos) << message;
  }
  EXPECT_FALSE(fs::exists(output_ + ".part"));
  EXPECT_EQ(plan(options).missing_importance.size(), 3u);
  options.ignore_imatrix_rules = true;
  EXPECT_NO_THROW(quantize(options, silent()));
}

// Of the layers; the embedding and the output never have one.
TEST_F(QuantizeTest, TensorsWithoutAnImportanceRowAreTold) {
  std::vector<TestTensor> fewer = tensors_;
  std::erase_if(fewer, [](const TestTensor& t) {
    return t.name == "blk.0.attn_q.weight" || t.name == "token_embd.weight" ||
           t.name == "output.weight" || t.name == "blk.0.attn_v.weight";
  });
  write_imatrix(imatrix_, fewer);
  const std::vector<std::string> lacking = {"blk.0.attn_q.weight", "blk.0.attn_v.weight"};
  QuantizeOptions options = options_for(model_, output_, "Q4_K_M", false);
  options.imatrix = imatrix_;
  const auto lack_in = [](const auto& tensors) {
    std::vector<std::string> names;
    for (const auto& tensor : tensors) {
      if (tensor.lacks_importance) names.push_back(tensor.name);
    }
    return names;
  };
  const auto told = [](const std::vector<std::string>& notes, const std::string& part) {
    return std::ranges::any_of(notes, [&](const std::string& n) { return n.find(part) != n.npos; });
  };
  const PlanView view = plan(options);
  EXPECT_EQ(lack_in(view.tensors), lacking);
  EXPECT_TRUE(view.missing_importance.empty());
  EXPECT_TRUE(told(view.notes, "2 of 7 tensors to quantize without a row"));
  EXPECT_TRUE(told(view.notes, "alike: blk.0.attn_q.weight, blk.0.attn_v.weight"));
  EXPECT_EQ(lack_in(quantize(options, silent()).tensors), lacking);

  // Whoever leaves rows out knows.
  options.use.exclude = {"attn_"};
  EXPECT_TRUE(lack_in(plan(options).tensors).empty());
  options.use = {};
  options.imatrix.clear();
  EXPECT_TRUE(lack_in(plan(options).tensors).empty());
  EXPECT_FALSE(told(plan(options).notes, "without a row"));
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
  EXPECT_NE(observer.notes.find("3 rows without importance"), std::string::npos) << observer.notes;
  EXPECT_NE(observer.notes.find(": blk.0.ffn_up_exps.weight, blk.0.ffn_gate_exps.weight, "
                                "blk.0.ffn_down_exps.weight\n"),
            std::string::npos)
      << observer.notes;

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

}  // namespace
}  // namespace sluice
