#include "tokenizer/json_pieces.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace sluice::tokenizer {
namespace {

constexpr std::size_t kDeepestJson = 64;
constexpr std::size_t kMostValues = 1 << 18;

/// Hands the events of nlohmann's parser on as pieces. The parser itself does not recurse.
class PieceBuilder : public nlohmann::json_sax<Json> {
 public:
  PieceBuilder(const std::string& file, PieceReader& reader) : file_(file), reader_(reader) {}

  bool null() override { return scalar(nullptr); }
  bool boolean(bool v) override { return scalar(v); }
  bool number_integer(number_integer_t v) override { return scalar(v); }
  bool number_unsigned(number_unsigned_t v) override { return scalar(v); }
  bool number_float(number_float_t v, const string_t& /*text*/) override { return scalar(v); }
  bool string(string_t& v) override { return scalar(std::move(v)); }
  bool binary(binary_t& /*v*/) override { return false; }  // JSON has none
  bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    path_.back().key.swap(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const Json::exception& /*error*/) override {
    throw Error(ErrorCode::input_format, "is no JSON text",
                {.file = file_, .offset = position, .cure = kBrokenFile});
  }

 private:
  template <class Value>
  bool scalar(Value&& value) {
    if (skipped_ > 0) return true;
    if (!open_.empty()) {
      add(std::forward<Value>(value));
    } else if (reader_.at(path_) != Piece::skip) {
      reader_.take(path_, Json(std::forward<Value>(value)));
    }
    return true;
  }

  bool open(Json container) {
    if (path_.size() == kDeepestJson) {
      fail(file_, fmt::format("values are nested more than {} deep", kDeepestJson));
    }
    const bool into_array = container.is_array();
    if (skipped_ > 0) {
      ++skipped_;
    } else if (!open_.empty()) {
      open_.push_back(&add(std::move(container)));
    } else {
      const Piece piece = reader_.at(path_);
      if (piece == Piece::skip) skipped_ = 1;
      if (piece == Piece::keep) {
        piece_ = std::move(container);
        values_ = 0;
        open_.push_back(&piece_);
      }
    }
    path_.push_back({into_array});
    return true;
  }

  bool close() {
    path_.pop_back();
    if (skipped_ > 0) {
      --skipped_;
    } else if (!open_.empty()) {
      open_.pop_back();
      if (open_.empty()) reader_.take(path_, std::exchange(piece_, nullptr));
    }
    return true;
  }

  /// Adds a value to the innermost container that is open.
  Json& add(Json value) {
    if (++values_ > kMostValues) {
      fail(file_, fmt::format("a list of settings has more than {} values", kMostValues));
    }
    Json& parent = *open_.back();
    if (parent.is_array()) return parent.emplace_back(std::move(value));
    return parent[path_.back().key] = std::move(value);
  }

  const std::string& file_;
  PieceReader& reader_;
  std::vector<JsonStep> path_;  // to the value that comes next
  std::size_t skipped_ = 0;     // containers that are open within a value that is skipped
  Json piece_;
  std::vector<Json*> open_;  // containers of the piece that are open
  std::size_t values_ = 0;   // of the piece
};

class WholeFile : public PieceReader {
 public:
  Piece at(JsonPath /*path*/) override { return Piece::keep; }
  void take(JsonPath /*path*/, Json value) override { whole = std::move(value); }

  Json whole;
};

}  // namespace

void read_pieces(std::string_view text, const std::string& file, PieceReader& reader) {
  PieceBuilder builder(file, reader);
  Json::sax_parse(text.data(), text.data() + text.size(), &builder);
}

Json parse_json(std::string_view text, const std::string& file) {
  WholeFile reader;
  read_pieces(text, file, reader);
  return std::move(reader.whole);
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

std::optional<std::uint64_t> as_id(const Json& value) {
  return value.is_number_unsigned() ? std::optional(value.get<std::uint64_t>()) : std::nullopt;
}

void fail(const std::string& file, const std::string& message, std::string cure) {
  throw Error(ErrorCode::input_format, message, {.file = file, .cure = std::move(cure)});
}

}  // namespace sluice::tokenizer
