#include "calibrate/rates.h"
#include "measure/measuring_work.h"

namespace sluice::measure {

MeasuringTime estimate(const MeasuringWork& work, Effort effort, Isa isa, int cores) {
  calibrate::Rates rates(effort, isa, cores);
  const auto seconds_of = [&](const Products& products) {
    return products.operations * rates.operation() + products.numbers * rates.number();
  };
  MeasuringTime time{.forward = seconds_of(work.forward) + seconds_of(work.variants),
                     .errors = seconds_of(work.errors),
                     .moments = work.moments * rates.operation()};
  if (work.attended > 0) time.forward += work.attended * rates.attention(work.sequence_length);
  for (const auto& [type, weights] : work.encoded) time.encoding += weights * rates.encoding(type);
  for (const auto& [type, weights] : work.decoded) time.encoding += weights * rates.decoding(type);
  for (const auto& [of, weights] : work.fed_back) {
    time.encoding += weights * rates.feedback(of.first, static_cast<double>(of.second));
  }
  const double delay = rates.delay();
  for (double* part : {&time.forward, &time.encoding, &time.errors, &time.moments}) {
    *part *= delay;
  }
  return time;
}

}  // namespace sluice::measure
