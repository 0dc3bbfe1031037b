#pragma once

// JSON that anybody may have written, of which pieces are kept as trees: files may have tens of
// megabytes, and most of them is kept in another form than JSON's.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_events.h"

namespace sluice {

/// What to do with a value when it begins: look at those within it, keep it as a piece, or skip it.
enum class JsonPiece { enter, keep, skip };

/// Whoever reads a JSON text in pieces.
class JsonPieceReader {
 public:
  virtual ~JsonPieceReader() = default;
  virtual JsonPiece at(JsonPath path) = 0;
  /// A piece that was to be kept. What `enter` said of a value that has none within comes here too.
  virtual void take(JsonPath path, Json value) = 0;
};

/// \param file  the name for messages
/// \throws Error (input_format) as read_json does, or if a piece has more than 262144 values; and
///         what the reader throws
void read_pieces(std::string_view text, const std::string& file, JsonPieceReader& reader);

/// A small file as one piece. Of a key that stands twice the last value counts.
Json parse_json(std::string_view text, const std::string& file);

/// A small file of which the root is an object.
Json parse_json_object(std::string_view text, const std::string& file);

/// What an object has under a key, or null: for anything that is no object too.
const Json& at_key(const Json& value, const char* key);

/// A text, a truth value, or a number that is whole and not negative; nothing for anything else.
std::optional<std::string> as_text(const Json& value);
std::optional<bool> as_flag(const Json& value);
std::optional<std::uint64_t> as_whole(const Json& value);

}  // namespace sluice
