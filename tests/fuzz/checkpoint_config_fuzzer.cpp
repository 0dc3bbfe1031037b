// A checkpoint's configuration and its other small files, of any text, with the tensors that the
// input names.
//
// Input: config.json, a zero, a JSON object of shapes and types as safetensors have them,
// {"NAME": ["BF16", [2, 3]]}, a zero, README.md, which is generation_config.json too, and
// hf_quant_config.json if it begins as JSON does.

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "checkpoint/read_checkpoint.h"
#include "fuzz/expect.h"

namespace sluice::fuzzing {
namespace {

using checkpoint::Folder;
using checkpoint::Model;

std::string_view take_text(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\0'), rest.size());
  const std::string_view text = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return text;
}

/// A part with such tensors, as its header would be read; nothing if it would be refused.
std::optional<checkpoint::Part> part_of(std::string_view text) {
  const auto list = nlohmann::json::parse(text, nullptr, false);
  if (!list.is_object()) return std::nullopt;
  nlohmann::json header = nlohmann::json::object();
  std::uint64_t end = 0;
  for (const auto& [name, tensor] : list.items()) {
    if (!tensor.is_array() || tensor.size() != 2) return std::nullopt;
    std::uint64_t bytes = tensor[0] == "F32" || tensor[0] == "I32"    ? 4
                          : tensor[0] == "F16" || tensor[0] == "BF16" ? 2
                                                                      : 1;
    for (const auto& extent : tensor[1]) {
      constexpr std::uint64_t kMost = 1u << 20;
      if (!extent.is_number_unsigned() || extent > kMost || bytes > kMost * kMost) {
        return std::nullopt;
      }
      bytes *= extent.get<std::uint64_t>();
    }
    header[name] = {
        {"dtype", tensor[0]}, {"shape", tensor[1]}, {"data_offsets", {end, end + bytes}}};
    end += bytes;
  }
  const std::string json = header.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  const std::uint64_t length = json.size();
  const std::string start =
      std::string(reinterpret_cast<const char*>(&length), sizeof length) + json;
  try {
    return checkpoint::Part{"model.safetensors",
                            checkpoint::parse_header(std::as_bytes(std::span(start)),
                                                     start.size() + end, "model.safetensors")};
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Every weight that is made is one that is stored.
void expect_within(const Model& model, std::size_t tensor) {
  const checkpoint::Source& source = model.weights.sources[tensor];
  std::uint64_t made = source.values.size();
  for (const checkpoint::View& view : source.views) {
    const checkpoint::Stored& stored = model.weights.stored.at(view.stored);
    std::uint64_t last = view.first;
    std::uint64_t count = 1;
    for (const checkpoint::Axis& axis : view.axes) {
      FUZZ_EXPECT(axis.count > 0);
      last += (axis.count - 1) * axis.stride;
      count *= axis.count;
    }
    FUZZ_EXPECT(last < stored.elements());
    made += count;
  }
  FUZZ_EXPECT(made == model.header.tensors[tensor].elements());
}

void expect_sound(const Model& model) {
  FUZZ_EXPECT(model.weights.sources.size() == model.header.tensors.size());
  for (std::size_t i = 0; i < model.header.tensors.size(); ++i) expect_within(model, i);
  // What is written can be read; names longer than GGUF's are refused when they are written.
  FUZZ_EXPECT(model.header.find("general.architecture") != nullptr);
}

}  // namespace
}  // namespace sluice::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using namespace sluice::fuzzing;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Folder folder;
  folder.path = kFile;
  folder.model_name = "fuzzed";
  folder.texts["config.json"] = take_text(rest);
  const std::optional<checkpoint::Part> part = part_of(take_text(rest));
  if (!part) return 0;
  folder.parts = {*part};
  folder.texts["README.md"] = rest;
  folder.texts["generation_config.json"] = rest.empty() ? "{}" : rest;
  if (rest.starts_with('{')) folder.texts[std::string(checkpoint::kModeloptFile)] = rest;
  folder.read = [](const checkpoint::Place& place) {  // 0.747 in F32
    return std::vector<std::byte>(place.size, std::byte{0x3f});
  };
  for (const bool settings : {true, false}) {
    if (!settings) folder.texts.erase("generation_config.json");
    try {
      expect_sound(checkpoint::read_checkpoint(folder, {}));
    } catch (const Error& error) {
      FUZZ_EXPECT(error.context().file.starts_with(kFile));
      FUZZ_EXPECT(!error.context().cure.empty());
      FUZZ_EXPECT(is_safe_to_show(error.what()));
    }
  }
  return 0;
}
