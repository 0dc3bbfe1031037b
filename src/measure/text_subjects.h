#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "measure/encoded_matrix.h"
#include "measure/measure_text.h"
#include "measure/measurements.h"

namespace sluice::measure {

inline constexpr const char* kEmbeddingName = "token_embd.weight";

/// A tensor that is measured by running the model.
struct TextSubject {
  const Subject* subject = nullptr;
  std::string name = {};
  std::string kind = {};               ///< those of all layers have one: attn_q
  std::vector<TensorType> types = {};  ///< the subject's, and the one that the model is run with
  TensorType run_type = TensorType::bf16;  ///< that one
  std::uint64_t columns = 0;
  std::uint64_t rows = 0;  ///< of a matrix
  std::uint64_t matrices = 0;
  bool bf16 = false;  ///< see Encoding
};

/// All of them, and the variants of the model in which they are encoded: one for each tensor of a layer (the same
/// ones serve all layers), one in which all are, and some for kinds and for groups of layers.
class TextSubjects {
 public:
  /// \param known  what is known already: its types are measured once more with the others
  TextSubjects(const TextRequest& request, const Measurements& known);

  /// Of a layer, in the order of the calculation: the first variant is the first's.
  const std::vector<TextSubject>& of_layer(std::uint64_t layer) const { return layers_.at(layer); }
  const std::optional<TextSubject>& embedding() const { return embedding_; }
  const std::optional<TextSubject>& output() const { return output_; }

  /// Kinds, and groups of neighbouring layers: the first and the last by themselves, the others in groups that
  /// grow with depth, as what becomes of a change on its way to the end differs less and less.
  std::size_t kinds() const { return kinds_.size(); }
  std::size_t groups() const { return groups_; }
  std::size_t kind_of(const TextSubject& subject) const;
  std::size_t group_of(std::uint64_t layer) const { return group_of_.at(layer); }

  std::size_t variants() const { return singles_ + run_on(); }
  std::size_t variant_of_embedding() const { return layers_.front().size(); }
  /// Variants that run to the end, which come last: of all (with the rest of the text too), of each kind, of
  /// each group.
  std::size_t run_on() const { return 1 + kinds_.size() + groups_; }
  std::size_t first_to_run_on() const { return singles_; }
  /// Those of them in which a tensor is encoded. \param layer  none: it is the embedding
  std::vector<std::size_t> running_on(const TextSubject& subject,
                                      std::optional<std::uint64_t> layer) const;

  bool empty() const;
  /// Whether all of the first layers are in the measurements, in all types.
  bool all_in(const Measurements& found, std::uint64_t layers) const;
  bool all_in(const Measurements& found) const;

 private:
  std::vector<std::vector<TextSubject>> layers_;
  std::optional<TextSubject> embedding_;
  std::optional<TextSubject> output_;
  std::vector<std::string> kinds_;
  std::vector<std::size_t> group_of_;  // of layers
  std::size_t groups_ = 0;
  std::size_t singles_ = 0;
};

}  // namespace sluice::measure
