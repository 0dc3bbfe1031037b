#pragma once

// A checkpoint's conversion as a run has it, but with whatever sizes of units, threads, buffers and
// sources a test wants, and a consumer that holds every result against what it may be.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "api/model_files.h"
#include "engine/stream.h"
#include "io/source.h"
#include "plan/plan.h"
#include "quantize/chunk_encoder.h"
#include "quantize/chunk_producer.h"

namespace sluice {

/// How a conversion is carried out.
struct Way {
  std::uint64_t unit_bytes = 0;  ///< or as many as the smallest unit has
  int threads = 2;
  std::size_t buffers = 1;
  IoMode io = IoMode::async;
  IntervalSet done = {};
  const std::atomic<bool>* stop = nullptr;
  bool reader_stops = true;  ///< or only the encoder does, as when everything has been read
  bool verify = false;
};

class Conversion {
 public:
  Conversion(const std::string& path, const std::string& type,
             const ImportanceMatrix* imatrix = nullptr)
      : files_(open_model(path, nullptr, "default")), imatrix_(imatrix) {
    PlanRequest request{.recipe = {}, .imatrix = imatrix};
    request.recipe.file_type = find_file_type(type);
    plan_ = make_plan(request, files_.model, files_.weights, files_.published, path);
  }

  const Plan& plan() const { return plan_; }

  /// The output's address space, of which all but headers and `done` has been made.
  std::vector<std::byte> run(const Way& way) {
    const EncoderSettings settings{.threads = way.threads,
                                   .isa = best_isa(),
                                   .measure_error = way.verify,
                                   .verify = way.verify,
                                   .stop = way.stop};
    const engine::MemoryNeeds needs = ChunkEncoder::memory_needs(plan_, settings);
    engine::MemoryPlan memory = engine::plan_memory(
        needs, engine::least_memory(needs, 0) + 6 * std::max(way.unit_bytes, plan_.band_bytes), 0);
    memory.unit_bytes =
        std::clamp(way.unit_bytes, plan_.band_bytes, std::max(plan_.band_bytes, memory.unit_bytes));
    memory.buffers = plan_.matrix_bytes > 0 ? way.buffers : 0;
    const io::OpenedSource opened = io::open_source(way.io, io::pointers_to(files_.parts));
    engine::Turns turns(false);
    Observer silent;
    engine::Monitor monitor(silent, way.threads, plan_.input_size, {});
    EncodingFindings found(plan_.tensors.size());
    ChunkEncoder encoder(plan_, files_.parts, imatrix_, nullptr, settings, found);
    ChunkProducer chunks(plan_, ChunkCursor(plan_, memory.unit_bytes, way.done), memory,
                         {*opened.source, turns, monitor});
    Output output(plan_, way.done);
    engine::stream({chunks, encoder, &output}, *opened.source, memory,
                   {.threads = way.threads, .stop = way.reader_stops ? way.stop : nullptr}, turns,
                   monitor);
    output.expect_whole();
    columns = output.columns;
    input_done = ChunkCursor::input_done(plan_, memory.unit_bytes, way.done) +
                 monitor.progress().input_bytes_done;
    read_bytes = monitor.read_bytes();
    return std::move(output.bytes);
  }

  // What the last run came to.
  std::uint64_t columns = 0;     ///< units that were columns of a matrix
  std::uint64_t input_done = 0;  ///< bytes of progress, with what was done before
  std::uint64_t read_bytes = 0;

 private:
  struct Output final : engine::Consumer {
    Output(const Plan& plan_of, IntervalSet before)
        : plan(plan_of), made(std::move(before)), bytes(plan_of.output_end(), std::byte{0xee}) {}

    void take(const engine::Task& task) override {
      const auto& chunk = static_cast<const Chunk&>(*task.unit.details);
      columns += chunk.band.matrix ? 1 : 0;
      for (const engine::Result& result : task.results) {
        const PlannedTensor& tensor = plan.tensors.at(result.tensor);
        const std::uint64_t end = tensor.output_offset + tensor.output_size;
        ASSERT_GE(result.output.begin, tensor.output_offset);
        ASSERT_LE(result.output.begin + result.bytes.size(), end);
        ASSERT_LE(result.output.end, end + tensor.output_padding);
        std::fill(bytes.begin() + offset(result.output.begin),
                  bytes.begin() + offset(result.output.end), std::byte{});
        std::ranges::copy(result.bytes, bytes.begin() + offset(result.output.begin));
        made.add(result.output);
      }
    }
    void settle() override {}
    void finish() override {}
    void save() noexcept override {}

    static std::ptrdiff_t offset(std::uint64_t at) { return static_cast<std::ptrdiff_t>(at); }

    void expect_whole() const {
      for (const PlannedTensor& tensor : plan.tensors) {
        EXPECT_TRUE(made.contains({tensor.output_offset, tensor.output_offset + tensor.output_size +
                                                             tensor.output_padding}))
            << tensor.name;
      }
    }

    const Plan& plan;
    IntervalSet made;
    std::vector<std::byte> bytes;
    std::uint64_t columns = 0;
  };

  ModelFiles files_;
  const ImportanceMatrix* imatrix_;
  Plan plan_;
};

/// A tensor's bytes of an output.
inline std::span<const std::byte> tensor_bytes(const Plan& plan, std::size_t tensor,
                                               std::span<const std::byte> output) {
  return output.subspan(plan.tensors[tensor].output_offset, plan.tensors[tensor].output_size);
}

}  // namespace sluice
