#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/split.h"
#include "io/file.h"
#include "plan/plan.h"
#include "sluice/gguf.h"
#include "verify/tensor_pairs.h"
#include "weights/stored.h"

namespace sluice {

/// A file that metadata were read from, whole.
struct SmallFile {
  io::File file;
  std::uint64_t hash;  ///< XXH3 of its bytes
};

/// The input files of one model, opened, with their headers read as one.
struct ModelFiles {
  std::vector<io::File> parts;               ///< with the tensors' data
  std::vector<gguf::Part> headers;           ///< of each part of a GGUF model as it stands there
  gguf::Header model;                        ///< metadata and tensors of all parts
  weights::Weights weights;                  ///< one source for each of model.tensors
  std::vector<SmallFile> small_files;        ///< of a checkpoint
  std::vector<std::uint64_t> header_hashes;  ///< XXH3 of each part's header
  std::vector<io::FileState> states;         ///< of the parts, before anything was read
  std::vector<std::string> notes;            ///< what was left out, in sentences
  /// A checkpoint as it was published: there is no better source, however its weights are coded.
  bool published = false;
};

/// Opens a GGUF file, or all parts of a split one when any of them is named; or a checkpoint as it
/// was published, by its folder, its index or any part.
/// \param path  or a URL of any of these
/// \param stop  ends all waiting for the network, in later reads too; may be null
/// \param pre   see tokenizer::read
/// \throws Error
ModelFiles open_model(const std::string& path, const std::atomic<bool>* stop = nullptr,
                      std::string_view pre = {});

/// For those who look at its tensors. \pre the files outlive it
ModelView view_of(const ModelFiles& files);

}  // namespace sluice
