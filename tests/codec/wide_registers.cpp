// Legacy and k-quants once more, for registers of 32 bytes, which the compiler makes of what the
// machine has.

#undef SLUICE_ISA
#define SLUICE_ISA wide
#define SLUICE_REGISTER_BYTES 32

// Nothing that returns such a register is called from elsewhere.
#pragma GCC diagnostic ignored "-Wpsabi"

#include "codec/k_quants/q2_k.cpp"
#include "codec/k_quants/q3_k.cpp"
#include "codec/k_quants/q4_k.cpp"
#include "codec/k_quants/q5_k.cpp"
#include "codec/k_quants/q6_k.cpp"
#include "codec/legacy/q4_0.cpp"
#include "codec/legacy/q4_1.cpp"
#include "codec/legacy/q5_0.cpp"
#include "codec/legacy/q5_1.cpp"
#include "codec/legacy/q6_0.cpp"
#include "codec/legacy/q8_0.cpp"
