#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::journal {

/// What a half-made output depends on. Two runs with equal bindings make the same bytes, so the
/// second may go on where the first was.
struct Binding {
  struct Input {
    std::string path;  ///< for messages; a file may be moved
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;   ///< time of last modification, since 1970
    std::uint64_t header_hash = 0;  ///< XXH3 of the GGUF header
  };

  std::string version;             ///< of sluice
  std::vector<Input> inputs;       ///< in the order of the model's parts
  std::string imatrix;             ///< path, for messages; empty: none
  std::uint64_t imatrix_hash = 0;  ///< XXH3 of the file
  std::string options;             ///< what was asked for, in words
  std::uint64_t plan_hash = 0;     ///< XXH3 of every decision: header, types, places
  std::uint64_t output_size = 0;   ///< bytes
};

std::string to_text(const Binding& binding);

/// None if the text is not what to_text() makes.
std::optional<Binding> parse_binding(std::string_view text);

/// Says in one clause what keeps a run bound to `now` from going on with the output of `then`;
/// empty if nothing does.
std::string difference(const Binding& then, const Binding& now);

}  // namespace sluice::journal
