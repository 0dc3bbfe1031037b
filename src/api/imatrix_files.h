#pragma once

#include "api/imatrix_run.h"
#include "calibrate/walk.h"
#include "io/sink.h"
#include "sluice/imatrix.h"

// The files that a run makes: `WORK` with the sums, which is what the format GGUF holds, `WORK.state`,
// and in the end `WORK.dat`, if it is to be the older format. As all formats are made of the same
// sums, a run may go on in another one.

namespace sluice {

/// Drops what an earlier run has left, whose files are told by the state that lies beside them.
/// \param sums  holds them against other runs
/// \throws Error (output_write)
void drop_earlier_run(const io::Sink& sums, const ImatrixRun& run);

/// Begins the sums, or goes on with what an earlier run of the same state has made of them.
/// \throws Error (resume_refused, output_open, output_no_space, output_write)
void open_sums(io::Sink& sums, calibrate::Walk& walk, const ImatrixRun& run);

/// Makes the output of sums that are all there. Only the state is left.
/// \throws Error (output_open, output_no_space, output_write, input_value)
void commit_sums(io::Sink& sums, ImatrixFormat format, const ImatrixRun& run);

}  // namespace sluice
