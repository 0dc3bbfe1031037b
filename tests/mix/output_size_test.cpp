// The size of an output as it is known before types are chosen, against plans.

#include "plan/output_size.h"

#include <gtest/gtest.h>

#include "api/prepared.h"

namespace sluice {
namespace {

/// Of a model of 0.9 million weights.
Plan plan_with(const char* file_type, const SplitOptions& split) {
  QuantizeOptions options;
  options.input = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";
  options.file_type = find_file_type(file_type);
  options.split = split;
  Prepared prepared;
  Observer nobody;
  prepare(options, prepared, nobody);
  return std::move(prepared.plan);
}

std::uint64_t tensor_bytes(const Plan& plan) {
  std::uint64_t bytes = 0;
  for (const PlannedTensor& tensor : plan.tensors) {
    bytes += tensor.output_size + tensor.output_padding;
  }
  return bytes;
}

TEST(OutputSize, HeadersAreTheSameInAllTypes) {
  for (const SplitOptions split :
       {SplitOptions{}, SplitOptions{.max_tensors = 7}, SplitOptions{.keep = true}}) {
    const Plan other = plan_with("F16", split);
    for (const char* type : {"Q4_K_M", "Q8_0", "Q2_K", "COPY"}) {
      const Plan plan = plan_with(type, split);
      const std::uint64_t tensors = tensor_bytes(plan);
      EXPECT_EQ(header_bytes(other, split, 32, tensors) + tensors, plan.output_size) << type;
    }
  }
}

TEST(OutputSize, FilesOfLimitedBytesAreCountedAsManyAsThereMayBe) {
  for (const std::uint64_t most : {10000u, 50000u, 300000u, 100000000u}) {
    const SplitOptions split{.max_bytes = most};
    const Plan other = plan_with("F16", split);
    for (const char* type : {"Q4_K_M", "Q8_0", "Q2_K"}) {
      const Plan plan = plan_with(type, split);
      const std::uint64_t tensors = tensor_bytes(plan);
      const std::uint64_t size = header_bytes(other, split, 32, tensors) + tensors;
      EXPECT_GE(size, plan.output_size) << type << " " << most;
      EXPECT_LT(size, plan.output_size + 400 * (2 * tensors / most + 4));
    }
  }
}

}  // namespace
}  // namespace sluice
