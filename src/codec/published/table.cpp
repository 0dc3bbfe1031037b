#include <type_traits>

#include "codec/published.h"

namespace sluice::inline SLUICE_ISA {

std::remove_pointer_t<DecodeCodesFunction> decode_f8_e4m3, decode_f8_e5m2, decode_int8,
    decode_words4, decode_words8, decode_mxfp4_codes;

const CodeDecoders& published_table() noexcept {
  static constexpr CodeDecoders kDecoders = {.f8_e4m3 = decode_f8_e4m3,
                                             .f8_e5m2 = decode_f8_e5m2,
                                             .int8 = decode_int8,
                                             .words4 = decode_words4,
                                             .words8 = decode_words8,
                                             .mxfp4 = decode_mxfp4_codes};
  return kDecoders;
}

}  // namespace sluice::inline SLUICE_ISA
