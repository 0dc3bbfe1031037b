#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"

namespace sluice::journal {

/// What a half-made output depends on. Two runs with equal bindings make the same bytes, so the
/// second may go on where the first was.
struct Binding {
  struct Input {
    std::string path;  ///< as given; a file may be moved
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;   ///< time of last modification, since 1970
    std::int64_t changed_ns = 0;    ///< of that or of its name, rights, times; no program sets it
    std::uint64_t header_hash = 0;  ///< XXH3 of the GGUF header
    std::uint64_t sample_hash = 0;  ///< XXH3 of samples at fixed places; 0: the ETag says more
    std::string etag = {};          ///< the server's name of a remote file's content
  };

  std::string version;                    ///< of sluice
  std::vector<Input> inputs;              ///< in the order of the model's parts
  std::optional<Input> imatrix;           ///< none: made without
  std::string options;                    ///< what was asked for, in words
  std::uint64_t plan_hash = 0;            ///< XXH3 of every decision: header, types, places
  std::vector<std::uint64_t> part_sizes;  ///< bytes of each of the output's files
};

/// Describes an input by its times and `samples` pieces of it, evenly spread; a remote one by its
/// ETag, and by samples only if that is none that changes with every byte.
/// \throws Error (input_read)
Binding::Input input_of(const io::File& file, std::uint64_t header_hash, std::size_t samples);

std::string to_text(const Binding& binding);

/// None if the text is not what to_text() makes.
std::optional<Binding> parse_binding(std::string_view text);

/// What keeps a run from going on with what another left.
struct Difference {
  std::string text;         ///< one clause; empty: nothing does
  bool times_only = false;  ///< sizes, headers and samples are the same: it may be a copy
};

/// What keeps a run bound to `now` from going on with the output of `then`.
/// \param same_input  believe sizes, headers and samples, whatever the times
Difference difference(const Binding& then, const Binding& now, bool same_input = false);

}  // namespace sluice::journal
