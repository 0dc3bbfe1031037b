#pragma once

// The weights of a model's tensors, computed one by one and without any of the program's decoders:
// slow and plain, to hold what views, scales and packings mean against other programs' bytes.

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

#include "checkpoint/fixture.h"

namespace sluice::checkpoint {

inline float small_float(unsigned code, int exponent_bits, int mantissa_bits, bool has_infinity) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const unsigned mantissa = code & ((1u << mantissa_bits) - 1);
  const unsigned exponent = code >> mantissa_bits & ((1u << exponent_bits) - 1);
  const float sign = code >> (exponent_bits + mantissa_bits) ? -1.0f : 1.0f;
  const unsigned last = (1u << exponent_bits) - 1;
  const float part = static_cast<float>(mantissa) / static_cast<float>(1u << mantissa_bits);
  if (exponent == last && has_infinity) {
    return mantissa == 0 ? sign * std::numeric_limits<float>::infinity() : std::nanf("");
  }
  if (exponent == last && mantissa == (1u << mantissa_bits) - 1 && mantissa_bits == 3) {
    return std::nanf("");
  }
  return exponent == 0 ? sign * std::ldexp(part, 1 - bias)
                       : sign * std::ldexp(1.0f + part, static_cast<int>(exponent) - bias);
}

class Evaluator {
 public:
  Evaluator(const Fixture& fixture, const Model& model) : fixture_(fixture), model_(model) {}

  /// Weights of a tensor in F32, changed as the model says.
  std::vector<float> weights(const Source& source) const {
    if (source.views.empty()) return source.values;
    std::vector<float> out;
    visit(source, [&](const Stored& stored, std::uint64_t element) {
      const float weight = decode(stored, element);
      switch (source.change) {
        case Change::none:
          return out.push_back(weight);
        case Change::add_one:
          return out.push_back(weight + 1.0f);
        case Change::minus_exp:
          return out.push_back(-std::exp(weight));
      }
    });
    return out;
  }

  /// A tensor's blocks of MXFP4 as GGUF has them, moved from blocks as they are stored.
  std::vector<std::byte> mxfp4_blocks(const Source& source) const {
    std::vector<unsigned> codes;
    std::vector<std::byte> out;
    visit(source, [&](const Stored& stored, std::uint64_t element) {
      if (codes.empty()) {
        if (element % 32 != 0) throw std::runtime_error("a view cuts through a block");
        out.push_back(fixture_.at(stored.scales->place)[element / 32]);
      }
      codes.push_back(code(stored, element));
      if (codes.size() < 32) return;
      for (std::size_t i = 0; i < 16; ++i) {
        out.push_back(static_cast<std::byte>(codes[i] | codes[i + 16] << 4));
      }
      codes.clear();
    });
    return out;
  }

 private:
  template <class Visit>
  void visit(const Source& source, Visit visit_element) const {
    for (const View& view : source.views) {
      const Stored& stored = model_.weights.stored.at(view.stored);
      std::vector<std::uint64_t> at(view.axes.size(), 0);
      for (;;) {
        std::uint64_t element = view.first;
        for (std::size_t i = 0; i < at.size(); ++i) element += at[i] * view.axes[i].stride;
        if (element >= stored.elements()) throw std::runtime_error("a view leaves its tensor");
        visit_element(stored, element);
        std::size_t axis = at.size();
        while (axis > 0 && ++at[axis - 1] == view.axes[axis - 1].count) at[--axis] = 0;
        if (axis == 0) break;
      }
    }
  }

  template <class T>
  static T number(std::span<const std::byte> bytes, std::uint64_t index) {
    T value;
    std::memcpy(&value, bytes.subspan(index * sizeof value, sizeof value).data(), sizeof value);
    return value;
  }

  static float half(std::span<const std::byte> bytes, std::uint64_t index) {
    return small_float(number<std::uint16_t>(bytes, index), 5, 10, true);
  }

