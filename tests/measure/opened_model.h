#pragma once

// A model in a file, and what is asked for of it.

#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "calibrate/model_source.h"
#include "io/file.h"
#include "measure/measurements.h"
#include "measure/request.h"
#include "sluice/codec.h"
#include "sluice/error.h"
#include "sluice/observer.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice::measure {

constexpr std::uint64_t kMemory = std::uint64_t{64} << 20;

/// A GGUF file of F32, on the disk and opened.
class OpenedModel {
 public:
  OpenedModel(const std::string& path, const testing_support::Bytes& bytes)
      : header_(gguf::parse_header(bytes, bytes.size(), path).value()) {
    testing_support::write_file(path, bytes);
    file_ = io::File::open_input(path);
    for (const gguf::Tensor& tensor : header_.tensors) {
      std::vector<std::uint64_t> shape(tensor.shape.rbegin(), tensor.shape.rend());
      weights_.stored.push_back({.name = tensor.name,
                                 .place = {0, header_.data_offset + tensor.offset, tensor.size},
                                 .type = tensor.type,
                                 .shape = shape,
                                 .scales = {}});
      weights_.sources.push_back(
          {.views = {{.stored = weights_.sources.size(), .axes = {{tensor.elements(), 1}}}},
           .values = {}});
      if (shape.size() > 1) {
        weights_.sources.back().views[0].axes = {
            {tensor.elements() / tensor.row_elements(), tensor.row_elements()},
            {tensor.row_elements(), 1}};
      }
    }
  }

  const gguf::Header& header() const { return header_; }
  calibrate::ModelSource source() const { return {header_, weights_, {&file_}}; }

 private:
  gguf::Header header_;
  weights::Weights weights_;
  io::File file_;
};

inline Request request_for(const calibrate::ModelSource& model,
                           const std::vector<TensorType>& types) {
  Request request{.model = model, .settings = {.threads = 2, .isa = best_isa()}, .memory = kMemory};
  for (std::size_t i = 0; i < model.header.tensors.size(); ++i) {
    const gguf::Tensor& tensor = model.header.tensors[i];
    if (tensor.shape.size() < 2) continue;
    Subject& subject = request.subjects.emplace_back(Subject{.tensor = i});
    for (const TensorType type : types) {
      if (tensor.row_elements() % info(type).block_elements == 0) subject.types.push_back(type);
    }
  }
  return request;
}

class Silent : public Observer {
 public:
  void progress(const Progress& progress) override { last = progress; }
  Progress last{};
};

/// The least memory, in MiB, that a refusal names, for tensors in types that they could not all have.
template <typename Measure>
std::uint64_t least_mib(Request request, const std::vector<TensorType>& more_types,
                        const Measure& measure) {
  request.memory = 1 << 20;
  for (Subject& subject : request.subjects) {
    subject.types.insert(subject.types.end(), more_types.begin(), more_types.end());
  }
  try {
    measure(request);
  } catch (const Error& error) {
    const std::string message = error.what();
    std::smatch match;
    if (std::regex_search(message, match, std::regex(R"(the least is (\d+)M)"))) {
      return std::stoull(match[1]);
    }
    ADD_FAILURE() << message;
    return 0;
  }
  ADD_FAILURE() << "not refused";
  return 0;
}

inline void expect_same(const Measurements& a, const Measurements& b) {
  EXPECT_EQ(a.divergence_per_change, b.divergence_per_change);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, measures] : a.tensors) {
    EXPECT_EQ(measures.errors, b.tensors.at(name).errors) << name;
    EXPECT_EQ(measures.gain, b.tensors.at(name).gain) << name;
  }
}

}  // namespace sluice::measure
