#include "checkpoint/stored_tensors.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <unordered_map>

#include "base/checked.h"
#include "base/text.h"
#include "checkpoint/common_factors.h"
#include "checkpoint/fit_scales.h"
#include "checkpoint/nvfp4.h"
#include "checkpoint/skipped.h"

namespace sluice::checkpoint {
namespace {

using Method = Quantization::Method;

// \param scaled  the checkpoint's weights have factors
std::optional<Coding> code_of(Dtype dtype, bool scaled) {
  if (dtype == Dtype::f8_e4m3) return Coding::f8_e4m3;
  if (dtype == Dtype::f8_e5m2) return Coding::f8_e5m2;
  if (scaled && dtype == Dtype::i8) return Coding::int8;
  return std::nullopt;
}

std::optional<TensorType> number_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return TensorType::f32;
    case Dtype::f16:
      return TensorType::f16;
    case Dtype::bf16:
      return TensorType::bf16;
    case Dtype::f64:
      return TensorType::f64;
    default:
      return std::nullopt;
  }
}

class StoredReader {
 public:
  StoredReader(const Folder& folder, const Quantization& quantization)
      : folder_(folder), quantization_(quantization) {}

  std::vector<Stored> read(std::vector<Skipped>& skipped) {
    std::vector<FoundEntry> order;
    for (std::size_t part = 0; part < folder_.parts.size(); ++part) {
      for (const Entry& entry : folder_.parts[part].entries) {
        const std::string_view kind = kind_of_skipped(entry.name, quantization_.method);
        if (!kind.empty()) {
          skipped.push_back({entry.name, kind});
        } else {
          order.push_back({&folder_, part, &entry});
          by_name_.emplace(entry.name, order.back());
        }
      }
    }
    std::vector<Stored> result;
    std::vector<CommonFactors> common;
    for (const FoundEntry& found : order) {
      if (belongs_to_another(found)) continue;
      result.push_back(weights(found));
      if (const FoundEntry* const factors = common_factors_of(found, result.back())) {
        common.push_back({result.size() - 1, *factors});
      }
    }
    read_common_factors(folder_, common, result);
    return result;
  }

