#pragma once

#include <cstddef>
#include <set>

#include "sluice/codec.h"

namespace sluice {

/// Of a type whose encoder and error feedback want more than their calls: a codebook in the order in which
/// it is searched, which is the same for all threads and stays.
struct Preparation {
  TensorType type;
  std::size_t bytes;  ///< that stay
  /// Makes it unless it is there. False: there is no memory for it, now. What was not prepared is made
  /// with the first call, which ends the program where it cannot.
  bool (*prepare)() noexcept;
};

/// Bytes that stay of what a type's codec is prepared with; of most types none.
std::size_t prepared_bytes(TensorType type, Isa isa = best_isa()) noexcept;
/// The same of all of these.
std::size_t prepared_bytes(const std::set<TensorType>& types, Isa isa = best_isa()) noexcept;

/// The codec of a type, prepared.
/// \pre the type has a codec, and `isa` is one of supported_isas()
/// \throws std::bad_alloc
const Codec& prepared_codec(TensorType type, Isa isa = best_isa());

}  // namespace sluice
