#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>
#include <utility>

#include "base/checked.h"
#include "gguf/reader.h"

namespace sluice::gguf {
namespace {

constexpr std::uint64_t kLongestKey = 65535;  // as the format's description has it
// llama.cpp reads names of up to 63 bytes. Longer ones are read here, as forks do.
constexpr std::uint64_t kLongestTensorName = 1024;
constexpr std::uint64_t kLargestAlignment = 16ull << 20;
constexpr std::uint32_t kMostExtents = 4;

// The fewest bytes that a key with its value and a tensor's description take.
constexpr std::uint64_t kLeastKeyValue = kLeastString + 1 + 4 + 1;
constexpr std::uint64_t kLeastTensor = kLeastString + 1 + 4 + 4 + 8;

void read_magic(Reader& in) {
  constexpr std::string_view kMagic = "GGUF";
  const auto bytes = in.take(std::min<std::uint64_t>(in.file_size(), kMagic.size()));
  const std::string_view magic(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!kMagic.starts_with(magic)) {
    in.fail(
        ErrorCode::input_format,
        fmt::format("not a GGUF file: it begins with '{}'", printable(magic)), 0,
        "Name a model in GGUF form or the folder of a checkpoint, no Git LFS pointer and no saved "
        "web page");
  }
  in.take(kMagic.size() - magic.size());  // reports a file that is shorter than its magic
}

std::uint32_t read_version(Reader& in) {
  const std::uint64_t start = in.position();
  const auto version = in.number<std::uint32_t>();
  if (version == 2 || version == 3) return version;
  const std::uint32_t swapped = __builtin_bswap32(version);
  if (swapped >= 1 && swapped <= 3) {
    in.fail(
        ErrorCode::input_format,
        fmt::format("GGUF version {} in big-endian byte order, which is not supported", swapped),
        start, "Convert the file with gguf_convert_endian.py of llama.cpp's gguf-py");
  }
  if (version == 1) {
    in.fail(ErrorCode::input_format, "GGUF version 1 is not supported", start,
            "Convert the model again with a llama.cpp of September 2023 or later");
  }
  in.fail(ErrorCode::input_format,
          fmt::format("GGUF version {} is unknown; 2 and 3 can be read", version), start,
          version > 3 ? "Use a newer sluice" : kDamaged);
}

std::vector<KeyValue> read_metadata(Reader& in, std::uint64_t count) {
  std::vector<KeyValue> metadata;
  std::set<std::string_view> seen;
  for (std::uint64_t i = 0; i < count; ++i) {
    in.about({}, {});
    const std::uint64_t start = in.position();
    const std::string_view key = in.name("metadata key", kLongestKey);
    in.about({}, printable(key));
    if (!seen.insert(key).second) in.fail("is given twice", start);
    const auto type = static_cast<ValueType>(in.number<std::uint32_t>());
    const auto bytes = in.value(type);
    metadata.push_back({std::string(key), {type, {bytes.begin(), bytes.end()}}});
  }
  in.about({}, {});
  return metadata;
}

std::uint64_t alignment_of(const Reader& in, const Header& header) {
  constexpr std::uint64_t kDefault = 32;
  const Value* value = header.find("general.alignment");
  if (value == nullptr) return kDefault;
  const std::optional<std::uint64_t> alignment = value->as_uint();
  if (!alignment || !std::has_single_bit(*alignment) || *alignment > kLargestAlignment) {
    in.fail(ErrorCode::input_format,
            fmt::format("general.alignment is {}, where a power of two of at most {} is wanted",
                        alignment ? std::to_string(*alignment)
                                  : fmt::format("of the type {}, or negative", name(value->type)),
                        kLargestAlignment),
            in.position(), "Convert the model anew, with the alignment as a u32, or without it");
  }
  return *alignment;
}

std::vector<std::uint64_t> read_shape(Reader& in) {
  const std::uint64_t start = in.position();
  const auto extents = in.number<std::uint32_t>();
  if (extents > kMostExtents) {
    in.fail(fmt::format("{} extents; at most {} are allowed", extents, kMostExtents), start);
  }
  std::vector<std::uint64_t> shape(extents);
  for (std::uint64_t& extent : shape) extent = in.number<std::uint64_t>();
  if (shape.empty()) shape.push_back(1);  // a scalar, as llama.cpp has it
  return shape;
}

/// The bytes of a tensor, or nothing if its weights or bytes are more than can be counted. Both are
/// looked at: where a weight takes less than a byte, the bytes alone might do. 0 if the type's
/// layout is not known.
std::optional<std::uint64_t> bytes_of(const Tensor& tensor, const TensorTypeInfo& type) {
  if (std::ranges::count(tensor.shape, 0) > 0) return 0;
  std::optional<std::uint64_t> elements = 1;
  for (const std::uint64_t extent : tensor.shape) {
    elements = checked_mul(*elements, extent);
    if (!elements) return std::nullopt;
  }
  const auto blocks = checked_mul(*elements / type.block_elements, type.block_bytes);
  const auto heads = checked_mul(*elements / tensor.row_elements(), type.row_bytes);
  return blocks && heads ? checked_add(*blocks, *heads) : std::nullopt;
}

Tensor read_tensor(Reader& in, std::set<std::string_view>& seen) {
  in.about({}, {});
  const std::uint64_t start = in.position();
  const std::string_view name = in.name("tensor name", kLongestTensorName);
  in.about(printable(name), {});
  if (!seen.insert(name).second) in.fail("is described twice", start);

  Tensor tensor;
  tensor.name = name;
  const std::uint64_t shape_at = in.position();
  tensor.shape = read_shape(in);
  tensor.type = static_cast<TensorType>(in.number<std::uint32_t>());
  const TensorTypeInfo& type = info(tensor.type);
  if (tensor.row_elements() % type.block_elements != 0) {
    in.fail(fmt::format("a row of {} weights is no whole number of {} blocks of {}",
                        tensor.row_elements(), type.name, type.block_elements),
            shape_at);
  }
  if (const std::uint64_t rows = tensor.shape.size() < 2 ? 1 : tensor.shape[1];
      rows % type.rows != 0) {
    in.fail(fmt::format("its {} rows are no whole number of groups of {}, as {} stores them", rows,
                        type.rows, type.name),
            shape_at);
  }
  const std::optional<std::uint64_t> size = bytes_of(tensor, type);
  if (!size) in.fail("its extents multiply to more than any file can hold", shape_at);
  tensor.size = *size;
  tensor.offset = in.number<std::uint64_t>();
  return tensor;
}

/// The tensors as they lie in the file. One without elements takes no room, and so may begin where
/// another does: it comes first.
std::vector<Tensor*> in_file_order(Header& header) {
  std::vector<Tensor*> order(header.tensors.size());
  std::ranges::transform(header.tensors, order.begin(), [](Tensor& tensor) { return &tensor; });
  std::ranges::sort(order, {}, [](const Tensor* tensor) {
    return std::pair(tensor->offset, tensor->elements() > 0);
  });
  return order;
}

/// Gives tensors of types of unknown layout all that lies before the next tensor.
void set_unknown_sizes(std::span<Tensor* const> order, std::uint64_t room) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    Tensor& tensor = *order[i];
    if (has_layout(tensor.type) || tensor.elements() == 0) continue;
    const std::uint64_t end = i + 1 < order.size() ? std::min(order[i + 1]->offset, room) : room;
    // Some byte it must have: none, and its end is found to be where it cannot be.
    tensor.size = std::max(end, tensor.offset + 1) - tensor.offset;
  }
}

