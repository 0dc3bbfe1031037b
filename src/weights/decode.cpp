#include "weights/decode.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "codec/published.h"
#include "weights/box.h"
#include "weights/factors.h"

namespace sluice::weights {
namespace {

/// \pre `coding` is not Coding::typed
DecodeCodesFunction code_decoder(Coding coding, Isa isa) {
  const CodeDecoders& decoders = code_decoders(isa);
  switch (coding) {
    case Coding::f8_e4m3:
      return decoders.f8_e4m3;
    case Coding::f8_e5m2:
      return decoders.f8_e5m2;
    case Coding::int8:
      return decoders.int8;
    case Coding::words4:
      return decoders.words4;
    case Coding::words8:
      return decoders.words8;
    case Coding::mxfp4:
    case Coding::nvfp4:
      return decoders.mxfp4;
    case Coding::nvfp4_across:
      return decoders.nvfp4_even;
    case Coding::typed:
      break;
  }
  return nullptr;
}

/// Decodes weights that follow one another in a stored tensor, of which a band holds some.
class SpanDecoder {
 public:
  SpanDecoder(const Stored& stored, const BandBytes& bytes, Isa isa)
      : bytes_(bytes),
        isa_(isa),
        type_(stored.type),
        columns_(stored.columns()),
        joint_rows_(stored.joint_rows()),
        row_bytes_(stored.row_bytes()) {
    if (stored.coding == Coding::typed) {
      DecodeFunction& decode = is_all_blocks(type_) ? decode_blocks_ : decode_row_;
      decode = find_codec(stored.type, isa)->decode;
    } else {
      decode_codes_ = code_decoder(stored.coding, isa);
      if (joint_rows_ == 2) decode_odd_ = code_decoders(isa).nvfp4_odd;
    }
    if (stored.scales) factors_.emplace(stored, bytes);
  }

  void decode(std::uint64_t first, std::uint64_t count, float* out) const {
    if (decode_blocks_ != nullptr) {
      const std::uint64_t offset = byte_size(type_, first - bytes_.band.first_element);
      decode_blocks_(bytes_.codes.data() + offset, out, count);
      if (!factors_) return;
    }
    while (count > 0) {
      const std::uint64_t row = first / columns_;
      const std::uint64_t column = first % columns_;
      const std::uint64_t part = std::min(count, columns_ - column);
      decode_in_row(row, column, part, out);
      first += part;
      out += part;
      count -= part;
    }
  }

  /// The bytes of so many weights, as far as the band has them.
  std::span<const std::byte> bytes_of(std::uint64_t first, std::uint64_t count) const {
    const std::uint64_t rows = (first - bytes_.band.first_element) / columns_ / joint_rows_;
    const std::uint64_t rest = (first - bytes_.band.first_element) % columns_;
    const std::uint64_t begin = rows * row_bytes_ + rest * row_bytes_ / columns_;
    if (begin >= bytes_.codes.size()) return {};
    const std::uint64_t size = count * row_bytes_ / columns_;
    return bytes_.codes.subspan(begin, std::min(size, bytes_.codes.size() - begin));
  }

 private:
  const BandBytes& bytes_;
  const Isa isa_;
  const TensorType type_;
  const std::uint64_t columns_;
  const std::uint64_t joint_rows_;
  const std::uint64_t row_bytes_;
  DecodeFunction decode_blocks_ = nullptr;  // of types that are all blocks
  DecodeFunction decode_row_ = nullptr;     // of others
  DecodeCodesFunction decode_codes_ = nullptr;
  DecodeCodesFunction decode_odd_ = nullptr;  // of joint rows, every other
  std::optional<Factors> factors_;

  void decode_in_row(std::uint64_t row, std::uint64_t column, std::uint64_t count,
                     float* out) const {
    if (!factors_) return decode_block(row, column, count, 1, out);
    const std::uint64_t block = factors_->block_columns();
    constexpr std::uint64_t kOwnCall = 32;
    if (block < kOwnCall) return decode_short_blocks(row, column, count, out);
    const float common = factors_->common(row);
    std::uint64_t index = factors_->index(row, column);
    while (count > 0) {
      const std::uint64_t part = std::min(count, block - column % block);
      decode_block(row, column, part, factors_->at(index++, common, isa_), out);
      column += part;
      out += part;
      count -= part;
    }
  }