  static float brain(std::span<const std::byte> bytes, std::uint64_t index) {
    const std::uint32_t bits = std::uint32_t{number<std::uint16_t>(bytes, index)} << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

  static float typed(TensorType type, std::span<const std::byte> bytes, std::uint64_t index) {
    switch (type) {
      case TensorType::f32:
        return number<float>(bytes, index);
      case TensorType::f64:
        return static_cast<float>(number<double>(bytes, index));
      case TensorType::f16:
        return half(bytes, index);
      case TensorType::bf16:
        return brain(bytes, index);
      default:
        throw std::runtime_error("no weights");
    }
  }

  static float factor(Scales::Type type, std::span<const std::byte> bytes, std::uint64_t index) {
    switch (type) {
      case Scales::Type::f32:
        return number<float>(bytes, index);
      case Scales::Type::f16:
        return half(bytes, index);
      case Scales::Type::bf16:
        return brain(bytes, index);
      case Scales::Type::e8m0:
        return std::ldexp(1.0f, number<std::uint8_t>(bytes, index) - 127);
      case Scales::Type::f8_e4m3:
        return small_float(number<std::uint8_t>(bytes, index), 4, 3, false);
    }
    throw std::runtime_error("no factors");
  }

  unsigned code(const Stored& stored, std::uint64_t element) const {
    const auto bytes = fixture_.at(stored.place);
    if (stored.coding == Coding::mxfp4 || stored.coding == Coding::nvfp4) {
      return std::to_integer<unsigned>(bytes[element / 2]) >> element % 2 * 4 & 15;
    }
    if (stored.coding == Coding::nvfp4_across) {
      const std::uint64_t row = element / stored.columns();
      const std::uint64_t byte = row / 2 * stored.columns() + element % stored.columns();
      return std::to_integer<unsigned>(bytes[byte]) >> row % 2 * 4 & 15;
    }
    const unsigned bits = stored.coding == Coding::words4 ? 4 : 8;
    const std::uint64_t in_word = 32 / bits;
    const std::uint64_t words = (stored.columns() + in_word - 1) / in_word;
    const std::uint64_t column = element % stored.columns();
    const auto word =
        number<std::uint32_t>(bytes, element / stored.columns() * words + column / in_word);
    return word >> column % in_word * bits & ((1u << bits) - 1);
  }

  float unscaled(const Stored& stored, std::uint64_t element) const {
    constexpr float kE2m1[] = {0, .5f, 1, 1.5f, 2, 3, 4, 6};
    const auto bytes = fixture_.at(stored.place);
    switch (stored.coding) {
      case Coding::typed:
        return typed(stored.type, bytes, element);
      case Coding::f8_e4m3:
        return small_float(number<std::uint8_t>(bytes, element), 4, 3, false);
      case Coding::f8_e5m2:
        return small_float(number<std::uint8_t>(bytes, element), 5, 2, true);
      case Coding::int8:
        return number<std::int8_t>(bytes, element);
      case Coding::words4:
        return static_cast<float>(static_cast<int>(code(stored, element)) - 8);
      case Coding::words8:
        return static_cast<float>(static_cast<int>(code(stored, element)) - 128);
      case Coding::mxfp4:
      case Coding::nvfp4:
      case Coding::nvfp4_across: {
        const unsigned c = code(stored, element);
        return c < 8 ? kE2m1[c] : -kE2m1[c - 8];
      }
    }
    throw std::runtime_error("no weights");
  }

  float decode(const Stored& stored, std::uint64_t element) const {
    const float value = unscaled(stored, element);
    if (!stored.scales) return value;
    const Scales& scales = *stored.scales;
    const std::uint64_t column = element % stored.columns();
    const std::uint64_t row = element / stored.columns() % stored.rows();
    const std::uint64_t matrix = element / stored.columns() / stored.rows();
    const float one = factor(scales.type, fixture_.at(scales.place),
                             matrix * scales.matrix + row / scales.block_rows * scales.columns +
                                 column / scales.block_columns);
    if (scales.common.empty()) return value * one;
    const float common = scales.common.at(scales.common.size() == 1 ? 0 : matrix);
    const float both = scales.divided ? one / common : one * common;  // rounded to F32
    return value * both;
  }

  const Fixture& fixture_;
  const Model& model_;
};

}  // namespace sluice::checkpoint
