#include <array>

#include "codec/types.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

#define SLUICE_DECLARE(type) Codec codec_##type() noexcept;
SLUICE_CODEC_TYPES(SLUICE_DECLARE)

std::span<const Codec> codec_table() noexcept {
#define SLUICE_ROW(type) codec_##type(),
  static const std::array kCodecs = {SLUICE_CODEC_TYPES(SLUICE_ROW)};
  return kCodecs;
}

}  // namespace sluice::inline SLUICE_ISA
