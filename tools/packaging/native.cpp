// Compiled and run by CMake for SLUICE_KERNELS=native: prints the instruction set to build for.
#include <cstdio>

#include "codec/machine.h"

int main() {
  std::puts(sluice::machine::best());
}