  /// Decodes all codes by one call, times 1, which is exact, and multiplies them afterwards.
  void decode_short_blocks(std::uint64_t row, std::uint64_t column, std::uint64_t count,
                           float* out) const {
    constexpr std::uint64_t kAtOnce = 256;
    float factors[kAtOnce];
    decode_block(row, column, count, 1, out);
    const std::uint64_t block = factors_->block_columns();
    const float common = factors_->common(row);
    while (count > 0) {
      const std::uint64_t inside = column % block;
      const std::uint64_t blocks = std::min((inside + count - 1) / block + 1, kAtOnce);
      factors_->copy(factors_->index(row, column), blocks, common, isa_, factors);
      std::uint64_t part = std::min(count, blocks * block - inside);
      column += part;
      count -= part;
      if (block == 1) {
        for (std::uint64_t i = 0; i < part; ++i) out[i] *= factors[i];
        out += part;
        continue;
      }
      std::uint64_t length = block - inside;  // of the first
      for (const float* factor = factors; part > 0; ++factor, length = block) {
        length = std::min(length, part);
        for (std::uint64_t i = 0; i < length; ++i) out[i] *= *factor;
        out += length;
        part -= length;
      }
    }
  }

  void decode_block(std::uint64_t row, std::uint64_t column, std::uint64_t count, float factor,
                    float* out) const {
    if (decode_blocks_ != nullptr) {  // decoded already
      for (std::uint64_t i = 0; i < count; ++i) out[i] *= factor;
      return;
    }
    const std::uint64_t first_row = bytes_.band.first_element / columns_;
    const std::byte* const codes =
        bytes_.codes.data() + (row - first_row) / joint_rows_ * row_bytes_;
    if (decode_odd_ != nullptr && row % 2 != 0) {
      return decode_odd_(codes, column, count, factor, out);
    }
    if (decode_codes_ != nullptr) return decode_codes_(codes, column, count, factor, out);
    if (count == columns_) return decode_row_(codes, out, count);
    std::vector<float> whole(columns_);
    decode_row_(codes, whole.data(), columns_);
    std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(column), count, out);
  }
};

/// Calls `use(first)` with the places that all axes but the last `without` lead to.
template <class Use>
void for_each_place(const Box& box, std::size_t without, const Use& use) {
  const std::size_t axes = box.axes.size() - without;
  std::vector<std::uint64_t> at(axes, 0);
  std::uint64_t first = box.first;
  for (;;) {
    use(first);
    std::size_t axis = axes;
    while (axis > 0 && ++at[axis - 1] == box.axes[axis - 1].count) {
      --axis;
      first -= (box.axes[axis].count - 1) * box.axes[axis].stride;
      at[axis] = 0;
    }
    if (axis == 0) return;
    first += box.axes[axis - 1].stride;
  }
}

/// Decodes [rows.count, columns.count] weights of which those of a column lie nearer to one another
/// than those of a row. Each line of the stored tensor is read where it lies, for some columns at a
/// time, so that the output is written in whole cache lines while the tile stays in the cache.
void decode_across(const SpanDecoder& decoder, std::uint64_t first, const Axis& rows,
                   const Axis& columns, float* out) {
  constexpr std::uint64_t kSpan = 256;
  constexpr std::uint64_t kColumns = 16;
  constexpr std::uint64_t kAhead = 8;
  constexpr std::size_t kLine = 64;
  float tile[kColumns][kSpan];
  const std::uint64_t tile_rows = std::max<std::uint64_t>(1, (kSpan - 1) / rows.stride + 1);
  for (std::uint64_t row = 0; row < rows.count; row += tile_rows) {
    const std::uint64_t height = std::min(tile_rows, rows.count - row);
    const std::uint64_t span = (height - 1) * rows.stride + 1;
    for (std::uint64_t column = 0; column < columns.count; column += kColumns) {
      const std::uint64_t width = std::min(kColumns, columns.count - column);
      for (std::uint64_t i = 0; i < width; ++i) {
        const std::uint64_t begin = first + row * rows.stride + (column + i) * columns.stride;
        // The processor does not foresee spans that lie a row apart. (In a function of its own
        // this would be taken for one without effect.)
        const auto soon = decoder.bytes_of(begin + kAhead * columns.stride, span);
        for (std::size_t k = 0; k < soon.size(); k += kLine) __builtin_prefetch(soon.data() + k);
        decoder.decode(begin, span, tile[i]);
      }
      for (std::uint64_t j = 0; j < height; ++j) {
        float* const line = out + (row + j) * columns.count + column;
        for (std::uint64_t i = 0; i < width; ++i) line[i] = tile[i][j * rows.stride];
      }
    }
  }
}

void decode_box(const SpanDecoder& decoder, const Box& box, float* out) {
  const Axis last = box.axes.back();
  if (last.stride == 1) {
    return for_each_place(box, 1, [&](std::uint64_t first) {
      decoder.decode(first, last.count, out);
      out += last.count;
    });
  }
  const std::size_t axes = box.axes.size();
  if (axes > 1 && box.axes[axes - 2].stride < last.stride) {
    const Axis rows = box.axes[axes - 2];
    return for_each_place(box, 2, [&](std::uint64_t first) {
      decode_across(decoder, first, rows, last, out);
      out += rows.count * last.count;
    });
  }
  for_each_place(box, 1, [&](std::uint64_t first) {
    decode_across(decoder, first, last, {}, out);
    out += last.count;
  });
}

void apply(Change change, std::span<float> weights) {
  switch (change) {
    case Change::none:
      return;
    case Change::add_one:
      for (float& weight : weights) weight += 1;
      return;
    case Change::minus_exp:
      for (float& weight : weights) weight = -std::exp(weight);
      return;
  }
}

/// What rows of a piece are, with the index of each part's first weight among those of the piece.
std::vector<Part> parts_of_rows(const Piece& piece, std::uint64_t first_row, std::uint64_t rows) {
  return parts_of({piece.first, piece.axes}, first_row * piece.columns,
                  (first_row + rows) * piece.columns);
}

}  // namespace

