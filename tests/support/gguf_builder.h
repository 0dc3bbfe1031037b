#pragma once

// Builds GGUF files in memory, byte by byte and independently of the library's writer, so that
// tests of every room can have the file they need, a broken one too.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::testing_support {

using Bytes = std::vector<std::byte>;

/// Appends raw bytes. (Not by `insert`, whose expansion g++ 12 warns about, wrongly.)
inline void put_bytes(Bytes& out, const void* bytes, std::size_t size) {
  const std::size_t at = out.size();
  out.resize(at + size);
  if (size != 0) std::memcpy(out.data() + at, bytes, size);
}

template <typename T>
void put(Bytes& out, T number) {
  put_bytes(out, &number, sizeof(number));
}

inline void put(Bytes& out, std::string_view text) {
  put(out, std::uint64_t{text.size()});
  put_bytes(out, text.data(), text.size());
}

/// The bytes of an array of numbers: tensor data.
template <typename T>
Bytes bytes_of(const std::vector<T>& numbers) {
  Bytes out;
  put_bytes(out, numbers.data(), numbers.size() * sizeof(T));
  return out;
}

/// A metadata array of numbers, as the file has it: element type, count, elements.
template <typename T>
Bytes array_bytes(std::uint32_t element_type, const std::vector<T>& numbers) {
  Bytes out;
  put(out, element_type);
  put(out, std::uint64_t{numbers.size()});
  put_bytes(out, numbers.data(), numbers.size() * sizeof(T));
  return out;
}

inline Bytes string_array_bytes(const std::vector<std::string>& texts) {
  Bytes out;
  put(out, std::uint32_t{8});
  put(out, std::uint64_t{texts.size()});
  for (const std::string& text : texts) put(out, std::string_view(text));
  return out;
}

/// Types are given as the numbers of the file format, so that the tests do not share the library's
/// idea of them.
class GgufBuilder {
 public:
  GgufBuilder& version(std::uint32_t number) {
    version_ = number;
    return *this;
  }

  /// Aligns the data to `bytes` and says so in `general.alignment`.
  GgufBuilder& alignment(std::uint32_t bytes) {
    alignment_ = bytes;
    return u32("general.alignment", bytes);
  }

  GgufBuilder& raw(std::string key, std::uint32_t type, Bytes value) {
    metadata_.push_back({std::move(key), type, std::move(value)});
    return *this;
  }
  GgufBuilder& u16(std::string key, std::uint16_t v) { return scalar(std::move(key), 2, v); }
  GgufBuilder& u32(std::string key, std::uint32_t v) { return scalar(std::move(key), 4, v); }
  GgufBuilder& i32(std::string key, std::int32_t v) { return scalar(std::move(key), 5, v); }
  GgufBuilder& f32(std::string key, float v) { return scalar(std::move(key), 6, v); }
  GgufBuilder& boolean(std::string key, bool v) {
    return scalar(std::move(key), 7, static_cast<std::uint8_t>(v));
  }
  GgufBuilder& string(std::string key, std::string_view v) {
    Bytes value;
    put(value, v);
    return raw(std::move(key), 8, std::move(value));
  }
  GgufBuilder& strings(std::string key, const std::vector<std::string>& v) {
    return raw(std::move(key), 9, string_array_bytes(v));
  }
  GgufBuilder& i32s(std::string key, const std::vector<std::int32_t>& v) {
    return raw(std::move(key), 9, array_bytes(5, v));
  }
  GgufBuilder& bools(std::string key, const std::vector<std::uint8_t>& v) {
    return raw(std::move(key), 9, array_bytes(7, v));
  }
  GgufBuilder& f32s(std::string key, const std::vector<float>& v) {
    return raw(std::move(key), 9, array_bytes(6, v));
  }

