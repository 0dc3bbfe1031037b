#include "imatrix/layout.h"

#include <utility>

#include "sluice/gguf.h"

namespace sluice::imatrix {

Layout::Layout(std::vector<Summed> tensors, SumsOrigin origin) : origin_(std::move(origin)) {
  gguf::Header header;
  header.set("general.type", gguf::Value::of("imatrix"));
  header.set("imatrix.datasets", gguf::Value::of_strings(origin_.datasets));
  header.set("imatrix.chunk_count", gguf::Value::of(static_cast<std::uint32_t>(origin_.chunks)));
  header.set("imatrix.chunk_size", gguf::Value::of(static_cast<std::uint32_t>(origin_.chunk_size)));
  for (Summed& tensor : tensors) {
    std::string name = tensor.name;
    places_.emplace(std::move(name), SumsPlace{.tensor = std::move(tensor)});
  }
  for (const auto& [name, place] : places_) {
    const Summed& tensor = place.tensor;
    const std::uint64_t counts = tensor.counts();
    header.tensors.push_back(
        {.name = name + ".in_sum2", .shape = {tensor.values() / counts, counts}});
    header.tensors.push_back({.name = name + ".counts", .shape = {1, counts}});
  }
  const std::uint64_t data = gguf::lay_out(header.tensors, header.alignment);
  header_ = gguf::serialize_header(header);
  size_ = header_.size() + data;
  std::size_t index = 0;
  for (auto& [name, place] : places_) {
    place.sums = header_.size() + header.tensors[index++].offset;
    place.counts = header_.size() + header.tensors[index++].offset;
  }
}

const SumsPlace* Layout::find(std::string_view tensor) const {
  const auto found = places_.find(tensor);
  return found == places_.end() ? nullptr : &found->second;
}

}  // namespace sluice::imatrix
