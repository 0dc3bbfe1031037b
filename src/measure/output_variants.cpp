#include "measure/output_variants.h"

#include <algorithm>
#include <span>
#include <utility>

#include "linear/products.h"
#include "measure/divergences.h"
#include "measure/fitted_shares.h"
#include "model/part.h"

namespace sluice::measure {

std::size_t OutputVariants::kinds_of_logits(const TextSubjects& subjects) {
  return 1 + subjects.run_on() + (subjects.output() ? 1 : 0);
}

std::uint64_t OutputVariants::least_logits_bytes(const TextSubjects& subjects,
                                                 const model::Network& network) {
  constexpr std::uint64_t kTokens = 8;
  return kTokens * kinds_of_logits(subjects) * (network.vocabulary() + network.width()) *
         sizeof(float);
}

void OutputVariants::see(const model::Input&, const linear::ConstMatrix& x) {
  sample_->add(x, {.first = seen_}, with_.tokens, with_.request.request.settings.isa, with_.team);
  seen_ += x.rows;
}

// Also makes the matrix that the variant has.
void OutputVariants::measure_errors(const linear::Matrix& stream) {
  const TextSubject& subject = *with_.subjects.output();
  const EncoderSettings& settings = with_.request.request.settings;
  sample_.emplace(subject.columns, wants_moments(with_.request, subject));
  collecting_ = true;
  with_.request.network.run_output(some_rows(stream, with_.tokens.text()), with_.weights, {}, this,
                                   {.isa = settings.isa, .memory = with_.memory}, with_.team);
  collecting_ = false;
  sample_->complete(false, settings.isa, with_.team);
  const auto weights = with_.weights.matrix(subject.name);
  matrices_.add_errors(subject, 0, *weights, *sample_, with_.tokens.sample(), errors_);
  encoded_ = matrices_.encoded(subject, 0, *weights, *sample_);
}

void OutputVariants::multiplied(const model::Product& product) {
  if (!encoded_) return;
  const Span rows = rows_within(product.tokens, product.x.rows,
                                {substituted_, product.tokens.first + product.x.rows});
  if (rows.count == 0) return;
  linear::multiply(some_rows(product.x, rows), *encoded_, some_rows(product.y, rows),
                   with_.request.request.settings.isa, with_.team);
}

// Of all variants, for some tokens of the sample.
void OutputVariants::add_divergences_of(const linear::Matrix& stream, const Span& tokens,
                                        std::span<double> sums) {
  const TextSubjects& subjects = with_.subjects;
  const std::size_t kinds = kinds_of_logits(subjects);
  const std::size_t vocabulary = with_.request.network.vocabulary();
  const model::Buffer streams(kinds * tokens.count, stream.columns);
  const model::Buffer logits(kinds * tokens.count, vocabulary);
  const linear::Matrix rows = streams.rows(kinds * tokens.count);
  const linear::Matrix of_rows = logits.rows(rows.rows);
  const std::size_t run_on = subjects.run_on();
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    for (std::size_t t = 0; t < tokens.count; ++t) {
      const bool varied = kind > 0 && kind <= run_on;
      const std::size_t from =
          varied
              ? with_.tokens.variant(subjects.first_to_run_on() + kind - 1).first + tokens.first + t
              : with_.tokens.origin(tokens.first + t);
      std::copy_n(stream.row(from), stream.columns, rows.row(kind * tokens.count + t));
    }
  }
  substituted_ = (1 + run_on) * tokens.count;
  const Isa isa = with_.request.request.settings.isa;
  with_.request.network.run_output(rows, with_.weights, of_rows, this,
                                   {.isa = isa, .memory = with_.memory}, with_.team);
  std::vector<linear::ConstMatrix> others;
  for (std::size_t kind = 1; kind < kinds; ++kind) {
    others.push_back(some_rows(of_rows, {kind * tokens.count, tokens.count}));
  }
  add_divergences(some_rows(of_rows, {0, tokens.count}), others, isa, with_.team, sums);
}

std::size_t OutputVariants::tokens_at_once(const TextSubjects& subjects,
                                           const model::Network& network,
                                           std::uint64_t logits_memory) {
  const std::uint64_t of_token =
      kinds_of_logits(subjects) * (network.vocabulary() + network.width()) * sizeof(float);
  return std::max<std::size_t>(1, logits_memory / of_token);
}

std::size_t OutputVariants::tokens_at_once() const {
  return tokens_at_once(with_.subjects, with_.request.network, with_.logits_memory);
}

// Over the tokens of sequences' second halves, which know what they are about.
std::vector<double> OutputVariants::mean_divergences(const linear::Matrix& stream) {
  const std::size_t most = tokens_at_once();
  const std::size_t length = with_.tokens.all().sequence_length;
  std::vector<double> means(kinds_of_logits(with_.subjects) - 1);
  std::size_t tokens = 0;
  for (std::size_t first = 0; first < with_.tokens.sample(); first += length) {
    for (std::size_t t = length / 2; t < length; t += most) {
      const Span some{first + t, std::min(most, length - t)};
      add_divergences_of(stream, some, means);
      tokens += some.count;
    }
  }
  for (double& mean : means) mean /= static_cast<double>(tokens);
  return means;
}

