// Prints a checksum of what each kernel makes of the same numbers: a type's blocks and what they decode
// to, error feedback, products and functions. All instruction sets of the machine must agree (status 1:
// they do not), and so must all machines.

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "codec/feedback.h"
#include "linear/functions.h"
#include "linear/products.h"
#include "sluice/codec.h"
#include "support/thread_team.h"

namespace sluice {
namespace {

/// The same on any machine: integers, and floats that are made of them exactly.
class Numbers {
 public:
  /// In steps of 2^-16: a sum of three uniform ones, some of them far larger.
  float heavy() {
    const int sum = uniform() + uniform() + uniform() - 3 * 0x8000;
    return static_cast<float>(uniform() % 40 == 0 ? 9 * sum : sum) * 0x1p-16f;
  }
  float positive() {
    return static_cast<float>(1 + uniform() % 0x1000 * (uniform() % 16)) * 0x1p-8f;
  }

  std::vector<float> many(std::size_t n, float (Numbers::*number)()) {
    std::vector<float> all(n);
    for (float& each : all) each = (this->*number)();
    return all;
  }

 private:
  int uniform() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int>(state_ >> 48);
  }

  std::uint64_t state_ = 18;
};

class Checksum {
 public:
  template <typename T>
  void add(std::span<const T> numbers) {
    sum_ = crc32_z(sum_, reinterpret_cast<const Bytef*>(numbers.data()), numbers.size_bytes());
  }
  unsigned long sum() const { return sum_; }

