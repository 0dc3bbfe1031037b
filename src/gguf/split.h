#pragma once

// Models in several files: `NAME-00001-of-0000N.gguf`, each a whole GGUF file.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/gguf.h"

namespace sluice::gguf {

/// `split.count` is a 16-bit number.
inline constexpr std::uint64_t kMostParts = 65535;

/// What a part tells about the set it belongs to.
struct Split {
  std::uint64_t no;                      ///< `split.no`, from 0
  std::uint64_t count;                   ///< `split.count`, 2 to 65535
  std::optional<std::uint64_t> tensors;  ///< `split.tensors.count`, the total over all parts
};

/// Reads the split keys of a header. Nothing if the file is a whole model: without `split.count`,
/// or with a count of 1 or 0 (which llama.cpp's merging program leaves behind).
/// \throws Error (input_format) if the keys contradict each other
std::optional<Split> split_of(const Header& header, const std::string& file);

/// The names of all parts, in order, folder included.
/// \param file   the name of any part, which must end in `-00002-of-00003.gguf` or the like
/// \param split  what that part's header tells
/// \throws Error (input_format) if the name has another ending
std::vector<std::string> part_files(const std::string& file, const Split& split);

/// The name of part `no`, from 0: `STEM-00001-of-00003.gguf`.
std::string part_file(std::string_view stem, std::uint64_t no, std::uint64_t count);

/// What the names of all parts begin with, folder included, when the user calls the model `name`:
/// that without `.gguf`, or without the ending of any part.
std::string stem_of(std::string_view name);

/// Sets the split keys of part `no` in the types that llama.cpp demands.
/// \param tensors  the total over all parts
void set_split(Header& header, std::uint64_t no, std::uint64_t count, std::uint64_t tensors);

/// One file of a model.
struct Part {
  std::string file;
  Header header;
};

/// A model in one or more files as if it were one.
struct Model {
  /// Version, alignment and metadata of the first part, without the three split keys; the tensors
  /// of all parts in order, each with its offset in the data section of its own part.
  Header header;
  std::vector<std::uint32_t> parts;  ///< for each tensor the index of its part
};

/// Joins the parts of a model. The parts may differ in alignment. Metadata other than the first
/// part's is dropped, as llama.cpp does: it is to be found there only.
/// \param parts  all parts in order; one for a model in one file
/// \throws Error (input_format) naming the file: parts missing or in the wrong order, counts that
///         differ, tensors in two parts or too few
Model merge_parts(std::span<const Part> parts);

}  // namespace sluice::gguf
