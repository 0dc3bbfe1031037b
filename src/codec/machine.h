#pragma once

// Which instruction sets this machine has, by the names of Isa. It stands by itself: CMake compiles
// it alone to find the best (SLUICE_KERNELS=native).

namespace sluice::machine {

inline bool portable() noexcept {
  return true;
}

#ifdef __x86_64__

/// F16C too, which is older, and which compilers do not all know how to ask for.
inline bool avx2() noexcept {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("fma");
}

/// What Skylake-X and all later ones have.
inline bool avx512bw() noexcept {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("fma");
}

/// What Ice Lake, Zen 4 and all later ones have.
inline bool avx512() noexcept {
  return avx512bw() && __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vnni");
}

#else

inline bool avx2() noexcept {
  return false;
}
inline bool avx512bw() noexcept {
  return false;
}
inline bool avx512() noexcept {
  return false;
}

#endif

/// What every machine with a 64-bit ARM processor has.
inline bool neon() noexcept {
#ifdef __aarch64__
  return true;
#else
  return false;
#endif
}

/// The name of the best.
inline const char* best() noexcept {
  return avx512()     ? "avx512"
         : avx512bw() ? "avx512bw"
         : avx2()     ? "avx2"
         : neon()     ? "neon"
                      : "portable";
}

}  // namespace sluice::machine
