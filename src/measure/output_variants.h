#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "measure/matrix_variants.h"
#include "measure/measurements.h"
#include "measure/text_subjects.h"
#include "measure/variant_tokens.h"
#include "model/network.h"

namespace sluice::measure {

/// Compares the logits of variants with the model's own, and measures the output matrix.
class OutputVariants final : public model::Watcher {
 public:
  /// What it works with; all outlive it.
  struct Surroundings {
    const TextRequest& request;
    const TextSubjects& subjects;
    const VariantTokens& tokens;
    model::WeightStore& weights;
    Team& team;
    std::uint64_t memory;         ///< for what is between the stream and the logits
    std::uint64_t logits_memory;  ///< see least_logits_bytes()
  };

  explicit OutputVariants(const Surroundings& with)
      : with_(with), matrices_(with.request, with.team) {}

  /// Completes the measurements of the layers.
  /// \param stream  after the last layer
  void measure(const linear::Matrix& stream, Measurements& found);

  bool wants(const model::Input&) override { return collecting_; }
  void see(const model::Input& input, const linear::ConstMatrix& x) override;
  void multiplied(const model::Product& product) override;
  void finished(const model::Input&) override {}

  /// The model's own logits, those of each variant that runs to the end, and of the output encoded.
  static std::size_t kinds_of_logits(const TextSubjects& subjects);
  static std::uint64_t least_logits_bytes(const TextSubjects& subjects,
                                          const model::Network& network);
  /// Tokens whose logits of all kinds are in memory together, one or more.
  static std::size_t tokens_at_once(const TextSubjects& subjects, const model::Network& network,
                                    std::uint64_t logits_memory);

 private:
  void measure_errors(const linear::Matrix& stream);
  double scale_gains(const std::vector<double>& means, Measurements& found) const;
  std::size_t tokens_at_once() const;
  std::vector<double> mean_divergences(const linear::Matrix& stream);
  void add_divergences_of(const linear::Matrix& stream, const Span& tokens, std::span<double> sums);
  double all_over_sample(const linear::Matrix& stream, double of_sample);
  void add_divergence_of_rest(const linear::Matrix& stream, const Span& own, const Span& other,
                              double& sum);

  const Surroundings with_;
  const MatrixVariants matrices_;
  bool collecting_ = false;
  std::size_t seen_ = 0;               // tokens of the text
  std::optional<InputSample> sample_;  // of the output's input
  std::unique_ptr<const linear::Rows> encoded_;
  RowSums errors_;
  std::size_t substituted_ = 0;  // first row in hand that is multiplied by what was encoded
};

}  // namespace sluice::measure
