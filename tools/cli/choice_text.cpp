#include "choice_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sluice/amounts.h"
#include "text.h"

namespace sluice::cli {

std::string choice_text(const MixChoice& choice) {
  std::string text = fmt::format("foretold divergence {:.3g} nats, measured {}", choice.divergence,
                                 printable(choice.measured));
  const auto apart = [&](const MixPoint& mix) {
    return std::abs(std::log(static_cast<double>(mix.bytes) / static_cast<double>(choice.bytes)));
  };
  const auto nearest = std::ranges::min_element(choice.mixes, {}, apart);
  if (nearest == choice.mixes.end()) return text;
  return text + fmt::format("; {}: {:.3g} in {}", nearest->name, nearest->divergence,
                            bytes_text(static_cast<double>(nearest->bytes)));
}

}  // namespace sluice::cli
