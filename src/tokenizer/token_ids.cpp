#include "tokenizer/token_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "sluice/error.h"

namespace sluice::tokenizer {

std::vector<std::int32_t> read_token_ids(std::string_view text, std::uint64_t vocabulary,
                                         const std::string& file) {
  constexpr std::string_view kBetween = " \t\r\n,[]";
  std::vector<std::int32_t> ids;
  for (std::size_t at = text.find_first_not_of(kBetween); at < text.size();
       at = text.find_first_not_of(kBetween, at)) {
    const std::size_t end = std::min(text.find_first_of(kBetween, at), text.size());
    const std::string_view word = text.substr(at, end - at);
    std::int32_t id = -1;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || stop != word.data() + word.size() || id < 0 ||
        static_cast<std::uint64_t>(id) >= vocabulary) {
      throw Error(
          ErrorCode::input_format,
          fmt::format("'{}' is no token of this model, which has {}", printable(word), vocabulary),
          {.file = file,
           .offset = at,
           .cure = "Give ids that this model's tokenizer made, from 0 on, with spaces or "
                   "commas between"});
    }
    ids.push_back(id);
    at = end;
  }
  return ids;
}

}  // namespace sluice::tokenizer
