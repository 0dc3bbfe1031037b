// Encodes the same 8 super-blocks so many times: encode_rows TYPE best|fast ISA TIMES. What it does
// beside is the same for each number of times.

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "rows.h"
#include "sluice/codec.h"

int main(int count, char** words) {
  using namespace sluice;
  if (count != 5) return 2;
  const auto& isas = supported_isas();
  const auto isa =
      std::ranges::find(isas, std::string_view(words[3]), [](Isa each) { return name(each); });
  if (isa == isas.end()) return 2;
  const auto all = codecs(*isa);
  const auto codec = std::ranges::find(all, std::string_view(words[1]),
                                       [](const Codec& each) { return name(each.type); });
  if (codec == all.end() || codec->encode == nullptr) return 2;
  constexpr std::size_t kElements = 2048;
  const EncodeRows few = {
      .values = bench::rows().values.data(),
      .rows = info(codec->type).rows,
      .row_elements = kElements,
      .importance = bench::rows().importance.data(),
      .effort = std::string_view(words[2]) == "fast" ? Effort::fast : Effort::best};
  std::vector<std::byte> blocks(few.rows * row_size(codec->type, kElements));
  for (int times = std::atoi(words[4]); times > 0; --times) codec->encode(few, blocks.data());
}