 private:
  const FoundEntry* find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &found->second;
  }

  const FoundEntry& need(const FoundEntry& weights, const std::string& name) const {
    if (const FoundEntry* const found = find(name)) return *found;
    refuse(weights, fmt::format("its factors are missing: no tensor {}", printable(name)));
  }

  /// Whether the tensor says something about another, which must be there.
  bool belongs_to_another(const FoundEntry& found) const {
    struct Companion {
      Method method;
      std::string_view end;
      std::string_view weights;  ///< the end of what it belongs to
    };
    constexpr std::array kCompanions = {
        Companion{Method::fp8, "_scale_inv", ""},
        Companion{Method::compressed_tensors, ".weight_scale", ".weight"},
        Companion{Method::compressed_tensors, ".weight_scale", ".weight_packed"},
        Companion{Method::compressed_tensors, ".weight_shape", ".weight_packed"},
        Companion{Method::compressed_tensors, ".weight_global_scale", ".weight_packed"},
        Companion{Method::modelopt, ".weight_scale", ".weight"},
        Companion{Method::modelopt, ".weight_scale_2", ".weight"},
        Companion{Method::modelopt, "_weight_scale", ""},
        Companion{Method::modelopt, "_weight_scale_2", ""},
        Companion{Method::mxfp4, "_scales", "_blocks"},
    };
    const std::string_view name = found.entry->name;
    bool is_companion = false;
    for (const Companion& companion : kCompanions) {
      if (companion.method != quantization_.method || !name.ends_with(companion.end)) continue;
      const std::string_view base = name.substr(0, name.size() - companion.end.size());
      if (find(fmt::format("{}{}", base, companion.weights)) != nullptr) return true;
      is_companion = true;
    }
    if (is_companion) refuse(found, "there is no weight that it belongs to");
    return false;
  }

  Stored weights(const FoundEntry& found) const {
    constexpr std::string_view kPacked = "_packed";
    constexpr std::string_view kBlocks = "_blocks";
    const std::string_view name = found.entry->name;
    if (quantization_.method == Method::mxfp4 && name.ends_with(kBlocks)) {
      return mxfp4(found, name.substr(0, name.size() - kBlocks.size()));
    }
    if (quantization_.method == Method::compressed_tensors && name.ends_with(".weight_packed")) {
      const std::string_view base = name.substr(0, name.size() - kPacked.size());
      if (found.entry->dtype != Dtype::u8) return packed(found, base);
      return nvfp4(found, need(found, factors_of(found)), base);
    }
    if (quantization_.method == Method::modelopt && name.ends_with(".pre_quant_scale")) {
      refuse(found, "sluice does not read weights whose inputs are to be scaled",
             ErrorCode::input_type);
    }
    if (quantization_.method == Method::modelopt && found.entry->dtype == Dtype::u8) {
      return nvfp4(found, need(found, factors_of(found)), name);
    }
    return plain(found);
  }

  /// What a tensor of factors of the weights is called.
  std::string factors_of(const FoundEntry& found) const {
    constexpr std::string_view kPacked = "_packed";
    const std::string& name = found.entry->name;
    switch (quantization_.method) {
      case Method::fp8:
        return name + "_scale_inv";
      case Method::modelopt:  // where joined experts have names without ".weight"
        return name + (name.ends_with(".weight") ? "_scale" : "_weight_scale");
      default:
        return name.substr(0, name.size() - (name.ends_with(kPacked) ? kPacked.size() : 0)) +
               "_scale";
    }
  }

  /// The tensor of what the factors of weights in NVFP4 have in common; nothing for other weights.
  const FoundEntry* common_factors_of(const FoundEntry& found, Stored& weights) const {
    if (weights.coding != Coding::nvfp4 && weights.coding != Coding::nvfp4_across) return nullptr;
    weights.scales->divided = quantization_.method == Method::compressed_tensors;
    return &need(
        found, weights.scales->divided ? weights.name + "_global_scale" : factors_of(found) + "_2");
  }

  Stored stored(const FoundEntry& found, std::string_view name) const {
    return {.name = std::string(name),
            .place = found.place(),
            .shape = found.entry->shape,
            .scales = {}};
  }

  Stored plain(const FoundEntry& found) const {
    const Entry& entry = *found.entry;
    Stored result = stored(found, entry.name);
    const bool scaled =
        quantization_.method != Method::none && quantization_.method != Method::mxfp4;
    const std::optional<Coding> code = code_of(entry.dtype, scaled);
    const std::optional<TensorType> number = number_of(entry.dtype);
    if (!code && !number) {
      refuse(found, fmt::format("its elements are {}, which are no weights", name(entry.dtype)),
             ErrorCode::input_type);
    }
    result.coding = code.value_or(Coding::typed);
    result.type = number.value_or(TensorType::f32);
    if (!scaled) return result;
    const std::string scales = factors_of(found);
    if (code || find(scales) != nullptr) {
      result.scales = fit_scales(result, need(found, scales), quantization_);
    }
    return result;
  }

  Stored mxfp4(const FoundEntry& found, std::string_view name) const {
    constexpr std::uint64_t kBytes = 16;
    constexpr std::uint64_t kElements = 32;
    Stored result = stored(found, name);
    if (found.entry->dtype != Dtype::u8 || result.shape.size() < 3 ||
        result.shape.back() != kBytes) {
      refuse(found, "it has no blocks of 16 bytes");
    }
    result.shape.pop_back();
    const Shape blocks = result.shape;
    const auto columns = checked_mul(blocks.back(), kElements);
    if (!columns) refuse(found, "the number of its elements overflows");
    result.shape.back() = *columns;
    result.coding = Coding::mxfp4;
    const FoundEntry& scales = need(found, fmt::format("{}_scales", name));
    if (scales.entry->dtype != Dtype::u8 || scales.entry->shape != blocks) {
      refuse(scales, "it is no byte for each block");
    }
    result.scales = Scales{.place = scales.place(),
                           .type = Scales::Type::e8m0,
                           .block_rows = 1,
                           .block_columns = kElements,
                           .columns = blocks.back(),
                           .matrix = blocks.back() * result.rows()};
    return result;
  }

  Stored packed(const FoundEntry& found, std::string_view name) const {
    Stored result = stored(found, name);
    const unsigned bits = quantization_.packed_bits;
    if (bits == 0) refuse(found, "config.json does not say that any weights are packed");
    if (found.entry->dtype != Dtype::i32 || result.shape.size() < 2) {
      refuse(found, "it has no rows of words of 32 bits");
    }
    for (const char* const more : {"_zero_point", "_g_idx"}) {
      const std::string other = std::string(name) + more;
      if (const FoundEntry* const refused = find(other)) {
        refuse(*refused, "sluice does not read zero points and orders of columns",
               ErrorCode::input_type);
      }
    }
    result.coding = bits == 4 ? Coding::words4 : Coding::words8;
    const FoundEntry& scales = need(found, fmt::format("{}_scale", name));
    result.shape.back() = columns_of(found, scales, 32 / bits);
    result.scales = fit_scales(result, scales, quantization_);
    return result;
  }

  /// Columns of packed weights, whose last word in a row may have room left. Rows of whole groups
  /// tell; else what is stored as the shape does.
  std::uint64_t columns_of(const FoundEntry& found, const FoundEntry& scales,
                           std::uint64_t in_word) const {
    const std::uint64_t words = found.entry->shape.back();
    const auto fits = [&](std::optional<std::uint64_t> columns) {
      return columns && *columns > 0 && (*columns - 1) / in_word + 1 == words;
    };
    if (quantization_.block_columns && !scales.entry->shape.empty()) {
      const auto whole = checked_mul(scales.entry->shape.back(), *quantization_.block_columns);
      if (fits(whole)) return *whole;
    }
    const std::string& name = found.entry->name;
    const std::string shape_name = name.substr(0, name.size() - std::strlen("packed")) + "shape";
    const FoundEntry& shape = need(found, shape_name);
    const std::vector<std::uint64_t> extents = read_shape(shape);
    if (extents.size() != found.entry->shape.size() || !fits(extents.back())) {
      refuse(shape, fmt::format("it is not the shape of {} words a row", words));
    }
    return extents.back();
  }

  std::vector<std::uint64_t> read_shape(const FoundEntry& found) const {
    constexpr std::uint64_t kMostBytes = 32;
    const Entry& entry = *found.entry;
    const bool wide = entry.dtype == Dtype::i64;
    if ((!wide && entry.dtype != Dtype::i32) || entry.size > kMostBytes || !folder_.read) {
      refuse(found, "it is no list of extents");
    }
    const std::vector<std::byte> bytes = folder_.read(found.place());
    if (bytes.size() != entry.size) refuse(found, "it could not be read");
    std::vector<std::uint64_t> extents;
    for (std::size_t at = 0; at < bytes.size(); at += wide ? 8 : 4) {
      std::int64_t extent = 0;  // of 32 bits: its lower half
      std::memcpy(&extent, bytes.data() + at, wide ? 8 : 4);
      extents.push_back(static_cast<std::uint64_t>(extent));
    }
    return extents;
  }

  using Shape = std::vector<std::uint64_t>;

  const Folder& folder_;
  const Quantization& quantization_;
  std::unordered_map<std::string_view, FoundEntry> by_name_;
};

}  // namespace

std::vector<Stored> stored_tensors(const Folder& folder, const Quantization& quantization,
                                   std::vector<Skipped>& skipped) {
  return StoredReader(folder, quantization).read(skipped);
}

}  // namespace sluice::checkpoint
