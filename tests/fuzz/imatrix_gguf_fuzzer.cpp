// Importance matrices in the GGUF format, of any bytes.

#include <cstdint>
#include <span>

#include "fuzz/imatrix_promises.h"
#include "imatrix/formats.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  sluice::fuzzing::check_matrix(bytes, sluice::imatrix::index_gguf);
  return 0;
}
