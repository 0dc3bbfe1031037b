#include "weights/stored.h"

#include <functional>
#include <numeric>

namespace sluice::weights {

std::uint64_t Stored::elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

std::uint64_t Stored::row_bytes() const {
  switch (coding) {
    case Coding::typed:
      return byte_size(type, columns());
    case Coding::words4:
      return (columns() + 7) / 8 * 4;
    case Coding::words8:
      return (columns() + 3) / 4 * 4;
    case Coding::mxfp4:
      return columns() / 2;
    case Coding::f8_e4m3:
    case Coding::f8_e5m2:
    case Coding::int8:
      return columns();
  }
  return 0;
}

}  // namespace sluice::weights
