#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/gguf.h"
#include "sluice/split.h"

namespace sluice {

/// One file of the output. All files lie one after the other in one address space, the output's, in
/// which everything between the plan and the disk counts its offsets: where one file ends and
/// another begins matters only to who opens them.
struct OutputPart {
  std::vector<std::byte> header;  ///< complete
  std::uint64_t begin = 0;        ///< in the output's address space
  std::uint64_t size = 0;         ///< bytes of the file
  std::size_t first_tensor = 0;   ///< index into the output's tensors
  std::size_t tensors = 0;        ///< how many; those of one part follow one another

  std::uint64_t end() const { return begin + size; }
};

/// Files begin at multiples of this in the address space, so that what is aligned there is aligned
/// in its file. At least one address between two files belongs to neither: a range of bytes to
/// write never reaches from one into the next.
inline constexpr std::uint64_t kPartAlignment = std::uint64_t{1} << 20;

/// Allots the tensors to files and gives each tensor its place. The rules are those of llama.cpp's
/// gguf-split and of llama-quantize's --keep-split; as there, the first file has all metadata and
/// the others have nothing but the split keys (and their alignment). An output that is split into
/// one file has the split keys too.
///
/// \param model        as the output has it; its tensors get their `size`, and their `offset` in
///                     the data section of their own file
/// \param split        into which files
/// \param input_parts  for each tensor the part that it is in in the input, never falling
/// \throws Error (usage) if more than one rule is set, or the files would be more than 65535
std::vector<OutputPart> lay_out_parts(gguf::Header& model, const SplitOptions& split,
                                      std::span<const std::size_t> input_parts);

}  // namespace sluice