// Of the variant in which all is encoded, for some tokens that are not of the sample.
void OutputVariants::add_divergence_of_rest(const linear::Matrix& stream, const Span& own,
                                            const Span& other, double& sum) {
  const model::Buffer streams(2 * own.count, stream.columns);
  const model::Buffer logits(2 * own.count, with_.request.network.vocabulary());
  const linear::Matrix rows = streams.rows(2 * own.count);
  for (std::size_t t = 0; t < own.count; ++t) {
    std::copy_n(stream.row(own.first + t), stream.columns, rows.row(t));
    std::copy_n(stream.row(other.first + t), stream.columns, rows.row(own.count + t));
  }
  substituted_ = rows.rows;
  const Isa isa = with_.request.request.settings.isa;
  const linear::Matrix of_rows = logits.rows(rows.rows);
  with_.request.network.run_output(rows, with_.weights, of_rows, this,
                                   {.isa = isa, .memory = with_.memory}, with_.team);
  const linear::ConstMatrix varied = some_rows(of_rows, {own.count, own.count});
  add_divergences(some_rows(of_rows, {0, own.count}), {&varied, 1}, isa, with_.team, {&sum, 1});
}

// Sequences differ, and a sample of few of them tells how tensors compare sooner than how far all of them go.
double OutputVariants::all_over_sample(const linear::Matrix& stream, double of_sample) {
  if (of_sample == 0) return 1;
  const std::size_t most = tokens_at_once();
  const std::size_t length = with_.tokens.all().sequence_length;
  const std::size_t second_half = length - length / 2;
  std::size_t tokens = with_.tokens.sample() / length * second_half;
  double sum = of_sample * static_cast<double>(tokens);
  std::size_t other = with_.tokens.rest().first;
  for (const Span& span : with_.tokens.others()) {
    for (std::size_t first = 0; first < span.count; first += length, other += length) {
      for (std::size_t t = length / 2; t < length; t += most) {
        const std::size_t count = std::min(most, length - t);
        add_divergence_of_rest(stream, {span.first + first + t, count}, {other + t, count}, sum);
      }
      tokens += second_half;
    }
  }
  return sum / static_cast<double>(tokens) / of_sample;
}

// What the changes of all tensors come to together. In the gains is then how each counts beside the others.
double OutputVariants::scale_gains(const std::vector<double>& means, Measurements& found) const {
  const TextSubjects& subjects = with_.subjects;
  std::vector<Share> shares;
  std::vector<TensorMeasures*> tensors;
  const auto add = [&](const TextSubject& subject, std::optional<std::size_t> group) {
    tensors.push_back(&found.tensors.at(subject.name));
    shares.push_back({tensors.back()->change, subjects.kind_of(subject), group});
  };
  for (std::uint64_t layer = 0; layer < with_.request.network.layers(); ++layer) {
    for (const TextSubject& subject : subjects.of_layer(layer)) {
      add(subject, subjects.group_of(layer));
    }
  }
  if (subjects.embedding()) add(*subjects.embedding(), std::nullopt);
  const std::span<const double> sums(means);
  const std::vector<double> fitted =
      fitted_shares(shares, sums.subspan(1, subjects.kinds()),
                    sums.subspan(1 + subjects.kinds(), subjects.groups()));
  double changes = 0;
  double of_fitted = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    changes += shares[i].size;
    of_fitted += fitted[i];
  }
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i].size == 0 || of_fitted == 0) continue;
    tensors[i]->gain *= fitted[i] / of_fitted * changes / shares[i].size;
  }
  return changes;
}

void OutputVariants::measure(const linear::Matrix& stream, Measurements& found) {
  const TextSubjects& subjects = with_.subjects;
  if (subjects.output()) measure_errors(stream);
  const std::vector<double> means = mean_divergences(stream);
  const double changes = scale_gains(means, found);
  found.divergence_per_change = changes > 0 && means[0] > 0 ? means[0] / changes : 1;
  const double scale = all_over_sample(stream, means[0]);
  const double of_sample =
      std::exchange(found.divergence_per_change, scale * found.divergence_per_change);
  if (!subjects.output()) return;
  TensorMeasures own{.errors = errors_.errors, .power = errors_.power};
  own.change = means.back() / of_sample;
  const double of_run_type = errors_.errors.at(subjects.output()->run_type);
  own.gain = of_run_type > 0 ? own.change / of_run_type : 0;
  TensorMeasures& kept = found.tensors[subjects.output()->name];
  // An embedding that is the output too does both: the sum of what both do is its error then.
  if (subjects.embedding() && subjects.embedding()->name == subjects.output()->name) {
    for (auto& [type, error] : kept.errors) {
      error = kept.gain * error + own.gain * own.errors.at(type);
    }
    kept.gain = 1;
  } else {
    kept = std::move(own);
  }
}

}  // namespace sluice::measure
