#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <vector>

#include "base/page_buffer.h"
#include "engine/memory_plan.h"
#include "engine/work.h"
#include "io/file.h"
#include "io/mapped_source.h"
#include "plan/plan.h"
#include "quantize/chunk.h"
#include "quantize/encoding_findings.h"
#include "quantize/strip.h"
#include "sluice/codec.h"

namespace sluice {

/// Which kernels encode, how hard they try, and whether their work is checked.
struct EncoderSettings {
  int threads = 1;
  Isa isa = Isa::portable;  ///< one of supported_isas()
  Effort effort = Effort::best;
  bool measure_error = false;
  bool verify = false;    ///< check chunks; wants measure_error
  bool via_bf16 = false;  ///< round weights to BF16 where a GGUF of 16 bits would have them so
  const std::atomic<bool>* stop = nullptr;  ///< looked at before each strip; may be null
};

/// Decodes a chunk's pieces strip by strip and encodes them. Of what is moved the weights are only
/// checked. The details of its units are Chunks; their factors are there, or the second input.
class ChunkEncoder final : public engine::Operator {
 public:
  /// \param files         the input files, for messages
  /// \param imatrix       may be null, as
  /// \param imatrix_file  which is what it reads from
  /// \param found         gets what is found out; outlives this
  /// \throws std::bad_alloc
  ChunkEncoder(const Plan& plan, std::span<const io::File> files, const ImportanceMatrix* imatrix,
               const io::MappedFile* imatrix_file, const EncoderSettings& settings,
               EncodingFindings& found);

  /// What the plan's types are prepared with, which stays.
  static std::uint64_t bytes_of_preparations(const Plan& plan, Isa isa);
  /// What a run with such chunks needs.
  static engine::MemoryNeeds memory_needs(const Plan& plan, const EncoderSettings& settings);

  /// \throws Error (input_value) naming tensor, row and column of the first NaN or infinity;
  ///         (output_damaged) naming tensor and row, where `verify` finds blocks that no right
  ///         encoder makes of these weights; (interrupted)
  void run(engine::Task& task, int worker) override;

  /// Gives out the rows of a matrix with its last columns.
  void conclude(engine::Task& task) override;

 private:
  // Buffers of one worker, allocated once.
  struct Scratch {
    PageBuffer values;      // a strip of decoded input
    PageBuffer decoded;     // the same strip after encoding; empty if error is not measured
    PageBuffer importance;  // one row
    PageBuffer blocks;      // of some columns; empty if all rows are whole
  };
  struct Findings;

  std::span<const std::byte> pass(const Strip& piece, std::span<std::byte> out, Scratch& scratch,
                                  Findings& findings) const;
  static std::uint64_t rows_at_once(const weights::Piece& piece, const Scratch& scratch);
  void encode_piece(const Strip& piece, std::span<std::byte> out, Scratch& scratch,
                    Findings& findings) const;
  void repack_piece(const Strip& piece, std::span<std::byte> out, Scratch& scratch,
                    Findings& findings) const;
  void check_moved(const Strip& piece, std::span<const std::byte> blocks, Scratch& scratch) const;
  Strip decode(const Strip& piece, std::uint64_t first_row, std::uint64_t rows, Scratch& scratch,
               Findings& findings) const;
  std::span<const float> importance_of(const weights::Piece& piece, std::uint64_t expert,
                                       Scratch& scratch) const;
  void encode(const Strip& strip, std::span<const float> importance, std::span<std::byte> out,
              Scratch& scratch, Findings& findings) const;

  const Plan& plan_;
  std::span<const io::File> files_;
  const ImportanceMatrix* imatrix_;
  const io::MappedFile* imatrix_file_;
  const EncoderSettings settings_;
  std::vector<Scratch> scratch_;
  EncodingFindings& found_;
};

}  // namespace sluice
