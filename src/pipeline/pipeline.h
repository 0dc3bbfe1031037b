#pragma once

#include <cstdint>
#include <span>

#include "io/file.h"
#include "io/sink.h"
#include "io/source.h"
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
};

/// Carries a plan out: reads every chunk from `source`, encodes it and writes it to `sink`, header
/// first. Returns when everything is written (not yet committed).
/// \param parts  the input files, for messages
/// \throws Error, the first that any stage met
RunReport run_pipeline(const Plan& plan, const ImportanceMatrix* imatrix,
                       std::span<const io::File> parts, io::Source& source, io::Sink& sink,
                       const PipelineOptions& options, Observer& observer);

}  // namespace sluice
