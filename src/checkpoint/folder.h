#pragma once

// What a checkpoint's folder holds, before its tensors mean anything.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/model.h"
#include "checkpoint/safetensors.h"

namespace sluice::checkpoint {

inline constexpr std::string_view kIndexFile = "model.safetensors.index.json";
/// Where ModelOpt says how weights are quantized; in older checkpoints config.json does not.
inline constexpr std::string_view kModeloptFile = "hf_quant_config.json";

/// The index of a checkpoint in several parts.
struct Index {
  std::map<std::string, std::string> parts;  ///< the part's file by tensor
};

/// \param file  for error messages
/// \throws Error (input_format): no JSON, no `weight_map`, a tensor twice, a part's name that is no
///         plain `*.safetensors`
Index parse_index(std::string_view text, const std::string& file);

/// Names of the files that hold the weights, sorted: those of the index, or else
/// `model.safetensors`, or else all `model*.safetensors`.
/// \param folder  for error messages
/// \param files   names of the folder's files
/// \param index   if the folder has one
/// \param part    the file that the user named, or empty: one that the index does not have stands
///                for itself and those that its name counts
/// \throws Error (input_open): parts are missing (each is named), are not wholly downloaded, there
///         are pickles or Mistral's own format only, or nothing
std::vector<std::string> part_files(const std::string& folder, std::span<const std::string> files,
                                    const std::optional<Index>& index, std::string_view part = {});

/// The parts that a name such as model-00002-of-00003.safetensors says there are; only the name
/// itself if it says nothing.
std::vector<std::string> siblings(const std::string& file);

/// Whether the name of a file says that it belongs to a checkpoint: an index, or a part.
bool names_checkpoint(std::string_view path);

/// Whether the name of a file of weights says that it is a pickle.
bool is_pickle(std::string_view file);

/// \param where  the folder, or the file itself
/// \throws Error (input_open)
[[noreturn]] void refuse_pickle(const std::string& where, std::string_view file);

/// One file of weights.
struct Part {
  std::string file;            ///< its name within the folder
  std::vector<Entry> entries;  ///< from `parse_header`
};

/// A checkpoint as far as it is read before its model is known.
struct Folder {
  std::string path;        ///< as the user gave it
  std::string model_name;  ///< "NAME" or "ORGANIZATION/NAME": the model's, if nothing else says
  std::map<std::string, std::string, std::less<>> texts;  ///< small files by name
  std::optional<Index> index;
  std::vector<Part> parts;
  /// Reads some bytes of a part. Asked only for what headers leave open: shapes, and numbers that all
  /// factors of a tensor have in common. At most some megabytes.
  std::function<std::vector<std::byte>(const Place&)> read;

  /// The text of a small file, if the folder has it.
  const std::string* text(std::string_view file) const;
  /// A file's name with the folder's, for error messages.
  std::string file(std::string_view name) const;
};

/// \throws Error (input_format) naming the tensor unless the parts hold what the index says, each
///         tensor once
void check_index(const Folder& folder);

}  // namespace sluice::checkpoint
