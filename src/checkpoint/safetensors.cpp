#include "checkpoint/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "base/checked.h"
#include "base/json_pieces.h"
#include "base/text.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;
  unsigned bits;
};

constexpr std::array kDtypes = {
    DtypeInfo{Dtype::f64, "F64", 64},        DtypeInfo{Dtype::i64, "I64", 64},
    DtypeInfo{Dtype::u64, "U64", 64},        DtypeInfo{Dtype::c64, "C64", 64},
    DtypeInfo{Dtype::f32, "F32", 32},        DtypeInfo{Dtype::i32, "I32", 32},
    DtypeInfo{Dtype::u32, "U32", 32},        DtypeInfo{Dtype::f16, "F16", 16},
    DtypeInfo{Dtype::bf16, "BF16", 16},      DtypeInfo{Dtype::i16, "I16", 16},
    DtypeInfo{Dtype::u16, "U16", 16},        DtypeInfo{Dtype::f8_e4m3, "F8_E4M3", 8},
    DtypeInfo{Dtype::f8_e5m2, "F8_E5M2", 8}, DtypeInfo{Dtype::f8_e8m0, "F8_E8M0", 8},
    DtypeInfo{Dtype::boolean, "BOOL", 8},    DtypeInfo{Dtype::u8, "U8", 8},
    DtypeInfo{Dtype::i8, "I8", 8},           DtypeInfo{Dtype::f6_e2m3, "F6_E2M3", 6},
    DtypeInfo{Dtype::f6_e3m2, "F6_E3M2", 6}, DtypeInfo{Dtype::f4, "F4", 4},
};

// A dtype's value is its place in the table.
static_assert([] {
  for (std::size_t i = 0; i < kDtypes.size(); ++i) {
    if (kDtypes[i].dtype != static_cast<Dtype>(i)) return false;
  }
  return true;
}());

// Bounds as in the format's own reader; real headers have some MB at most.
constexpr std::uint64_t kLongestSafetensorsHeader = 100'000'000;

constexpr const char* kDownloadAgain =
    "The file is incomplete or damaged: download it again, and compare its size and checksum";

[[noreturn]] void refuse_header(ErrorCode code, const std::string& file, std::string_view tensor,
                                const std::string& message) {
  throw Error(code, message, {.file = file, .tensor = printable(tensor), .cure = kDownloadAgain});
}

/// Takes tensors out of a header's JSON as it is read: a DOM would keep the last of two tensors of
/// one name in silence.
class HeaderEvents : public JsonEvents {
 public:
  HeaderEvents(const std::string& file, std::vector<Entry>& entries)
      : JsonEvents(file, kDownloadAgain, kLengthBytes), entries_(entries) {}

 private:
  static constexpr std::string_view kMetadata = "__metadata__";

  void opened(bool object) override {
    if (depth() == 1 && !object) refuse("the header is no JSON object");
    if (depth() == 2) {
      if (!object) refuse("the description of a tensor is no object");
      if (at(1) != kMetadata) begin_entry();
    } else if (depth() == 3) {
      if (at(1) == kMetadata) refuse("a value of __metadata__ is no text");
      if (!object && at(2) == "shape") numbers_ = &shape_.emplace();
      if (!object && at(2) == "data_offsets") numbers_ = &range_.emplace();
    } else if (depth() > 3 && numbers_ != nullptr) {
      refuse(fmt::format("'{}' is no list of numbers", at(2)));
    }
  }

  void closed() override {
    if (depth() == 3) numbers_ = nullptr;
    if (depth() == 2 && at(1) != kMetadata) end_entry();
  }

  void named() override {
    if (depth() == 1 && !names_.insert(at(1)).second) {
      refuse_header(ErrorCode::input_format, file(), at(1), "the header has this name twice");
    }
    if (depth() != 2 || at(1) == kMetadata) return;
    if ((at(2) == "dtype" && dtype_) || (at(2) == "shape" && shape_) ||
        (at(2) == "data_offsets" && range_)) {
      refuse(fmt::format("'{}' is given twice", at(2)));
    }
  }

  void scalar(Json value) override {
    if (depth() == 0) refuse("the header is no JSON object");
    if (depth() == 1) refuse("the description of a tensor is no object");
    if (at(1) == kMetadata) {
      if (!value.is_string()) refuse("a value of __metadata__ is no text");
    } else if (numbers_ != nullptr) {
      const std::optional<std::uint64_t> number = as_whole(value);
      if (!number) refuse(fmt::format("'{}' holds what is no whole number", at(2)));
      numbers_->push_back(*number);
    } else if (depth() == 2 && at(2) == "dtype") {
      set_dtype(value);
    } else if (depth() == 2 && (at(2) == "shape" || at(2) == "data_offsets")) {
      refuse(fmt::format("'{}' is no list", at(2)));
    }
  }

