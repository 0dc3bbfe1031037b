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

Limit largest_wait(double disk, double cores, double budget) noexcept {
  if (cores >= disk && cores >= budget) return Limit::cores;
  return disk >= budget ? Limit::disk : Limit::budget;
}

}  // namespace sluice
