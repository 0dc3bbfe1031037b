#include "api/gguf_files.h"

#include <xxhash.h>

#include <algorithm>
#include <optional>

#include "gguf/split.h"
#include "io/http/url.h"
#include "sluice/urls.h"

namespace sluice {
namespace {

// Most headers are smaller; those with a large vocabulary take a few doublings. Of a remote file so
// much comes when it is opened.
constexpr std::uint64_t kFirstPrefix = std::uint64_t{256} << 10;

gguf::Header read_header(const io::File& file, std::uint64_t& hash) {
  const std::uint64_t size = file.size();
  std::vector<std::byte> prefix;
  for (std::uint64_t wanted = kFirstPrefix;; wanted *= 2) {
    const std::size_t had = prefix.size();
    prefix.resize(std::min(wanted, size));
    prefix.resize(had + file.read_at(had, std::span(prefix).subspan(had)));
    std::optional<gguf::Header> header = gguf::parse_header(prefix, size, file.path());
    if (header) {
      hash =
          XXH3_64bits(prefix.data(), std::min<std::uint64_t>(prefix.size(), header->data_offset));
      return *std::move(header);
    }
  }
}

/// A tensor as it lies in its file. Rows that are stored together are one row of it. Of a type without
/// a layout nothing but its size is known.
weights::Stored stored_of(const gguf::Tensor& tensor, const weights::Place& place) {
  weights::Stored stored;
  stored.name = tensor.name;
  stored.place = place;
  stored.type = tensor.type;
  if (has_layout(tensor.type)) {
    stored.shape.assign(tensor.shape.rbegin(), tensor.shape.rend());
    if (const std::uint64_t rows = info(tensor.type).rows; rows > 1) {
      stored.shape.back() *= rows;
      stored.shape[stored.shape.size() - 2] /= rows;
    }
  } else {
    stored.type = TensorType::i8;
    stored.shape = {tensor.size, 1};
  }
  return stored;
}

/// \param shown  as `path`, but for what is not to be shown
std::vector<std::string> names_of_parts(const std::string& path, const std::string& shown,
                                        const gguf::Split& split) {
  if (!is_url(path)) return gguf::part_files(path, split);
  std::vector<std::string> names = gguf::part_files(shown.substr(0, shown.find('?')), split);
  for (std::string& name : names) name = io::sibling(path, name.substr(name.rfind('/') + 1));
  return names;
}

weights::Weights weights_of(const gguf::Model& model, const std::vector<gguf::Part>& parts) {
  weights::Weights weights;
  for (std::size_t i = 0; i < model.header.tensors.size(); ++i) {
    const gguf::Tensor& tensor = model.header.tensors[i];
    const std::uint32_t part = model.parts[i];
    const std::uint64_t offset = parts[part].header.data_offset + tensor.offset;
    const weights::Stored& stored =
        weights.stored.emplace_back(stored_of(tensor, {part, offset, tensor.size}));
    weights::Source& source = weights.sources.emplace_back();
    if (const std::uint64_t elements = stored.elements(); elements != 0) {
      const std::uint64_t columns = stored.columns();
      source.views = {{i, 0, {{elements / columns, columns}, {columns, 1}}}};
    }
  }
  return weights;
}

}  // namespace

ModelFiles open_gguf(const std::string& path, const std::atomic<bool>* stop) {
  ModelFiles files;
  std::vector<gguf::Part> parts;
  const auto open_parts = [&](std::span<const std::string> names) {
    files = {};
    parts.clear();
    files.parts = io::open_inputs(names, stop);
    for (const io::File& file : files.parts) {
      files.states.push_back(file.state());
      parts.push_back({file.path(), read_header(file, files.header_hashes.emplace_back())});
    }
  };
  open_parts({&path, 1});
  const gguf::Part& first = parts.front();
  if (const std::optional<gguf::Split> split = gguf::split_of(first.header, first.file)) {
    open_parts(names_of_parts(path, first.file, *split));
  }
  gguf::Model model = gguf::merge_parts(parts);
  files.weights = weights_of(model, parts);
  files.model = std::move(model.header);
  files.headers = std::move(parts);
  return files;
}

}  // namespace sluice
