#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include "codec/error_sums.h"
#include "engine/memory_plan.h"
#include "engine/work.h"
#include "io/file.h"
#include "io/mapped_source.h"
#include "plan/plan.h"
#include "sluice/codec.h"

namespace sluice {

/// Which kernels encode, how hard they try, and whether their work is checked.
struct EncoderSettings {
  int threads = 1;
  Isa isa = Isa::portable;  ///< one of supported_isas()
  Effort effort = Effort::best;
  bool measure_error = false;
  bool verify = false;                      ///< check chunks; wants measure_error
  const std::atomic<bool>* stop = nullptr;  ///< looked at before each strip; may be null
};

/// A tensor's errors so far.
struct EncodingErrors {
  ErrorSums plain{};
  ErrorSums weighted{};  ///< with the importances, where they are known
};

/// Decodes a chunk's input strip by strip and encodes it. Of a tensor that is copied the input is
/// only checked.
class ChunkEncoder final : public engine::Operator {
 public:
  /// \param files         the input files, for messages
  /// \param imatrix       may be null, as
  /// \param imatrix_file  which is what it reads from
  ChunkEncoder(const Plan& plan, std::span<const io::File> files, const ImportanceMatrix* imatrix,
               const io::MappedFile* imatrix_file, const EncoderSettings& settings);

  /// Input and output, and what a worker allocates.
  static engine::MemoryNeeds memory_needs(const Plan& plan, const EncoderSettings& settings);

  /// \throws Error (input_value) naming tensor, row and column of the first NaN or infinity;
  ///         (output_damaged) naming tensor and row, where `verify` finds blocks that no right
  ///         encoder makes of these weights; (interrupted)
  void run(engine::Task& task, int worker) override;

  EncodingErrors errors(std::size_t tensor) const {
    const std::lock_guard lock(mutex_);
    return errors_[tensor];
  }

 private:
  // Buffers of one worker, allocated once.
  struct Scratch {
    std::vector<float> values;      // a strip of decoded input
    std::vector<float> decoded;     // the same strip after encoding; empty if error is not measured
    std::vector<float> importance;  // one row
  };
  struct Strip;

  std::span<const float> importance_of(const engine::Unit& chunk, Scratch& scratch) const;
  void encode(const Strip& strip, std::span<const float> importance, std::byte* blocks,
              Scratch& scratch, EncodingErrors& errors) const;
  void verify_rows(const Strip& strip, std::span<const float> decoded,
                   std::span<const float> importance, const std::byte* blocks) const;

  const Plan& plan_;
  std::span<const io::File> files_;
  const ImportanceMatrix* imatrix_;
  const io::MappedFile* imatrix_file_;
  const EncoderSettings settings_;
  std::vector<Scratch> scratch_;
  mutable std::mutex mutex_;
  std::vector<EncodingErrors> errors_;
};

}  // namespace sluice