 private:
  unsigned long sum_ = 0;
};

using Kernel = std::function<void(Isa, Checksum&)>;

bool agrees = true;

void tell(const std::string& what, const Kernel& kernel) {
  const std::vector<Isa> isas = supported_isas();
  unsigned long first = 0;
  for (const Isa isa : isas) {
    Checksum checksum;
    kernel(isa, checksum);
    if (isa == isas.front()) first = checksum.sum();
    if (checksum.sum() != first) {
      std::fprintf(stderr, "%s: %s makes something else\n", what.c_str(),
                   std::string(name(isa)).c_str());
      agrees = false;
    }
  }
  std::printf("%s %08lx\n", what.c_str(), first);
}

void tell_type(TensorType type, Effort effort) {
  constexpr std::size_t kElements = 512;
  const std::size_t rows = std::max<std::size_t>(2, info(type).rows);
  Numbers numbers;
  const std::vector<float> values = numbers.many(rows * kElements, &Numbers::heavy);
  const std::vector<float> importance = numbers.many(kElements, &Numbers::positive);
  tell(std::string(name(type)) + ' ' + std::string(name(effort)), [&](Isa isa, Checksum& checksum) {
    const Codec& codec = *find_codec(type, isa);
    std::vector<std::byte> blocks(byte_size(type, values.size(), kElements), std::byte{0x35});
    if (codec.encode != nullptr) {
      codec.encode({.values = values.data(),
                    .rows = rows,
                    .row_elements = kElements,
                    .importance = importance.data(),
                    .effort = effort},
                   blocks.data());
    }
    std::vector<float> decoded(values.size());
    decode_rows(codec, blocks.data(), decoded.size(), kElements, decoded.data());
    checksum.add<std::byte>(blocks);
    checksum.add<float>(decoded);
  });
}

/// A type of 16-bit numbers: all of its codes, and numbers of every exponent on either side of ties.
void tell_numbers(TensorType type) {
  std::vector<std::uint16_t> codes;
  std::vector<float> values;
  for (std::uint32_t upper = 0; upper < 0x10000; ++upper) {
    codes.push_back(static_cast<std::uint16_t>(upper));
    if ((upper & 0x7f80u) == 0x7f80u) continue;
    for (const std::uint32_t lower :
         {0x0fffu, 0x1000u, 0x1001u, 0x3000u, 0x7fffu, 0x8000u, 0x8001u}) {
      values.push_back(std::bit_cast<float>(upper << 16 | lower));
    }
  }
  tell(std::string(name(type)) + " numbers", [&](Isa isa, Checksum& checksum) {
    const Codec& codec = *find_codec(type, isa);
    std::vector<std::uint16_t> encoded(values.size());
    codec.encode(
        {.values = values.data(), .rows = 1, .row_elements = values.size(), .importance = nullptr},
        reinterpret_cast<std::byte*>(encoded.data()));
    std::vector<float> decoded(codes.size());
    codec.decode(reinterpret_cast<const std::byte*>(codes.data()), decoded.data(), decoded.size());
    checksum.add<std::uint16_t>(encoded);
    checksum.add<float>(decoded);
  });
}

void tell_feedback(const FeedbackKernel& kernel) {
  const std::size_t n = kernel.columns;
  Numbers numbers;
  const std::vector<float> values = numbers.many(kFeedbackRows * n, &Numbers::heavy);
  const std::vector<float> shift = numbers.many(kFeedbackRows * n, &Numbers::heavy);
  const std::vector<float> unit = numbers.many(n * n, &Numbers::heavy);
  const std::vector<float> weight = numbers.many(n, &Numbers::positive);
  const FeedbackColumns columns = {.values = {values.data(), n},
                                   .shift = {shift.data(), n},
                                   .unit = unit.data(),
                                   .stride = n,
                                   .weight = weight.data(),
                                   .metric = weight.data()};
  const std::size_t block_bytes = byte_size(kernel.type, n);
  tell(std::string(name(kernel.type)) + " feedback", [&](Isa isa, Checksum& checksum) {
    const FeedbackKernel& same = *find_feedback(kernel.type, isa);
    std::vector<std::byte> blocks(kFeedbackRows * block_bytes);
    std::vector<float> errors(kFeedbackRows * n);
    for (std::size_t r = 0; same.row_head > 0 && r < kFeedbackRows; ++r) {
      const EncodeRows row = {.values = values.data() + r * n,
                              .rows = 1,
                              .row_elements = n,
                              .importance = weight.data()};
      same.choose_row_scale(row, blocks.data() + r * block_bytes);
    }
    same.encode(columns, blocks.data(), block_bytes, {errors.data(), n});
    checksum.add<std::byte>(blocks);
    same.improve(columns, blocks.data(), block_bytes, {errors.data(), n});
    checksum.add<std::byte>(blocks);
    checksum.add<float>(errors);
  });
}

void tell_product() {
  constexpr std::size_t kRows = 19;
  constexpr std::size_t kColumns = 37;
  constexpr std::size_t kDepth = 300;
  Numbers numbers;
  const std::vector<float> a = numbers.many(kRows * kDepth, &Numbers::heavy);
  const std::vector<float> b = numbers.many(kColumns * kDepth, &Numbers::heavy);
  tell("product", [&](Isa isa, Checksum& checksum) {
    std::vector<float> out(kRows * kColumns);
    ThreadTeam team;
    linear::multiply({a.data(), kRows, kDepth, kDepth},
                     linear::ConstMatrix(b.data(), kColumns, kDepth, kDepth),
                     {out.data(), kRows, kColumns, kColumns}, isa, team);
    checksum.add<float>(out);
  });
}

void tell_functions() {
  Numbers numbers;
  const std::vector<float> x = numbers.many(1001, &Numbers::heavy);
  const std::vector<float> y = numbers.many(1001, &Numbers::heavy);
  const auto tell_one = [&](const char* what, const auto& function) {
    tell(what, [&](Isa isa, Checksum& checksum) {
      std::vector<float> out = x;
      function(out.data(), out.size(), isa);
      checksum.add<float>(out);
    });
  };
  tell_one("rms_norm", [&](float* out, std::size_t n, Isa isa) {
    linear::rms_norm(out, y.data(), n, 1e-5f, out, isa);
  });
  tell_one("softmax",
           [](float* out, std::size_t n, Isa isa) { linear::softmax(out, n, nullptr, isa); });
  tell_one("soft_cap",
           [](float* out, std::size_t n, Isa isa) { linear::soft_cap(out, n, 2, isa); });
  tell_one("silu_gate",
           [&](float* out, std::size_t n, Isa isa) { linear::silu_gate(out, y.data(), n, isa); });
  tell_one("gelu_gate",
           [&](float* out, std::size_t n, Isa isa) { linear::gelu_gate(out, y.data(), n, isa); });
  tell_one("clamped_silu_gate", [&](float* out, std::size_t n, Isa isa) {
    linear::clamped_silu_gate(out, y.data(), n, isa);
  });
}

}  // namespace
}  // namespace sluice

int main() {
  using namespace sluice;
  for (const Codec& codec : codecs()) {
    tell_type(codec.type, Effort::best);
    if (codec.encode == nullptr) continue;
    tell_type(codec.type, Effort::fast);
    if (const FeedbackKernel* kernel = find_feedback(codec.type)) tell_feedback(*kernel);
  }
  tell_numbers(TensorType::f16);
  tell_numbers(TensorType::bf16);
  tell_product();
  tell_functions();
  return agrees ? 0 : 1;
}
