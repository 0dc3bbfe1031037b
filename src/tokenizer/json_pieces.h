#pragma once

// JSON that anybody may have written, read piece by piece: tokenizer.json has up to 33 MB, of which
// the vocabulary and the merges are kept in another form than JSON's.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sluice/error.h"

namespace sluice::tokenizer {

using Json = nlohmann::json;

/// A step on the way to a value: into an object, by a key, or into an array.
struct JsonStep {
  bool into_array = false;
  std::string key = {};

  bool operator==(std::string_view name) const { return !into_array && key == name; }
};
using JsonPath = std::span<const JsonStep>;

/// What to do with a value when it begins: look at those within it, keep it as a piece, or skip it.
enum class Piece { enter, keep, skip };

/// Whoever reads a JSON text in pieces.
class PieceReader {
 public:
  virtual ~PieceReader() = default;
  virtual Piece at(JsonPath path) = 0;
  /// A piece that was to be kept. What `enter` said of a value that has none within comes here too.
  virtual void take(JsonPath path, Json value) = 0;
};

/// \param file  the name for messages
/// \throws Error (input_format) with the byte's offset: no JSON, nested more than 64 deep, or a piece
///         of more than 262144 values; and what the reader throws.
void read_pieces(std::string_view text, const std::string& file, PieceReader& reader);

/// A small file as one piece.
Json parse_json(std::string_view text, const std::string& file);

/// What an object has under a key, or null: for anything that is no object too.
const Json& at_key(const Json& value, const char* key);

/// A text, a truth value, or a number that can be an id; nothing for anything else.
std::optional<std::string> as_text(const Json& value);
std::optional<bool> as_flag(const Json& value);
std::optional<std::uint64_t> as_id(const Json& value);

inline constexpr const char* kBrokenFile =
    "The file is incomplete or damaged: download it again from where the checkpoint was published";

[[noreturn]] void fail(const std::string& file, const std::string& message,
                       std::string cure = kBrokenFile);

}  // namespace sluice::tokenizer
