#include "calibrate/rates.h"
#include "measure/measuring_work.h"

namespace sluice::measure {

MeasuringTime estimate(const MeasuringWork& work, Effort effort, Isa isa, int cores) {
  calibrate::Rates rates(effort, isa, cores);
  MeasuringTime time{.forward = (work.forward + work.variants) * rates.operation(),
                     .errors = work.errors * rates.operation(),
                     .moments = work.moments * rates.operation()};
  for (const auto& [type, weights] : work.encoded) time.encoding += weights * rates.encoding(type);
  for (const auto& [type, weights] : work.decoded) time.encoding += weights * rates.decoding(type);
  for (const auto& [of, weights] : work.fed_back) {
    time.encoding += weights * rates.feedback(of.first, static_cast<double>(of.second));
  }
  return time;
}

}  // namespace sluice::measure
