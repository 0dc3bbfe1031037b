#pragma once

// What every header that was parsed promises to those who use it.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/text.h"
#include "fuzz/expect.h"
#include "sluice/gguf.h"

namespace sluice::fuzzing {

/// Accessors bear any bytes, and what they give is written as it was.
inline void expect_readable(const gguf::Value& value) {
  using gguf::Value;
  if (const auto text = value.as_string()) FUZZ_EXPECT(Value::of(*text).bytes == value.bytes);
  if (const auto texts = value.as_strings()) {
    FUZZ_EXPECT(Value::of_strings(*texts).bytes == value.bytes);
  }
  (void)value.as_uint();
  (void)value.as_uints();
}

inline void expect_sound(const gguf::Tensor& tensor, const gguf::Header& header,
                         std::uint64_t file_size) {
  FUZZ_EXPECT(!tensor.name.empty());
  FUZZ_EXPECT(is_plain_utf8(tensor.name));
  FUZZ_EXPECT(is_safe_to_show(printable(tensor.name)));
  FUZZ_EXPECT(!tensor.shape.empty() && tensor.shape.size() <= 4);
  FUZZ_EXPECT(!has_layout(tensor.type) ||
              tensor.size == byte_size(tensor.type, tensor.elements(), tensor.row_elements()));
  FUZZ_EXPECT(tensor.row_elements() % info(tensor.type).block_elements == 0);
  FUZZ_EXPECT(tensor.offset % header.alignment == 0);
  const std::uint64_t room = file_size - header.data_offset;
  FUZZ_EXPECT(tensor.size == 0 || (tensor.offset <= room && tensor.size <= room - tensor.offset));
}

/// Names are unique, tensors lie in the file, aligned and apart.
inline void expect_sound(const gguf::Header& header, std::uint64_t file_size) {
  FUZZ_EXPECT(header.version == 2 || header.version == 3);
  FUZZ_EXPECT(std::has_single_bit(header.alignment));
  FUZZ_EXPECT(header.data_offset % header.alignment == 0);
  FUZZ_EXPECT(header.tensors.empty() || header.data_offset <= file_size);
  std::set<std::string> names;
  for (const auto& [key, value] : header.metadata) {
    FUZZ_EXPECT(names.insert(key).second);
    FUZZ_EXPECT(is_plain_utf8(key));
    expect_readable(value);
  }
  names.clear();
  std::vector<const gguf::Tensor*> in_file_order;
  for (const gguf::Tensor& tensor : header.tensors) {
    FUZZ_EXPECT(names.insert(tensor.name).second);
    expect_sound(tensor, header, file_size);
    in_file_order.push_back(&tensor);
  }
  std::sort(in_file_order.begin(), in_file_order.end(), [](const auto* a, const auto* b) {
    return std::tie(a->offset, a->size) < std::tie(b->offset, b->size);
  });
  for (std::size_t i = 1; i < in_file_order.size(); ++i) {
    const gguf::Tensor& before = *in_file_order[i - 1];
    FUZZ_EXPECT(before.offset + before.size <= in_file_order[i]->offset);
  }
}

/// The same but for the version, since always the newest is written.
inline void expect_same(const gguf::Header& a, const gguf::Header& b) {
  FUZZ_EXPECT(a.alignment == b.alignment);
  FUZZ_EXPECT(a.data_offset == b.data_offset);
  FUZZ_EXPECT(a.metadata.size() == b.metadata.size());
  FUZZ_EXPECT(a.tensors.size() == b.tensors.size());
  for (std::size_t i = 0; i < a.metadata.size(); ++i) {
    FUZZ_EXPECT(a.metadata[i].key == b.metadata[i].key);
    FUZZ_EXPECT(a.metadata[i].value.type == b.metadata[i].value.type);
    FUZZ_EXPECT(a.metadata[i].value.bytes == b.metadata[i].value.bytes);
  }
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    const gguf::Tensor& x = a.tensors[i];
    const gguf::Tensor& y = b.tensors[i];
    FUZZ_EXPECT(x.name == y.name && x.shape == y.shape && x.type == y.type);
    FUZZ_EXPECT(x.offset == y.offset);
    // Of unknown types, padding at the file's end that was left out counts when it is there.
    FUZZ_EXPECT(info(x.type).block_bytes == 0 || x.size == y.size);
  }
}

}  // namespace sluice::fuzzing
