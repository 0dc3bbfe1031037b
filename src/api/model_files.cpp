#include "api/model_files.h"

#include "api/gguf_files.h"

namespace sluice {

ModelFiles open_model(const std::string& path, const std::atomic<bool>* stop) {
  return open_gguf(path, stop);
}

}  // namespace sluice
