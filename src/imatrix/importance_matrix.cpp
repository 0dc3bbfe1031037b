#include "imatrix/importance_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/checked.h"
#include "base/text.h"
#include "gguf/bytes.h"
#include "imatrix/formats.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice {
namespace {

using Entry = ImportanceMatrix::Entry;

/// A tensor whose row may be another's. Names are those between the layer and `.weight`.
struct Substitute {
  std::string_view wanted;
  std::string_view given;
  /// Whether the given tensor has one matrix where the wanted one has one for each head, all of
  /// which see the same activations. Otherwise both have the same number of matrices.
  bool one_row;
};

// In the order of preference. Multi-head latent attention: matrices made with standard attention
// know only `attn_kv_b`, which multiplies the same latent vector as `attn_v_b` does for each head.
// `attn_k_b` usually multiplies something else, with another row length, which tells.
constexpr std::array kSubstitutes = {
    Substitute{"ffn_gate", "ffn_up", false},
    Substitute{"ffn_up", "ffn_gate", false},
    Substitute{"ffn_gate_shexp", "ffn_up_shexp", false},
    Substitute{"ffn_up_shexp", "ffn_gate_shexp", false},
    Substitute{"ffn_gate_exps", "ffn_gate_up_exps", false},
    Substitute{"ffn_gate_exps", "ffn_up_exps", false},
    Substitute{"ffn_up_exps", "ffn_gate_up_exps", false},
    Substitute{"ffn_up_exps", "ffn_gate_exps", false},
    Substitute{"ffn_gate_up_exps", "ffn_up_exps", false},
    Substitute{"ffn_gate_up_exps", "ffn_gate_exps", false},
    Substitute{"attn_k_b", "attn_kv_b", true},
    Substitute{"attn_v_b", "attn_kv_b", true},
    Substitute{"attn_kv_b", "attn_v_b", true},
};

bool fits(const Entry& entry, std::uint64_t row_elements, std::uint64_t experts) {
  // Counts that change within a row would make the row a mixture; no program writes that.
  const bool whole_rows = entry.counts == 0 || (entry.values / entry.counts) % row_elements == 0;
  return whole_rows && checked_mul(row_elements, experts) == entry.values;
}

}  // namespace

ImportanceMatrix ImportanceMatrix::parse(std::span<const std::byte> bytes,
                                         const std::string& file) {
  ImportanceMatrix matrix;
  matrix.bytes_ = bytes;
  matrix.file_ = file;
  // As an older file this would announce a thousand million entries.
  const bool gguf = bytes.size() >= 4 && std::memcmp(bytes.data(), "GGUF", 4) == 0;
  matrix.index_ = gguf ? imatrix::index_gguf(bytes, file) : imatrix::index_dat(bytes, file);
  return matrix;
}

void ImportanceMatrix::keep_only(const ImatrixFilter& filter) {
  for (const auto* parts : {&filter.include, &filter.exclude}) {
    if (std::ranges::find(*parts, std::string()) == parts->end()) continue;
    throw Error(ErrorCode::usage, "an empty name would mean all weights of the importance matrix",
                {.cure = "Name a part of a tensor's name, as in ffn_down"});
  }
  filter_ = filter;
  std::erase_if(index_.entries, [&](const auto& entry) { return !counts(entry.first); });
}

bool ImportanceMatrix::counts(std::string_view tensor) const {
  const auto has_any_of = [&](const std::vector<std::string>& parts) {
    return std::ranges::any_of(
        parts, [&](const std::string& part) { return tensor.find(part) != tensor.npos; });
  };
  return (filter_.include.empty() || has_any_of(filter_.include)) && !has_any_of(filter_.exclude);
}

const Entry* ImportanceMatrix::find(std::string_view tensor, std::uint64_t row_elements,
                                    std::uint64_t experts) const {
  if (!counts(tensor)) return nullptr;
  if (const auto own = index_.entries.find(tensor); own != index_.entries.end()) {
    if (fits(own->second, row_elements, experts)) return &own->second;
    if (tensor == "token_embd.weight") return nullptr;
    throw Error(ErrorCode::imatrix_length,
                fmt::format("its importance has {}, wanted are {} ({}, {})",
                            counted(own->second.values, "value"), row_elements * experts,
                            counted(row_elements, "column"), counted(experts, "expert")),
                {.file = file_,
                 .tensor = printable(tensor),
                 .offset = own->second.values_offset,
                 .cure = "Use an importance matrix that was made with this model"});
  }
  constexpr std::string_view kEnding = ".weight";
  if (!tensor.ends_with(kEnding)) return nullptr;
  std::string_view layer = tensor.substr(0, tensor.size() - kEnding.size());
  const std::size_t dot = layer.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  const std::string_view kind = layer.substr(dot + 1);
  layer = layer.substr(0, dot);
  for (const Substitute& substitute : kSubstitutes) {
    if (substitute.wanted != kind) continue;
    const auto it = index_.entries.find(fmt::format("{}.{}{}", layer, substitute.given, kEnding));
    if (it == index_.entries.end()) continue;
    if (fits(it->second, row_elements, substitute.one_row ? 1 : experts)) return &it->second;
  }
  return nullptr;
}

std::uint64_t ImportanceMatrix::check_values(const Entry& entry, std::uint64_t row_elements,
                                             const std::string& tensor) const {
  const auto check = [&](const char* what, std::uint64_t begin, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t offset = begin + i * sizeof(float);
      const auto value = load<float>(bytes_.data() + offset);
      if (value >= 0 && std::isfinite(value)) continue;
      throw Error(ErrorCode::imatrix_format,
                  fmt::format("{} {} of its importance is {}", what, i, value),
                  {.file = file_,
                   .tensor = printable(tensor),
                   .offset = offset,
                   .cure = "Copy the importance matrix again, or make it anew"});
    }
  };
  check("value", entry.values_offset, entry.values);
  check("count", entry.counts_offset, entry.counts);
  std::uint64_t blank = 0;
  std::vector<float> row(row_elements);
  for (std::uint64_t no = 0; no < entry.values / row_elements; ++no) {
    if (!read_row(entry, no, row)) ++blank;
  }
  return blank;
}

bool ImportanceMatrix::read_row(const Entry& entry, std::uint64_t expert,
                                std::span<float> out) const {
  const std::uint64_t first = entry.values == out.size() ? 0 : expert * out.size();
  float divisor = entry.divisor;
  if (entry.counts != 0) {
    const std::uint64_t count = first / (entry.values / entry.counts);
    divisor = load<float>(bytes_.data() + entry.counts_offset + count * sizeof(float));
  }
  std::memcpy(out.data(), bytes_.data() + entry.values_offset + first * sizeof(float),
              out.size_bytes());
  bool usable = divisor > 0;
  bool any = false;
  for (float& value : out) {
    value /= divisor;
    usable = usable && value >= 0 && std::isfinite(value);
    any = any || value > 0;
  }
  if (usable && any) return true;
  std::fill(out.begin(), out.end(), 1.0f);
  return false;
}

double ImportanceMatrix::uses(const Entry& entry, std::uint64_t expert,
                              std::uint64_t experts) const {
  if (entry.counts != experts) return 0;
  const auto uses = load<float>(bytes_.data() + entry.counts_offset + expert * sizeof(float));
  return uses >= 0 && std::isfinite(uses) ? uses : 0;
}

}  // namespace sluice
