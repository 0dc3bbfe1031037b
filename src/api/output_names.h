#pragma once

#include <span>
#include <string>
#include <vector>

#include "io/sink.h"
#include "plan/output_layout.h"
#include "sluice/quantize.h"

namespace sluice {

/// What the output's files are called.
struct OutputNames {
  std::string work_path;  ///< of the first while it grows, see io::Sink; the journal lies beside it
  std::vector<io::SinkPart> parts;
};

/// The working name does not tell the number of parts, so that runs which make the same output in
/// other parts meet.
OutputNames names_of(const QuantizeOptions& options, std::span<const OutputPart> parts);

/// What several runs that make a part of the output each tell one another in.
std::string record_file(const QuantizeOptions& options);

/// The files that stay beside the output and look like another of the same name, split in another
/// way: a name for a split model leads to one or the other. By their names, without folder.
/// \param inputs  names of files that are known not to be
std::vector<std::string> outputs_beside(const std::string& output, const OutputNames& names,
                                        std::span<const std::string> inputs);

/// How the output is split, in words that follow others: ", by ..."; empty if it is not.
std::string split_text(const SplitOptions& split);

}  // namespace sluice
