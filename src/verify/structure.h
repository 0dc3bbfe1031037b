#pragma once

#include "io/file.h"
#include "sluice/gguf.h"
#include "verify/findings.h"

namespace sluice {

/// Checks what parsing a header leaves open, as strictly as llama.cpp reads: tensors follow one
/// another in the header's order without gaps, all padding is there and zero, and the file ends
/// with the last tensor's. \throws Error (input_read)
void check_structure(const io::File& file, const gguf::Header& header, FindingList& findings);

}  // namespace sluice
