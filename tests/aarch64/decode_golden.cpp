// Decodes files TYPE.bin with the kernels of each instruction set, and compares with TYPE.f32 beside them,
// value by value to the last bit: decode_golden FILE.bin...

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "sluice/codec.h"

namespace sluice {
namespace {

/// Of files whose rows have a scale, or are stored together; all others are whole rows of any length.
constexpr std::size_t kRow = 512;

std::vector<char> read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool decodes(const std::filesystem::path& path) {
  const TensorTypeInfo* type = find_tensor_type(path.stem().string());
  const std::vector<char> bytes = read(path);
  const std::vector<char> expected = read(std::filesystem::path(path).replace_extension("f32"));
  const std::size_t elements = expected.size() / sizeof(float);
  const std::size_t row = elements % kRow == 0 ? kRow : elements;
  if (type == nullptr || elements == 0 || bytes.size() != byte_size(type->type, elements, row)) {
    std::fprintf(stderr, "%s is no such file\n", path.c_str());
    return false;
  }
  bool same = true;
  for (const Isa isa : supported_isas()) {
    std::vector<float> decoded(elements);
    decode_rows(*find_codec(type->type, isa), reinterpret_cast<const std::byte*>(bytes.data()),
                elements, row, decoded.data());
    if (std::memcmp(decoded.data(), expected.data(), expected.size()) == 0) continue;
    std::fprintf(stderr, "%s: %s decodes something else\n", path.c_str(),
                 std::string(name(isa)).c_str());
    same = false;
  }
  return same;
}

}  // namespace
}  // namespace sluice

int main(int count, char** words) {
  bool all = count > 1;
  for (int i = 1; i < count; ++i) all = sluice::decodes(words[i]) && all;
  return all ? 0 : 1;
}
