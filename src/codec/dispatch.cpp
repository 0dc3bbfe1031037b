#include <algorithm>
#include <array>
#include <cstdint>
#include <new>

#include "codec/kernels.h"
#include "codec/machine.h"
#include "codec/preparation.h"
#include "codec/types.h"
#include "sluice/codec.h"

// The kernels are compiled once for each instruction set of SLUICE_KERNELS, each time into a
// namespace of its own: kernel_table() is all that each of these builds shows to the rest.
namespace sluice {

namespace portable {
const Kernels& kernel_table() noexcept;
}
namespace avx2 {
const Kernels& kernel_table() noexcept;
}
namespace avx512bw {
const Kernels& kernel_table() noexcept;
}
namespace avx512 {
const Kernels& kernel_table() noexcept;
}
namespace neon {
const Kernels& kernel_table() noexcept;
}

namespace {

struct IsaRow {
  Isa isa;
  const Kernels& (*kernels)() noexcept;
  bool (*supported)() noexcept;
};

// From the least to the best.
constexpr std::array kIsas = {
#ifdef SLUICE_HAS_portable
    IsaRow{Isa::portable, portable::kernel_table, machine::portable},
#endif
#ifdef SLUICE_HAS_avx2
    IsaRow{Isa::avx2, avx2::kernel_table, machine::avx2},
#endif
#ifdef SLUICE_HAS_avx512bw
    IsaRow{Isa::avx512bw, avx512bw::kernel_table, machine::avx512bw},
#endif
#ifdef SLUICE_HAS_avx512
    IsaRow{Isa::avx512, avx512::kernel_table, machine::avx512},
#endif
#ifdef SLUICE_HAS_neon
    IsaRow{Isa::neon, neon::kernel_table, machine::neon},
#endif
};

const IsaRow* find_row(Isa isa) noexcept {
  const auto it =
      std::find_if(kIsas.begin(), kIsas.end(), [&](const IsaRow& row) { return row.isa == isa; });
  return it == kIsas.end() ? nullptr : &*it;
}

const Kernels& kernels(Isa isa) noexcept {
  return find_row(isa)->kernels();
}

// Where the codec tables have a type, by its number; -1: nowhere.
constexpr auto kPlaces = []() noexcept {
#define SLUICE_NUMBER(type) static_cast<std::size_t>(TensorType::type),
  constexpr std::size_t kNumbers[] = {SLUICE_CODEC_TYPES(SLUICE_NUMBER)};
  std::array<std::int8_t, *std::max_element(std::begin(kNumbers), std::end(kNumbers)) + 1> places{};
  places.fill(-1);
  std::int8_t next = 0;
  for (const std::size_t number : kNumbers) places[number] = next++;
  return places;
}();

/// How many weights one call of a codec's functions takes.
std::size_t elements_together(TensorType type, std::size_t elements,
                              std::size_t row_elements) noexcept {
  return is_all_blocks(type) ? elements : info(type).rows * row_elements;
}

}  // namespace

std::string_view name(Effort effort) noexcept {
  return effort == Effort::fast ? "fast" : "best";
}

std::string_view name(Isa isa) noexcept {
  constexpr std::array<std::string_view, 5> kNames = {"portable", "avx2", "avx512bw", "avx512",
                                                      "neon"};
  return kNames[static_cast<std::size_t>(isa)];
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> isas;
  for (const IsaRow& row : kIsas) {
    if (row.supported()) isas.push_back(row.isa);
  }
  return isas;
}

Isa best_isa() noexcept {
  Isa best = kIsas[0].isa;
  for (const IsaRow& row : kIsas) {
    if (row.supported()) best = row.isa;
  }
  return best;
}

std::span<const Codec> codecs(Isa isa) noexcept {
  return kernels(isa).codecs;
}

const CodeDecoders& code_decoders(Isa isa) noexcept {
  return kernels(isa).code_decoders;
}

ErrorSums plain_errors(std::span<const float> x, const float* y, Isa isa) noexcept {
  return kernels(isa).plain_errors(x, y);
}

ErrorSums weighted_errors(std::span<const float> x, const float* y, const float* importance,
                          Isa isa) noexcept {
  return kernels(isa).weighted_errors(x, y, importance);
}

float largest_magnitude(std::span<const float> values, Isa isa) noexcept {
  return kernels(isa).largest_magnitude(values);
}

const Codec* find_codec(TensorType type, Isa isa) noexcept {
  const auto number = static_cast<std::size_t>(type);
  if (number >= kPlaces.size() || kPlaces[number] < 0) return nullptr;
  return &codecs(isa)[static_cast<std::size_t>(kPlaces[number])];
}

std::size_t prepared_bytes(TensorType type, Isa isa) noexcept {
  std::size_t bytes = 0;
  for (const Preparation& of : kernels(isa).preparations) {
    if (of.type == type) bytes += of.bytes;
  }
  return bytes;
}

std::size_t prepared_bytes(const std::set<TensorType>& types, Isa isa) noexcept {
  std::size_t bytes = 0;
  for (const TensorType type : types) bytes += prepared_bytes(type, isa);
  return bytes;
}

const Codec& prepared_codec(TensorType type, Isa isa) {
  for (const Preparation& of : kernels(isa).preparations) {
    if (of.type == type && !of.prepare()) throw std::bad_alloc();
  }
  return *find_codec(type, isa);
}

const FeedbackKernel* find_feedback(TensorType type, Isa isa) noexcept {
  const auto& all = kernels(isa).feedback;
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const auto& kernel) { return kernel.type == type; });
  return it == all.end() ? nullptr : &*it;
}

bool can_decode(TensorType type) noexcept {
  const Codec* codec = find_codec(type);
  return codec != nullptr && codec->decode != nullptr;
}

void decode_rows(const Codec& codec, const std::byte* bytes, std::size_t elements,
                 std::size_t row_elements, float* out) noexcept {
  if (elements == 0) return;
  const std::size_t together = elements_together(codec.type, elements, row_elements);
  const std::size_t size = byte_size(codec.type, together, row_elements);
  for (std::size_t i = 0; i < elements; i += together, bytes += size) {
    codec.decode(bytes, out + i, together);
  }
}

bool rows_finite(const Codec& codec, const std::byte* bytes, std::size_t elements,
                 std::size_t row_elements) noexcept {
  if (elements == 0) return true;
  const std::size_t together = elements_together(codec.type, elements, row_elements);
  const std::size_t size = byte_size(codec.type, together, row_elements);
  const std::size_t blocks = together / info(codec.type).block_elements;
  bool all = true;
  for (std::size_t i = 0; i < elements; i += together, bytes += size) {
    all = all && codec.scales_finite(bytes, blocks);
  }
  return all;
}

}  // namespace sluice
