#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "io/file.h"
#include "io/mapped_source.h"
#include "io/sink.h"
#include "io/source.h"
#include "journal/journal.h"
#include "plan/plan.h"
#include "sluice/codec.h"
#include "sluice/observer.h"

namespace sluice {

struct PipelineOptions {
  int threads = 1;           ///< compute workers
  std::uint64_t memory = 0;  ///< byte budget for everything
  Isa isa = Isa::portable;   ///< one of supported_isas()
  Effort effort = Effort::best;
  bool measure_error = false;
  bool verify = false;          ///< check chunks before they are written; wants measure_error
  bool shared_spindle = false;  ///< reads and writes take turns
  double checkpoint_s = 4;      ///< most time between two checkpoints
  std::string trace;            ///< file to write a Chrome trace to; empty: none
  const io::MappedFile* imatrix_file = nullptr;  ///< what the importance matrix reads from
  const std::atomic<bool>* stop = nullptr;  ///< set to true by another thread or a signal: stop
};

/// Carries a plan out: reads every chunk from `source`, encodes it and writes it to `sink`, header
/// first, but for what an earlier run has done. Returns when everything is written (not yet
/// committed).
/// \param parts    the input files, for messages
/// \param journal  is told what is safely on the disk
/// \param done     what the journal knows already
/// \throws Error, the first that any stage met; what was made until then is kept if there is a
///         checkpoint
RunReport run_pipeline(const Plan& plan, const ImportanceMatrix* imatrix,
                       std::span<const io::File> parts, io::Source& source, io::Sink& sink,
                       journal::Journal& journal, std::span<const journal::Record> done,
                       const PipelineOptions& options, Observer& observer);

}  // namespace sluice
