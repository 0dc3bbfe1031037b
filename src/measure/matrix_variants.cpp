#include "measure/matrix_variants.h"

#include <algorithm>
#include <utility>

#include "calibrate/feedback_settings.h"
#include "calibrate/shrinkage.h"
#include "codec/feedback.h"

namespace sluice::measure {

InputSample::InputSample(std::uint64_t columns, bool with_moments)
    : columns_(columns), sums_(columns, false) {
  if (with_moments) moments_.emplace(columns);
}

void InputSample::add(const linear::ConstMatrix& x, const model::TokenRows& rows,
                      const VariantTokens& tokens, Isa isa, Team& team) {
  const auto in = [&](const Span& span) { return some_rows(x, rows_within(rows, x.rows, span)); };
  sums_.add(in(tokens.text()), isa, team);
  sample_.reserve(tokens.sample() * columns_);
  for (const Span& sequence : tokens.sequences()) {
    const linear::ConstMatrix some = in(sequence);
    for (std::size_t t = 0; t < some.rows; ++t) {
      sample_.insert(sample_.end(), some.row(t), some.row(t) + columns_);
    }
  }
  if (!moments_) return;
  const std::vector<Span> others = tokens.others();
  for (const Span& span : others.empty() ? tokens.sequences() : others) {
    const linear::ConstMatrix some = in(span);
    if (some.rows > 0) moments_->add(some, isa, team);
  }
}

void InputSample::complete(bool shrink, Isa isa, Team& team) {
  if (!moments_) return;
  if (shrink) calibrate::shrink_towards_diagonal(*moments_, team);
  factor_ = linear::Factor::of(std::move(*moments_), calibrate::kDamping, isa, team);
  moments_.reset();
}

linear::ConstMatrix InputSample::sampled() const {
  return {sample_.data(), sample_.size() / columns_, columns_, columns_};
}

bool wants_moments(const TextRequest& request, const TextSubject& subject) {
  return request.calibrated && std::ranges::any_of(subject.types, [&](TensorType type) {
           return find_feedback(type, request.request.settings.isa) != nullptr;
         });
}

Encoding MatrixVariants::encoding_of(const TextSubject& subject, std::uint64_t number,
                                     const InputSample& sample,
                                     std::vector<float>& importance) const {
  if (request_.calibrated) {
    importance = sample.importance();
  } else if (const auto* entry = subject.subject->importance) {
    importance.resize(subject.columns);
    request_.request.imatrix->read_row(*entry, number, importance);
  }
  return {.importance = importance,
          .bias_correction = subject.subject->bias_correction,
          .bf16 = subject.bf16,
          .factor = sample.factor()};
}

std::unique_ptr<const linear::Rows> MatrixVariants::encoded(const TextSubject& subject,
                                                            std::uint64_t number,
                                                            const linear::Rows& weights,
                                                            const InputSample& sample) const {
  std::vector<float> importance;
  return std::make_unique<EncodedMatrix>(weights, subject.run_type,
                                         encoding_of(subject, number, sample, importance),
                                         request_.request.settings, team_);
}

void MatrixVariants::add_errors(const TextSubject& subject, std::uint64_t number,
                                const linear::Rows& weights, const InputSample& sample,
                                std::size_t tokens, RowSums& errors) const {
  for (const TensorType type : subject.types) errors.errors[type] += 0;
  const linear::ConstMatrix inputs = sample.sampled();
  if (inputs.rows == 0) return;
  std::vector<float> importance;
  const std::vector<RowRun> runs = sampled_rows(subject.rows, subject.matrices, 1);
  const RowSums found = input_errors({.rows = weights,
                                      .runs = runs,
                                      .inputs = inputs,
                                      .types = subject.types,
                                      .encoding = encoding_of(subject, number, sample, importance)},
                                     request_.request.settings, team_);
  std::uint64_t sampled = 0;
  for (const RowRun& run : runs) sampled += run.count;
  const double share = static_cast<double>(subject.rows) / static_cast<double>(sampled) /
                       static_cast<double>(tokens);
  errors.power += share * found.power;
  for (const auto& [type, error] : found.errors) errors.errors[type] += share * error;
}

}  // namespace sluice::measure