  /// A tensor with its data. With `offset` the description tells that offset, wherever the data is.
  GgufBuilder& tensor(std::string name, std::vector<std::uint64_t> shape, std::uint32_t type,
                      Bytes data, std::optional<std::uint64_t> offset = std::nullopt) {
    tensors_.push_back({std::move(name), std::move(shape), type, std::move(data), offset});
    return *this;
  }

  /// The order of the tensors' data in the file: indices in the order of the descriptions. Without
  /// it both orders are the same.
  GgufBuilder& data_order(std::vector<std::size_t> order) {
    order_ = std::move(order);
    return *this;
  }

  /// Leaves so many bytes free before each tensor's data (rounded up to the alignment).
  GgufBuilder& gap(std::uint64_t bytes) {
    gap_ = bytes;
    return *this;
  }

  /// Announces counts that are not those of what is there.
  GgufBuilder& claim_tensors(std::uint64_t count) {
    claimed_tensors_ = count;
    return *this;
  }
  GgufBuilder& claim_keys(std::uint64_t count) {
    claimed_keys_ = count;
    return *this;
  }

  /// Offsets of the tensors' data in the data section, in the order of the descriptions.
  std::vector<std::uint64_t> offsets() const {
    std::vector<std::uint64_t> out(tensors_.size());
    std::uint64_t end = 0;
    for (const std::size_t i : file_order()) {
      out[i] = pad(end + gap_);
      end = out[i] + tensors_[i].data.size();
    }
    return out;
  }

  /// Magic to the last description, without padding.
  Bytes header() const {
    Bytes out;
    put_bytes(out, "GGUF", 4);
    put(out, version_);
    put(out, claimed_tensors_.value_or(tensors_.size()));
    put(out, claimed_keys_.value_or(metadata_.size()));
    for (const KeyValue& kv : metadata_) {
      put(out, std::string_view(kv.key));
      put(out, kv.type);
      put_bytes(out, kv.value.data(), kv.value.size());
    }
    const std::vector<std::uint64_t> places = offsets();
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      const Tensor& t = tensors_[i];
      put(out, std::string_view(t.name));
      put(out, static_cast<std::uint32_t>(t.shape.size()));
      for (const std::uint64_t extent : t.shape) put(out, extent);
      put(out, t.type);
      put(out, t.offset.value_or(places[i]));
    }
    return out;
  }

  /// The whole file. Each tensor's data is followed by zeros up to the alignment.
  Bytes build() const {
    Bytes out = header();
    out.resize(pad(out.size()));
    const std::uint64_t data_start = out.size();
    const std::vector<std::uint64_t> places = offsets();
    for (const std::size_t i : file_order()) {
      out.resize(data_start + places[i]);
      put_bytes(out, tensors_[i].data.data(), tensors_[i].data.size());
      out.resize(data_start + pad(out.size() - data_start));
    }
    return out;
  }

 private:
  struct KeyValue {
    std::string key;
    std::uint32_t type;
    Bytes value;
  };
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::uint32_t type;
    Bytes data;
    std::optional<std::uint64_t> offset;
  };

  template <typename T>
  GgufBuilder& scalar(std::string key, std::uint32_t type, T v) {
    Bytes value;
    put(value, v);
    return raw(std::move(key), type, std::move(value));
  }

  std::uint64_t pad(std::uint64_t n) const {
    return (n + alignment_ - 1) / alignment_ * alignment_;
  }

  std::vector<std::size_t> file_order() const {
    if (!order_.empty()) return order_;
    std::vector<std::size_t> order(tensors_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    return order;
  }

  std::uint32_t version_ = 3;
  std::uint64_t alignment_ = 32;
  std::uint64_t gap_ = 0;
  std::vector<KeyValue> metadata_;
  std::vector<Tensor> tensors_;
  std::vector<std::size_t> order_;
  std::optional<std::uint64_t> claimed_tensors_;
  std::optional<std::uint64_t> claimed_keys_;
};

}  // namespace sluice::testing_support
