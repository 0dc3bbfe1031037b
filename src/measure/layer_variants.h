#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "calibrate/walk.h"
#include "measure/matrix_variants.h"
#include "measure/measurements.h"
#include "measure/text_subjects.h"
#include "measure/variant_tokens.h"

namespace sluice::measure {

/// Goes along with a walk over the tokens of a text and of variants, has each variant's matrices encoded, and
/// measures each layer's tensors.
class LayerVariants final : public calibrate::Visitor {
 public:
  /// What it works with; all outlive it.
  struct Surroundings {
    const TextRequest& request;
    const TextSubjects& subjects;
    const VariantTokens& tokens;
    model::WeightStore& weights;
    Team& team;
    Measurements& found;
    std::function<void(const model::Input&)> seen;  ///< is told of each input when it is finished
  };

  explicit LayerVariants(const Surroundings& with)
      : with_(with), matrices_(with.request, with.team) {}

  void begin(std::uint64_t layer, const linear::Matrix& stream) override;
  bool wants(const model::Input&) override { return false; }
  void see(const model::Input&, const linear::ConstMatrix&) override {}
  void multiplied(const model::Product& product) override;
  void finished(const model::Input& input) override;
  /// Keeps what was measured.
  void done(std::uint64_t layer) override;

 private:
  /// Of a matrix: the first tensor of its input, and its number.
  using Key = std::pair<std::string, std::uint64_t>;

  /// An input that is being seen, and its matrices as they are in the variants.
  struct Open {
    InputSample sample;
    bool complete = false;  ///< all of the text's tokens have been seen
    std::map<std::string, std::unique_ptr<const linear::Rows>> encoded = {};
  };

  void embed();
  model::Tokens tokens_of(const Span& span) const;
  void measure_embedding(const linear::Rows& embedding, const Encoding& encoding,
                         const model::Tokens& tokens);
  Open* open(const model::Product& product);
  std::optional<std::size_t> index_of(const std::string& tensor) const;
  void substitute(std::size_t index, const model::Product& product, Open& open);
  void complete(Open& open, bool of_expert);

  const Surroundings with_;
  const MatrixVariants matrices_;
  std::uint64_t layer_ = 0;
  linear::Matrix stream_;
  std::map<std::string, std::string> first_of_;  // of a tensor's input, in the layer in hand
  std::map<Key, Open> open_;
  std::map<std::string, RowSums> errors_;
};

}  // namespace sluice::measure
