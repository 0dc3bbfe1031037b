#include "peer.h"

#include <dlfcn.h>
#include <strings.h>

#include <filesystem>
#include <stdexcept>

namespace sluice::bench {
namespace {

template <typename Function>
Function find(void* library, const char* symbol) {
  return reinterpret_cast<Function>(dlsym(library, symbol));
}

// Creating a context, even an empty one, fills the library's table of 16-bit floats.
struct ContextParameters {
  std::size_t memory_size;
  void* memory;
  bool without_data;
};

void fill_tables(void* library) {
  const auto init = find<void* (*)(ContextParameters)>(library, "ggml_init");
  const auto free = find<void (*)(void*)>(library, "ggml_free");
  if (init != nullptr && free != nullptr) free(init({0, nullptr, false}));
}

}  // namespace

Peer::Peer(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  const std::string path = argument.substr(equals == std::string::npos ? 0 : equals + 1);
  label_ = equals == std::string::npos ? std::filesystem::path(path).stem().string()
                                       : argument.substr(0, equals);
  library_ = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (library_ == nullptr) throw std::runtime_error(dlerror());
  quantize_chunk_ = find<QuantizeChunk>(library_, "ggml_quantize_chunk");
  quantize_init_ = find<QuantizeInit>(library_, "ggml_quantize_init");
  type_name_ = find<TypeName>(library_, "ggml_type_name");
  if (quantize_chunk_ == nullptr || quantize_init_ == nullptr || type_name_ == nullptr) {
    throw std::runtime_error(path + ": has no ggml_quantize_chunk");
  }
  fill_tables(library_);
}

bool Peer::knows(TensorType type) const {
  const std::string own_name(name(type));
  // Beyond the numbers of llama.cpp its functions read past the end of a table. What ik_llama.cpp
  // has there shows by the functions it exports.
  constexpr auto kFirstOfIk = TensorType::q6_0;
  if (type >= kFirstOfIk) return dlsym(library_, ("quantize_" + own_name).c_str()) != nullptr;
  const char* its_name = type_name_(static_cast<int>(type));
  return its_name != nullptr && strcasecmp(its_name, own_name.c_str()) == 0;
}

void Peer::prepare(TensorType type) const {
  quantize_init_(static_cast<int>(type));
}

void Peer::encode(TensorType type, const float* values, std::size_t rows, std::size_t row_elements,
                  const float* importance, std::byte* out) const {
  quantize_chunk_(static_cast<int>(type), values, out, 0, static_cast<std::int64_t>(rows),
                  static_cast<std::int64_t>(row_elements), importance, nullptr);
}

}  // namespace sluice::bench
