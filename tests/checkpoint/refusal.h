#pragma once

// What is said about checkpoints that are not read.

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "checkpoint/synthetic.h"
#include "sluice/error.h"

namespace sluice::checkpoint {

struct Refusal {
  std::optional<ErrorCode> code;
  std::string message = "read without an error";
};

/// A view may reach the elements of its tensor only, and makes as many as the model's tensor has.
inline void expect_sound(const Model& model) {
  ASSERT_EQ(model.weights.sources.size(), model.header.tensors.size());
  for (std::size_t i = 0; i < model.weights.sources.size(); ++i) {
    const gguf::Tensor& tensor = model.header.tensors[i];
    std::uint64_t made = model.weights.sources[i].values.size();
    for (const View& view : model.weights.sources[i].views) {
      std::uint64_t count = 1;
      std::uint64_t last = view.first;
      for (const Axis& axis : view.axes) {
        ASSERT_GT(axis.count, 0u) << tensor.name;
        count *= axis.count;
        last += (axis.count - 1) * axis.stride;
      }
      ASSERT_LT(last, model.weights.stored.at(view.stored).elements()) << tensor.name;
      made += count;
    }
    ASSERT_EQ(made, tensor.elements()) << tensor.name;
  }
}

inline Refusal read(const Synthetic& checkpoint) {
  const auto fixture = checkpoint.make();
  try {
    expect_sound(read_checkpoint(fixture->folder, {}));
    return {};
  } catch (const Error& error) {
    EXPECT_FALSE(error.context().file.empty()) << error.what();
    EXPECT_FALSE(error.context().cure.empty()) << error.what();
    return {error.code(), error.what()};
  }
}

inline void expect_refused(const Synthetic& checkpoint, ErrorCode code, std::string_view what) {
  const Refusal refusal = read(checkpoint);
  EXPECT_EQ(refusal.code, code) << refusal.message;
  EXPECT_NE(refusal.message.find(what), std::string::npos)
      << refusal.message << "\n  should have: " << what;
}

}  // namespace sluice::checkpoint
