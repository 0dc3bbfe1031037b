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

double share_done(const Progress& progress) noexcept {
  if (progress.input_bytes == 0) return 1;
  return static_cast<double>(progress.input_bytes_done) / static_cast<double>(progress.input_bytes);
}

}  // namespace sluice
