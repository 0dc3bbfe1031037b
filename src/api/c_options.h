#pragma once

#include <string>
#include <string_view>

#include "sluice/quantize.h"
#include "sluice/sluice.h"
#include "sluice/verify.h"

/// The options of the C interface, which are those of all its functions.
struct sluice_options {
  sluice::QuantizeOptions quantize;
  std::string against;

  /// What of it concerns a check.
  sluice::VerifyOptions verify() const;
};

namespace sluice {

/// Sets an option from texts, as include/sluice/sluice.h has them.
/// \throws Error (usage)
void set_option(sluice_options& options, std::string_view name, std::string_view value);

}  // namespace sluice