/// Checks that the tensors lie in the file, aligned and apart. Their order does not matter, and
/// gaps between them are allowed. One without elements may follow padding that was left out.
void check_places(Reader& in, Header& header) {
  const std::uint64_t room = in.file_size() - header.data_offset;
  const std::vector<Tensor*> order = in_file_order(header);
  set_unknown_sizes(order, room);
  for (const Tensor& tensor : header.tensors) {
    in.about(printable(tensor.name), {});
    const std::uint64_t end =
        tensor.size > 0 ? room : checked_align_up(room, header.alignment).value_or(room);
    if (tensor.offset > end || tensor.size > end - tensor.offset) {
      in.fail(ErrorCode::input_truncated,
              fmt::format("its {} bytes at offset {} of the data section end beyond the file's {} "
                          "bytes",
                          tensor.size, tensor.offset, in.file_size()),
              header.data_offset, kDamaged);
    }
    if (tensor.offset % header.alignment != 0) {
      in.fail(fmt::format("its offset {} in the data section is no multiple of the alignment {}",
                          tensor.offset, header.alignment),
              header.data_offset + tensor.offset);
    }
  }
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Tensor& before = *order[i - 1];
    const Tensor& after = *order[i];
    if (before.offset + before.size > after.offset) {
      in.about(printable(after.name), {});
      in.fail(fmt::format("its data overlaps that of tensor '{}'", printable(before.name)),
              header.data_offset + after.offset);
    }
  }
  in.about({}, {});
}

Header read_header(Reader& in) {
  Header header;
  read_magic(in);
  header.version = read_version(in);
  const auto tensors = in.number<std::uint64_t>();
  const auto key_values = in.number<std::uint64_t>();
  in.expect_room(tensors, kLeastTensor, "tensors");
  in.expect_room(key_values, kLeastKeyValue, "metadata keys");

  header.metadata = read_metadata(in, key_values);
  header.alignment = alignment_of(in, header);
  in.expect_room(tensors, kLeastTensor, "tensors");
  std::set<std::string_view> seen;
  for (std::uint64_t i = 0; i < tensors; ++i) header.tensors.push_back(read_tensor(in, seen));
  in.about({}, {});

  header.end = in.position();
  header.data_offset = align_up(header.end, header.alignment);
  if (!header.tensors.empty()) {
    if (header.data_offset > in.file_size()) {
      in.fail(ErrorCode::input_truncated, "the file ends before its data section", in.position(),
              kDamaged);
    }
    check_places(in, header);
  }
  return header;
}

}  // namespace

std::optional<Header> parse_header(std::span<const std::byte> prefix, std::uint64_t file_size,
                                   const std::string& file) {
  Reader in(prefix, file_size, file);
  try {
    return read_header(in);
  } catch (const PrefixEnds&) {
    return std::nullopt;
  }
}

}  // namespace sluice::gguf
