#include "api/model_files.h"

#include <algorithm>
#include <optional>

namespace sluice {
namespace {

// Most headers are smaller; those with a large vocabulary take a few doublings.
constexpr std::uint64_t kFirstPrefix = std::uint64_t{1} << 20;

gguf::Header read_header(const io::File& file) {
  const std::uint64_t size = file.size();
  std::vector<std::byte> prefix;
  for (std::uint64_t wanted = kFirstPrefix;; wanted *= 2) {
    const std::size_t had = prefix.size();
    prefix.resize(std::min(wanted, size));
    prefix.resize(had + file.read_at(had, std::span(prefix).subspan(had)));
    std::optional<gguf::Header> header = gguf::parse_header(prefix, size, file.path());
    if (header) return *std::move(header);
  }
}

}  // namespace

ModelFiles open_model(const std::string& path) {
  ModelFiles files;
  files.parts.push_back(io::File::open_input(path));
  files.model = read_header(files.parts.front());
  for (const gguf::Tensor& tensor : files.model.tensors) {
    files.locations.push_back({0, files.model.data_offset + tensor.offset});
  }
  return files;
}

}  // namespace sluice
