#include "sluice/inspect.h"

#include <utility>

#include "api/model_files.h"

namespace sluice {

Inspection inspect(const std::string& path) {
  ModelFiles model = open_model(path);
  Inspection inspection;
  for (std::size_t i = 0; i < model.parts.size(); ++i) {
    const gguf::Header& header = model.headers[i].header;
    inspection.files.push_back({.path = model.parts[i].path(),
                                .size = model.states[i].size,
                                .version = header.version,
                                .alignment = header.alignment,
                                .data_offset = header.data_offset});
  }
  for (std::size_t i = 0; i < model.model.tensors.size(); ++i) {
    gguf::Tensor& tensor = model.model.tensors[i];
    inspection.weights += tensor.elements();
    inspection.data_bytes += tensor.size;
    inspection.tensors.push_back({.name = std::move(tensor.name),
                                  .shape = std::move(tensor.shape),
                                  .type = tensor.type,
                                  .size = tensor.size,
                                  .file = model.locations[i].part,
                                  .offset = model.locations[i].file_offset});
  }
  inspection.metadata = std::move(model.model.metadata);
  return inspection;
}

}  // namespace sluice
