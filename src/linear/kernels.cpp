#include "linear/kernels.h"

namespace sluice {

namespace portable {
const linear::Kernels& linear_kernels() noexcept;
}
namespace avx2 {
const linear::Kernels& linear_kernels() noexcept;
}
namespace avx512bw {
const linear::Kernels& linear_kernels() noexcept;
}
namespace avx512 {
const linear::Kernels& linear_kernels() noexcept;
}
namespace neon {
const linear::Kernels& linear_kernels() noexcept;
}

namespace linear {

const Kernels& kernels([[maybe_unused]] Isa isa) noexcept {
#ifdef SLUICE_HAS_avx512
  if (isa == Isa::avx512) return avx512::linear_kernels();
#endif
#ifdef SLUICE_HAS_avx512bw
  if (isa == Isa::avx512bw) return avx512bw::linear_kernels();
#endif
#ifdef SLUICE_HAS_avx2
  if (isa == Isa::avx2) return avx2::linear_kernels();
#endif
#ifdef SLUICE_HAS_neon
  if (isa == Isa::neon) return neon::linear_kernels();
#endif
#ifdef SLUICE_HAS_portable
  return portable::linear_kernels();
#else
  __builtin_unreachable();
#endif
}

}  // namespace linear
}  // namespace sluice
