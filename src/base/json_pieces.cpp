#include "base/json_pieces.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "sluice/error.h"

namespace sluice {
namespace {

constexpr std::size_t kMostValues = 1 << 18;

/// Makes pieces of events.
class PieceBuilder : public JsonEvents {
 public:
  PieceBuilder(const std::string& file, JsonPieceReader& reader)
      : JsonEvents(file), reader_(reader) {}

 private:
  void scalar(Json value) override {
    if (skipped_ > 0) return;
    if (!open_.empty()) {
      add(std::move(value), path());
    } else if (reader_.at(path()) != JsonPiece::skip) {
      reader_.take(path(), std::move(value));
    }
  }

  void opened(bool object) override {
    Json container = object ? Json::object() : Json::array();
    const JsonPath outside = path().first(depth() - 1);
    if (skipped_ > 0) {
      ++skipped_;
    } else if (!open_.empty()) {
      open_.push_back(&add(std::move(container), outside));
    } else {
      const JsonPiece piece = reader_.at(outside);
      if (piece == JsonPiece::skip) skipped_ = 1;
      if (piece == JsonPiece::keep) {
        piece_ = std::move(container);
        values_ = 0;
        open_.push_back(&piece_);
      }
    }
  }

  void closed() override {
    if (skipped_ > 0) {
      --skipped_;
    } else if (!open_.empty()) {
      open_.pop_back();
      if (open_.empty()) reader_.take(path().first(depth() - 1), std::exchange(piece_, nullptr));
    }
  }

  /// Adds a value to the innermost container of the piece that is open.
  Json& add(Json value, JsonPath at) {
    if (++values_ > kMostValues) {
      throw Error(ErrorCode::input_format,
                  fmt::format("a list of settings has more than {} values", kMostValues),
                  {.file = file(), .cure = kBrokenFile});
    }
    Json& parent = *open_.back();
    if (parent.is_array()) return parent.emplace_back(std::move(value));
    return parent[at.back().key] = std::move(value);
  }

  JsonPieceReader& reader_;
  std::size_t skipped_ = 0;  // containers that are open within a value that is skipped
  Json piece_;
  std::vector<Json*> open_;  // containers of the piece that are open
  std::size_t values_ = 0;   // of the piece
};

class WholeFile : public JsonPieceReader {
 public:
  JsonPiece at(JsonPath /*path*/) override { return JsonPiece::keep; }
  void take(JsonPath /*path*/, Json value) override { whole = std::move(value); }

  Json whole;
};

}  // namespace

void read_pieces(std::string_view text, const std::string& file, JsonPieceReader& reader) {
  PieceBuilder builder(file, reader);
  read_json(text, builder);
}

Json parse_json(std::string_view text, const std::string& file) {
  WholeFile reader;
  read_pieces(text, file, reader);
  return std::move(reader.whole);
}

Json parse_json_object(std::string_view text, const std::string& file) {
  Json json = parse_json(text, file);
  if (json.is_object()) return json;
  throw Error(ErrorCode::input_format, "is no JSON object", {.file = file, .cure = kBrokenFile});
}

const Json& at_key(const Json& value, const char* key) {
  static const Json kNull;
  const auto found = value.is_object() ? value.find(key) : value.end();
  return found == value.end() ? kNull : *found;
}

std::optional<std::string> as_text(const Json& value) {
  return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
}

std::optional<bool> as_flag(const Json& value) {
  return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
}

std::optional<std::uint64_t> as_whole(const Json& value) {
  return value.is_number_unsigned() ? std::optional(value.get<std::uint64_t>()) : std::nullopt;
}

}  // namespace sluice
