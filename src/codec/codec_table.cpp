#include <algorithm>
#include <array>

#include "codec/f32/f32.h"
#include "sluice/codec.h"

namespace sluice {
namespace {

// One row a type, by number. A null encoder: the type is only read.
constexpr std::array kCodecs = {
    Codec{TensorType::f32, decode_f32, encode_f32},
};

}  // namespace

std::span<const Codec> codecs() noexcept {
  return kCodecs;
}

const Codec* find_codec(TensorType type) noexcept {
  const auto it = std::find_if(kCodecs.begin(), kCodecs.end(),
                               [&](const Codec& codec) { return codec.type == type; });
  return it == kCodecs.end() ? nullptr : &*it;
}

}  // namespace sluice
