// The C interface beside the C++ one. What it promises in C is in tests/install/c_api_test.c.

#include <gtest/gtest.h>

#include <string>

#include "api/quantize_fixture.h"
#include "sluice/options.h"
#include "sluice/sluice.h"

namespace sluice {
namespace {

TEST(CApi, ListsTheOptionsOfTheTable) {
  ASSERT_EQ(sluice_option_count(), options().size());
  for (std::size_t i = 0; i < options().size(); ++i) {
    const Option& row = options()[i];
    const sluice_option* option = sluice_option_at(i);
    ASSERT_NE(option, nullptr);
    EXPECT_EQ(option->size, sizeof(sluice_option));
    EXPECT_EQ(option->name, row.name);
    EXPECT_EQ(option->kind, static_cast<int>(row.kind)) << row.name;
    EXPECT_EQ(option->functions, row.commands) << row.name;
    EXPECT_EQ(option->repeats != 0, row.repeats) << row.name;
    EXPECT_EQ(option->required != 0, row.required) << row.name;
    EXPECT_EQ(option->value, row.value) << row.name;
    EXPECT_EQ(option->default_value, row.default_value) << row.name;
    EXPECT_EQ(option->help, row.help) << row.name;
    EXPECT_EQ(option->topic, name(row.topic)) << row.name;
    EXPECT_EQ(option->llama_cpp, row.llama_cpp) << row.name;
    EXPECT_EQ(option->ik_llama_cpp, row.ik_llama_cpp) << row.name;
  }
  EXPECT_EQ(sluice_option_at(options().size()), nullptr);
  EXPECT_EQ(sluice_option_at(~std::size_t{0}), nullptr);
}

class CApiTest : public QuantizeTest {
 protected:
  CApiTest() {
    set("input", model_);
    set("output", output_);
    set("against", model_);
    set("a", model_);
    set("b", output_);
    set("type", "Q8_0");
    set("threads", "1");
  }

  ~CApiTest() override {
    sluice_options_free(values_);
    sluice_observer_free(observer_);
  }

  void set(const char* name, const std::string& value) {
    EXPECT_EQ(sluice_options_set(values_, name, value.c_str(), nullptr), SLUICE_OK) << name;
  }

  sluice_options* values_ = sluice_options_new();
  sluice_observer* observer_ = sluice_observer_new();
  std::string output_ = folder_ / "c.gguf";
};

TEST_F(CApiTest, VerifyAndCompareEndWhenProgressSaysSo) {
  ASSERT_EQ(sluice_quantize(values_, nullptr, nullptr, nullptr), SLUICE_OK);
  int calls = 0;
  sluice_observer_on_progress(
      observer_,
      [](const sluice_progress* now, void* user) {
        EXPECT_LT(now->input_bytes_done, now->input_bytes) << "it went on to the end";
        ++*static_cast<int*>(user);
        return 1;
      },
      &calls);
  char* text = nullptr;
  sluice_error* error = nullptr;
  EXPECT_EQ(sluice_verify(values_, observer_, &text, &error), SLUICE_INTERRUPTED);
  EXPECT_EQ(text, nullptr);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->exit_status, 130);
  sluice_error_free(error);
  EXPECT_EQ(sluice_compare(values_, observer_, &text, nullptr), SLUICE_INTERRUPTED);
  EXPECT_EQ(text, nullptr);
  EXPECT_GE(calls, 2);
}

TEST_F(CApiTest, ErrorsAreMeasuredForAReportOnly) {
  char* report = nullptr;
  EXPECT_EQ(sluice_quantize(values_, nullptr, &report, nullptr), SLUICE_OK);
  ASSERT_NE(report, nullptr);
  const std::string text = report;
  sluice_free(report);
  EXPECT_NE(text.find("\"weighted_error\": 0."), std::string::npos) << text;
  EXPECT_EQ(text.find("\"plain_error\": null"), std::string::npos) << text;
}

}  // namespace
}  // namespace sluice
