#include "calibrate/second_stream.h"

#include <algorithm>

#include "base/page_buffer.h"

namespace sluice::calibrate {

model::Tokens each_twice(const model::Tokens& tokens) {
  model::Tokens twice{.ids = {}, .sequence_length = tokens.sequence_length};
  const auto length = static_cast<std::ptrdiff_t>(tokens.sequence_length);
  for (auto at = tokens.ids.begin(); at != tokens.ids.end(); at += length) {
    for (int i = 0; i < 2; ++i) twice.ids.insert(twice.ids.end(), at, at + length);
  }
  return twice;
}

void embed_second(const model::Network& network, const model::Tokens& tokens,
                  model::WeightStore& weights, const linear::Matrix& stream,
                  const model::RunSettings& settings, Team& team) {
  const std::uint64_t length = tokens.sequence_length;
  model::Tokens second{.ids = {}, .sequence_length = length};
  std::vector<std::size_t> rows;
  for (std::size_t t = 0; t < tokens.ids.size(); ++t) {
    if (!is_second(t, length)) continue;
    second.ids.push_back(tokens.ids[t]);
    rows.push_back(t);
  }
  const PageBuffer pages(rows.size() * stream.columns * sizeof(float));
  const linear::Matrix own = {reinterpret_cast<float*>(pages.bytes().data()), rows.size(),
                              stream.columns, stream.columns};
  network.embed(second, weights, own, settings, team);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(own.row(i), own.columns, stream.row(rows[i]));
  }
}

}  // namespace sluice::calibrate