void decode_rows(const Weights& weights, const Source& source, const BandBytes& bytes,
                 const Piece& piece, std::uint64_t first_row, std::uint64_t rows, Isa isa,
                 float* out) {
  const std::span<float> all(out, rows * piece.columns);
  if (bytes.band.stored == Band::kNone) {
    std::copy_n(source.values.begin() +
                    static_cast<std::ptrdiff_t>(piece.first + first_row * piece.columns),
                all.size(), out);
  } else {
    const SpanDecoder decoder(weights.stored[bytes.band.stored], bytes, isa);
    for (const Part& part : parts_of_rows(piece, first_row, rows)) {
      decode_box(decoder, part.box, out + (part.index - first_row * piece.columns));
    }
  }
  apply(source.change, all);
}

void move_mxfp4_rows(const Weights& weights, const BandBytes& bytes, const Piece& piece,
                     std::uint64_t first_row, std::uint64_t rows, std::byte* out) {
  constexpr std::uint64_t kElements = 32;
  constexpr std::uint64_t kCodes = 16;
  const Factors factors(weights.stored[bytes.band.stored], bytes);
  const std::uint64_t columns = weights.stored[bytes.band.stored].columns();
  const auto move_block = [&](std::byte scale, const std::byte* codes) {
    *out++ = scale;
    for (std::uint64_t i = 0; i < kCodes; i += 2, out += 2) {
      const std::byte low = codes[i / 2];
      const std::byte high = codes[(i + kCodes) / 2];
      out[0] = (low & std::byte{15}) | high << 4;
      out[1] = low >> 4 | (high & std::byte{0xf0});
    }
  };
  for (const Part& part : parts_of_rows(piece, first_row, rows)) {
    const std::uint64_t blocks = part.box.axes.back().count / kElements;
    for_each_place(part.box, 1, [&](std::uint64_t first) {
      const std::byte* scale = &bytes.scales[factors.index(first / columns, first % columns)];
      const std::byte* codes = bytes.codes.data() + (first - bytes.band.first_element) / 2;
      for (std::uint64_t i = 0; i < blocks; ++i) move_block(scale[i], codes + i * kCodes);
    });
  }
}

}  // namespace sluice::weights
