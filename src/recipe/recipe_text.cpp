#include "recipe/recipe_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "recipe/nearest_type.h"
#include "sluice/codec.h"
#include "sluice/error.h"

namespace sluice {
namespace {

std::string quoted(std::string_view text) {
  return fmt::format("'{}'", printable(text));
}

// The ends of the names of ik_llama.cpp's types that hold several rows in one.
constexpr std::array<std::string_view, 9> kInterleaved = {"_r4",  "_r8",  "_r16", "_4_4", "_4_8",
                                                          "_8_8", "_4x4", "_4x8", "_8x8"};

// Types of the peers that sluice does not make, so that their names are no spelling mistakes.
constexpr std::array<std::string_view, 5> kOthers = {"iq1_bn", "iq2_bn", "q8_kv", "i2_s",
                                                     "q1_0_g128"};

bool has_encoder(TensorType type) {
  const Codec* codec = find_codec(type);
  return codec != nullptr && codec->encode != nullptr;
}

// Refuses names that mean something, but not here, where there are `names`.
void refuse_foreign(std::string_view text, const std::vector<std::string_view>& names) {
  const std::string name = lower(text);
  const auto is_of_names = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  if (!std::ranges::all_of(name, is_of_names)) return;
  for (const std::string_view end : kInterleaved) {
    if (!name.ends_with(end) || name.size() == end.size()) continue;
    const std::string base = name.substr(0, name.size() - end.size());
    throw Error(ErrorCode::usage,
                fmt::format("sluice does not make the row-interleaved type {}", quoted(text)),
                {.cure = fmt::format("Make {}, which ik_llama.cpp interleaves when it loads the "
                                     "model with -rtr, or its llama-quantize with --repack",
                                     printable(base))});
  }
  if (std::ranges::find(kOthers, name) != kOthers.end()) {
    throw Error(ErrorCode::usage, fmt::format("sluice does not make the type {}", quoted(text)),
                {.cure = fmt::format("Choose another, such as {}, or use the llama-quantize that "
                                     "has it",
                                     nearest_type(text, names))});
  }
}

[[noreturn]] void refuse_unknown(std::string_view text, std::string_view what,
                                 const std::vector<std::string_view>& names) {
  refuse_foreign(text, names);
  // Who leaves out the end of a name is nearer to it than to what has the same length.
  const std::string begin = lower(text) + "_";
  std::vector<std::string_view> near;
  for (const std::string_view name : names) {
    if (lower(name).starts_with(begin)) near.push_back(name);
  }
  if (near.empty()) near.push_back(nearest_type(text, names));
  throw Error(
      ErrorCode::usage, fmt::format("{} is no {}", quoted(text), what),
      {.cure = near.front().empty() ? fmt::format("Known are {}", fmt::join(names, " "))
                                    : fmt::format("Did you mean {}?", fmt::join(near, " or "))});
}

}  // namespace

const FileType& parse_file_type(std::string_view text, Mix mix) {
  const FileType* found = find_file_type(text, mix);
  if (found == nullptr) {  // a number that only the other mix has
    found = find_file_type(text, mix == Mix::llama_cpp ? Mix::ik_llama_cpp : Mix::llama_cpp);
  }
  if (found == nullptr) {
    std::vector<std::string_view> names;
    for (const FileType& type : file_types()) {
      if (type.in(mix)) names.push_back(type.name);
    }
    refuse_unknown(text, "file type", names);
  }
  if (!found->in(mix)) {
    const FileType* same = find_file_type(std::to_string(found->number), mix);
    if (same != nullptr) {
      throw Error(ErrorCode::usage, fmt::format("{} has no file type {}", name(mix), found->name),
                  {.cure = fmt::format("It is called {} there", same->name)});
    }
    throw Error(ErrorCode::usage, fmt::format("{} has no file type {}", name(mix), found->name),
                {.cure = fmt::format("Use --mix {}{}",
                                     name(found->in_llama_cpp ? Mix::llama_cpp : Mix::ik_llama_cpp),
                                     found->in_llama_cpp ? "" : ", and load the model there")});
  }
  return *found;
}

TensorType parse_tensor_type(std::string_view text) {
  const TensorTypeInfo* found = find_tensor_type(text);
  if (found != nullptr && has_encoder(found->type)) return found->type;
  std::vector<std::string_view> names;
  for (const TensorTypeInfo& type : tensor_types()) {
    if (has_encoder(type.type)) names.push_back(type.name);
  }
  if (found != nullptr) {
    refuse_foreign(text, names);
    throw Error(ErrorCode::usage, fmt::format("sluice does not make the type {}", found->name),
                {.cure = "Choose another type, such as q6_k"});
  }
  refuse_unknown(text, "tensor type", names);
}

}  // namespace sluice
