#include <algorithm>
#include <cassert>
#include <functional>
#include <numeric>

#include "base/checked.h"
#include "gguf/bytes.h"
#include "sluice/error.h"
#include "sluice/gguf.h"

namespace sluice::gguf {
namespace {

void append_name(std::vector<std::byte>& out, std::string_view name) {
  append(out, std::uint64_t{name.size()});
  append_bytes(out, std::as_bytes(std::span(name)));
}

}  // namespace

std::uint64_t Tensor::elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

const Value* Header::find(std::string_view key) const {
  const auto it = std::find_if(metadata.begin(), metadata.end(),
                               [&](const KeyValue& kv) { return kv.key == key; });
  return it == metadata.end() ? nullptr : &it->value;
}

void Header::set(std::string_view key, Value value) {
  const auto it = std::find_if(metadata.begin(), metadata.end(),
                               [&](const KeyValue& kv) { return kv.key == key; });
  if (it == metadata.end()) {
    metadata.push_back({std::string(key), std::move(value)});
  } else {
    it->value = std::move(value);
  }
}

bool Header::erase(std::string_view key) {
  return std::erase_if(metadata, [&](const KeyValue& kv) { return kv.key == key; }) != 0;
}

std::uint64_t lay_out(std::span<Tensor> tensors, std::uint64_t alignment) {
  std::uint64_t end = 0;
  for (Tensor& tensor : tensors) {
    if (has_layout(tensor.type)) {
      tensor.size = byte_size(tensor.type, tensor.elements(), tensor.row_elements());
    }
    tensor.offset = end;
    const auto unpadded = checked_add(end, tensor.size);
    const auto padded = unpadded ? checked_align_up(*unpadded, alignment) : std::nullopt;
    if (!padded) {
      throw Error(ErrorCode::input_format, "the model's tensors are too large for any file",
                  {.tensor = tensor.name, .offset = end});
    }
    end = *padded;
  }
  return end;
}

std::vector<std::byte> serialize_header(const Header& header) {
  assert(header.alignment == 32 || header.find("general.alignment") != nullptr);
  constexpr std::uint32_t kVersion = 3;
  std::vector<std::byte> out;
  append_bytes(out, std::as_bytes(std::span("GGUF", 4)));
  append(out, kVersion);
  append(out, std::uint64_t{header.tensors.size()});
  append(out, std::uint64_t{header.metadata.size()});
  for (const auto& [key, value] : header.metadata) {
    append_name(out, key);
    append(out, static_cast<std::uint32_t>(value.type));
    append_bytes(out, value.bytes);
  }
  for (const Tensor& tensor : header.tensors) {
    append_name(out, tensor.name);
    append(out, static_cast<std::uint32_t>(tensor.shape.size()));
    for (const std::uint64_t extent : tensor.shape) append(out, extent);
    append(out, static_cast<std::uint32_t>(tensor.type));
    append(out, tensor.offset);
  }
  out.resize(align_up(out.size(), header.alignment));
  return out;
}

}  // namespace sluice::gguf
