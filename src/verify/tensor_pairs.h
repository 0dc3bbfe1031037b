#pragma once

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "imatrix/importance_matrix.h"
#include "io/file.h"
#include "sluice/gguf.h"
#include "verify/findings.h"
#include "weights/stored.h"

namespace sluice {

/// One model: its files, and what each tensor is made of.
struct ModelView {
  std::span<const io::File> parts;
  std::span<const gguf::Tensor> tensors;
  const weights::Weights* weights = nullptr;  ///< one source for each tensor
  bool published = false;                     ///< a checkpoint: the sources are views of any kind
};

/// Whether a tensor's weights are, in the model, multiplied by a number that it holds beside them:
/// NVFP4's, where there is a tensor NAME.scale beside NAME.weight.
bool scaled_beside(const gguf::Tensor& tensor, std::span<const gguf::Tensor> model);

/// What a checkpoint makes a tensor of.
struct PublishedSource {
  std::span<const io::File> parts;
  const weights::Weights* weights = nullptr;
  const weights::Source* made_of = nullptr;
  bool exact = false;  ///< the tensor's type holds these weights as they are
};

/// A tensor of the output and what it was made from.
struct TensorPair {
  const gguf::Tensor* tensor = nullptr;
  const io::File* file = nullptr;
  std::uint64_t offset = 0;  ///< in the file

  const gguf::Tensor* source = nullptr;  ///< null: nothing to compare with
  const io::File* source_file = nullptr;
  std::uint64_t source_offset = 0;
  /// `tensor` is what `source` is compared with: the source of another is the one that is measured.
  bool turned = false;
  std::optional<PublishedSource> published;             ///< in place of a range of `source_file`
  const ImportanceMatrix::Entry* importance = nullptr;  ///< null: none is known

  /// Bytes can be compared.
  bool copied() const { return source != nullptr && !published && source->type == tensor->type; }

  // How it is looked at: of types without a layout as a row of bytes.
  TensorType type() const { return is_bytes() ? TensorType::i8 : tensor->type; }
  TensorType source_type() const { return is_bytes() ? TensorType::i8 : source->type; }
  std::uint64_t elements() const { return is_bytes() ? bytes() : tensor->elements(); }
  std::uint64_t row_elements() const { return is_bytes() ? bytes() : tensor->row_elements(); }
  std::uint64_t rows_per_expert() const {
    return is_bytes() || tensor->shape.size() < 2 ? 1 : tensor->shape[1];
  }
  std::uint64_t expert_elements() const { return row_elements() * rows_per_expert(); }
  std::uint64_t experts() const { return elements() / expert_elements(); }

  /// Weights of the tensor's rows that are stored together.
  std::uint64_t stored_row() const { return info(type()).rows * row_elements(); }
  /// Weights after whose multiples the tensor and its source can both be cut: blocks, or rows that
  /// are stored together.
  std::uint64_t atom_elements() const {
    constexpr std::uint64_t kBlocks = 256;  // every type's block divides this
    std::uint64_t atom = is_all_blocks(type()) ? kBlocks : stored_row();
    if (source != nullptr && !published && !is_all_blocks(source_type())) {
      const std::uint64_t rows = info(source_type()).rows * row_elements();
      atom = is_all_blocks(type()) ? rows : std::lcm(atom, rows);
    }
    return atom;
  }
  /// Bytes of the first elements of the tensor, and of its source.
  std::uint64_t bytes_of(std::uint64_t elements) const {
    return byte_size(type(), elements, row_elements());
  }
  std::uint64_t source_bytes_of(std::uint64_t elements) const {
    return byte_size(source_type(), elements, row_elements());
  }

 private:
  bool is_bytes() const { return !has_layout(tensor->type); }
  // Where the layout is not known, padding counts with one of the two and not with the other.
  std::uint64_t bytes() const {
    return source == nullptr ? tensor->size : std::min(tensor->size, source->size);
  }
};

/// Fills in what a tensor is compared with.
/// \param index  of the tensor, in the source's model
void set_source(const ModelView& source, std::size_t index, TensorPair& pair);

/// Fills in the tensor that is looked at. \pre the model is of GGUF files
void set_tensor(const ModelView& output, std::size_t index, TensorPair& pair);

/// Pairs the output's tensors, in its order, with the source's by name. Tensors that only one has
/// and shapes that differ are findings.
/// \param output   of GGUF files
/// \param against  null: nothing is compared
/// \param imatrix  may be null
/// \throws Error (imatrix_length, input_type)
std::vector<TensorPair> pair_tensors(const ModelView& output, const ModelView* against,
                                     const ImportanceMatrix* imatrix, FindingList& findings);

}  // namespace sluice
