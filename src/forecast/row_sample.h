#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "weights/bands.h"

namespace sluice {

/// The bytes that some rows of a tensor are made of.
struct RowSample {
  weights::Band band;
  std::vector<std::byte> codes;
  std::vector<std::byte> factors;
};

/// Some rows out of the middle of a tensor; of a transposed matrix, some columns.
/// \pre the tensor is not computed
weights::Band sample_of(const Plan& plan, std::uint32_t tensor);

/// Why rows are not fit to measure with; empty: they are.
std::string unfit(const weights::Stored& stored, std::span<const std::byte> codes);

/// Weights as models have them, roughly: bell-shaped, of many sizes. Types without an encoder keep
/// what they have: only copies can be of one.
void make_up_rows(const weights::Stored& stored, RowSample& sample);

}  // namespace sluice
