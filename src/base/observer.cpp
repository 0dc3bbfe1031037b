#include "sluice/observer.h"

namespace sluice {

std::string_view name(Limit limit) noexcept {
  switch (limit) {
    case Limit::disk:
      return "disk";
    case Limit::cores:
      return "cores";
    case Limit::budget:
      return "budget";
  }
  return "disk";
}

}  // namespace sluice
