#include "measure/layer_variants.h"

#include <algorithm>
#include <numeric>

#include "base/stop.h"
#include "linear/products.h"

namespace sluice::measure {
namespace {

/// An embedding as a type has it.
class EncodedEmbedding final : public model::WeightStore {
 public:
  EncodedEmbedding(const linear::Rows& embedding, TensorType type, const Encoding& encoding,
                   const EncoderSettings& settings)
      : rows_(std::make_shared<RecodedRows>(embedding, type, encoding, settings)) {}

  std::shared_ptr<const linear::Rows> matrix(std::string_view, std::uint64_t) override {
    return rows_;
  }
  std::vector<float> numbers(std::string_view) override { return {}; }
  bool has(std::string_view) const override { return true; }

 private:
  std::shared_ptr<const linear::Rows> rows_;
};

}  // namespace

void LayerVariants::begin(std::uint64_t layer, const linear::Matrix& stream) {
  layer_ = layer;
  stream_ = stream;
  first_of_.clear();
  for (const auto& together : with_.request.network.inputs_of(layer)) {
    for (const model::Input& input : together) {
      for (const std::string& name : input.tensors) first_of_[name] = input.tensors.front();
    }
  }
  for (std::size_t i = 0; i < with_.subjects.of_layer(layer).size(); ++i) {
    with_.tokens.reset(stream, i);
  }
  if (layer == 0 && with_.subjects.embedding()) embed();
}

// The variants whose embedding is encoded begin with that.
void LayerVariants::embed() {
  const TextSubject& subject = *with_.subjects.embedding();
  const EncoderSettings& settings = with_.request.request.settings;
  const auto embedding = with_.weights.matrix(subject.name);
  const InputSample nothing(subject.columns, false);
  std::vector<float> importance;
  const Encoding encoding = matrices_.encoding_of(subject, 0, nothing, importance);
  EncodedEmbedding store(*embedding, subject.run_type, encoding, settings);
  const Span own = with_.tokens.variant(with_.subjects.variant_of_embedding());
  for (const Span& span : {own, with_.tokens.rest()}) {
    if (span.count == 0) continue;
    with_.request.network.embed(tokens_of(span), store, some_rows(stream_, span),
                                {.isa = settings.isa}, with_.team);
  }
  const linear::Matrix stream = some_rows(stream_, own);
  for (const std::size_t variant : with_.subjects.running_on(subject, std::nullopt)) {
    const linear::Matrix other = some_rows(stream_, with_.tokens.variant(variant));
    std::copy_n(stream.data, stream.rows * stream.columns, other.data);
  }
  measure_embedding(*embedding, encoding, tokens_of(own));
}

model::Tokens LayerVariants::tokens_of(const Span& span) const {
  const model::Tokens& all = with_.tokens.all();
  const auto first = all.ids.begin() + static_cast<std::ptrdiff_t>(span.first);
  return {{first, first + static_cast<std::ptrdiff_t>(span.count)}, all.sequence_length};
}

// Expected squared error of a token's row.
void LayerVariants::measure_embedding(const linear::Rows& embedding, const Encoding& encoding,
                                      const model::Tokens& tokens) {
  const TextSubject& subject = *with_.subjects.embedding();
  const EncoderSettings& settings = with_.request.request.settings;
  RowSums& errors = errors_[subject.name];
  const std::size_t n = subject.columns;
  const std::size_t count = tokens.ids.size();
  std::vector<double> powers(count);
  std::vector<double> each(count * subject.types.size());
  with_.team.run(count, [&](std::size_t t, int) {
    std::vector<float> row(n);
    std::vector<float> recoded(n);
    EncodingScratch scratch;
    read_rows(embedding, static_cast<std::size_t>(tokens.ids[t]), 1, encoding, row.data());
    powers[t] = std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
    for (std::size_t i = 0; i < subject.types.size(); ++i) {
      recode_rows({row.data(), 1, n, n}, subject.types[i], encoding, settings, scratch,
                  recoded.data());
      for (std::size_t c = 0; c < n; ++c) recoded[c] -= row[c];
      each[t * subject.types.size() + i] =
          std::inner_product(recoded.begin(), recoded.end(), recoded.begin(), 0.0);
    }
  });
  const auto tokens_counted = static_cast<double>(count);
  errors.power = std::accumulate(powers.begin(), powers.end(), 0.0) / tokens_counted;
  for (std::size_t i = 0; i < each.size(); ++i) {
    errors.errors[subject.types[i % subject.types.size()]] += each[i] / tokens_counted;
  }
}

std::optional<std::size_t> LayerVariants::index_of(const std::string& tensor) const {
  const auto& subjects = with_.subjects.of_layer(layer_);
  const auto found = std::ranges::find(subjects, tensor, &TextSubject::name);
  if (found == subjects.end()) return std::nullopt;
  return static_cast<std::size_t>(found - subjects.begin());
}

// The input of a matrix, if it serves a subject; what is new in it is added.
LayerVariants::Open* LayerVariants::open(const model::Product& product) {
  const auto first = first_of_.find(product.tensor);
  if (first == first_of_.end()) return nullptr;
  const Key key{first->second, product.number};
  const auto known = open_.find(key);
  if (product.tensor != first->second) return known == open_.end() ? nullptr : &known->second;
  if (known == open_.end()) {
    bool measured = false;
    bool moments = false;
    for (const TextSubject& subject : with_.subjects.of_layer(layer_)) {
      if (first_of_.at(subject.name) != first->second) continue;
      measured = true;
      moments |= wants_moments(with_.request, subject);
    }
    if (!measured) return nullptr;
    open_.try_emplace(key, Open{.sample = InputSample(product.x.columns, moments)});
  }
  Open& open = open_.at(key);
  open.sample.add(product.x, product.tokens, with_.tokens, with_.request.request.settings.isa,
                  with_.team);
  return &open;
}

void LayerVariants::multiplied(const model::Product& product) {
  throw_if_stopped(with_.request.request.settings.stop);
  Open* const input = open(product);
  if (input == nullptr) return;
  if (const auto index = index_of(product.tensor)) substitute(*index, product, *input);
}

void LayerVariants::substitute(std::size_t index, const model::Product& product, Open& open) {
  const TextSubject& subject = with_.subjects.of_layer(layer_)[index];
  std::vector<Span> varied{with_.tokens.variant(index), with_.tokens.rest()};
  for (const std::size_t variant : with_.subjects.running_on(subject, layer_)) {
    varied.push_back(with_.tokens.variant(variant));
  }
  for (const Span& tokens : varied) {
    const Span rows = rows_within(product.tokens, product.x.rows, tokens);
    if (rows.count == 0) continue;
    auto& encoded = open.encoded[subject.name];
    // Tokens of variants come behind the text's.
    complete(open, subject.matrices > 1);
    if (!encoded) encoded = matrices_.encoded(subject, product.number, product.weight, open.sample);
    linear::multiply(some_rows(product.x, rows), *encoded, some_rows(product.y, rows),
                     with_.request.request.settings.isa, with_.team);
  }
}

void LayerVariants::complete(Open& open, bool of_expert) {
  if (!open.complete) {
    open.sample.complete(of_expert, with_.request.request.settings.isa, with_.team);
  }
  open.complete = true;
}

void LayerVariants::finished(const model::Input& input) {
  const auto node = open_.extract(Key{input.tensors.front(), input.number});
  if (!node.empty()) {
    node.mapped().encoded.clear();
    complete(node.mapped(), input.matrices > 1);
    for (const std::string& name : input.tensors) {
      const auto index = index_of(name);
      if (!index) continue;
      matrices_.add_errors(with_.subjects.of_layer(layer_)[*index], input.number,
                           *with_.weights.matrix(name, input.number), node.mapped().sample,
                           with_.tokens.sample(), errors_[name]);
    }
  }
  with_.seen(input);
}

void LayerVariants::done(std::uint64_t layer) {
  const auto keep = [&](const TextSubject& subject, std::size_t variant) {
    const RowSums& errors = errors_[subject.name];
    TensorMeasures& measures = with_.found.tensors[subject.name];
    measures.errors = errors.errors;
    measures.power = errors.power;
    measures.change = with_.tokens.change(stream_, variant);
    const double error = errors.errors.at(subject.run_type);
    measures.gain = error > 0 ? measures.change / error : 0;
  };
  const auto& subjects = with_.subjects.of_layer(layer);
  for (std::size_t i = 0; i < subjects.size(); ++i) keep(subjects[i], i);
  if (layer == 0 && with_.subjects.embedding()) {
    keep(*with_.subjects.embedding(), with_.subjects.variant_of_embedding());
  }
  errors_.clear();
  open_.clear();
  if (!with_.request.request.file.empty()) save(with_.found, with_.request.request.file);
}

}  // namespace sluice::measure