  void set_dtype(const Json& value) {
    const std::string wanted = as_text(value).value_or("?");
    const auto* const found = std::ranges::find(kDtypes, wanted, &DtypeInfo::name);
    if (found == kDtypes.end()) {
      refuse(fmt::format("the type '{}' is unknown", printable(wanted)));
    }
    dtype_ = found->dtype;
  }

  void begin_entry() {
    dtype_.reset();
    shape_.reset();
    range_.reset();
  }

  void end_entry() {
    if (!dtype_ || !shape_ || !range_) refuse("dtype, shape or data_offsets is missing");
    if (range_->size() != 2) refuse("data_offsets are not two");
    const std::uint64_t begin = range_->at(0);
    const std::uint64_t end = range_->at(1);
    if (end < begin) refuse("its data end before they begin");
    std::optional<std::uint64_t> total = bits(*dtype_);
    for (const std::uint64_t extent : *shape_) {
      if (total) total = checked_mul(*total, extent);
    }
    // An extent of 0 makes the product 0, whatever the others.
    if (std::ranges::find(*shape_, 0u) != shape_->end()) total = 0;
    if (!total) refuse("the number of its elements overflows");
    if (*total % 8 != 0) refuse("its elements do not fill whole bytes");
    if (*total / 8 != end - begin) {
      refuse(
          fmt::format("its shape takes {} bytes, and its data have {}", *total / 8, end - begin));
    }
    entries_.push_back({at(1), *dtype_, *std::move(shape_), begin, end - begin});
  }

  [[noreturn]] void refuse(const std::string& message) const {
    const bool in_tensor = depth() > 0 && !at(1).empty();
    refuse_header(ErrorCode::input_format, file(), in_tensor ? std::string_view(at(1)) : "",
                  message);
  }

  std::vector<Entry>& entries_;
  std::unordered_set<std::string> names_;
  std::optional<Dtype> dtype_;
  std::optional<std::vector<std::uint64_t>> shape_;
  std::optional<std::vector<std::uint64_t>> range_;
  std::vector<std::uint64_t>* numbers_ = nullptr;  // the list that is being read
};

/// Sorts the entries by their data, whose ranges must cover `data_size` bytes without hole or
/// overlap, and counts offsets from the file's start.
void place_data(std::vector<Entry>& entries, std::uint64_t start, std::uint64_t data_size,
                const std::string& file) {
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return std::pair(a.offset, a.size) < std::pair(b.offset, b.size);
  });
  std::uint64_t end = 0;
  for (Entry& entry : entries) {
    if (entry.offset != end) {
      refuse_header(
          ErrorCode::input_format, file, entry.name,
          fmt::format("its data begin at byte {} of the data, {} {}", entry.offset,
                      entry.offset < end ? "within another's, which end at" : "after a hole from",
                      end));
    }
    end += entry.size;  // offset + size is a number that the header has
    if (end > data_size) {
      refuse_header(
          ErrorCode::input_truncated, file, entry.name,
          fmt::format("its data end at byte {} of the data, of which the file has only {}", end,
                      data_size));
    }
    entry.offset += start;
  }
  if (end != data_size) {
    refuse_header(ErrorCode::input_format, file, "",
                  fmt::format("{} bytes after the last tensor belong to none", data_size - end));
  }
}

}  // namespace

std::string_view name(Dtype dtype) noexcept {
  return kDtypes[static_cast<std::size_t>(dtype)].name;
}

unsigned bits(Dtype dtype) noexcept {
  return kDtypes[static_cast<std::size_t>(dtype)].bits;
}

std::uint64_t data_offset(std::span<const std::byte> start, std::uint64_t file_size,
                          const std::string& file) {
  if (file_size < kLengthBytes || start.size() < kLengthBytes) {
    refuse_header(ErrorCode::input_truncated, file, "",
                  fmt::format("the file has {} bytes, too few for safetensors", file_size));
  }
  std::uint64_t length = 0;
  std::memcpy(&length, start.data(), sizeof length);
  if (length > kLongestSafetensorsHeader) {
    refuse_header(ErrorCode::input_format, file, "",
                  fmt::format("the header would have {} bytes; at most {} are allowed", length,
                              kLongestSafetensorsHeader));
  }
  if (length > file_size - kLengthBytes) {
    refuse_header(ErrorCode::input_truncated, file, "",
                  fmt::format("the header has {} bytes, and the file only {}", length, file_size));
  }
  return kLengthBytes + length;
}

std::vector<Entry> parse_header(std::span<const std::byte> header, std::uint64_t file_size,
                                const std::string& file) {
  const std::uint64_t start = data_offset(header, file_size, file);
  const auto json = header.first(start).subspan(kLengthBytes);
  std::vector<Entry> entries;
  HeaderEvents events(file, entries);
  read_json({reinterpret_cast<const char*>(json.data()), json.size()}, events);
  place_data(entries, start, file_size - start, file);
  return entries;
}

}  // namespace sluice::checkpoint
