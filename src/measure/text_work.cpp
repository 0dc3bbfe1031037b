#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "calibrate/input_load.h"
#include "calibrate/walk_state.h"
#include "codec/feedback.h"
#include "measure/matrix_variants.h"
#include "measure/measuring_work.h"
#include "measure/model_parts.h"
#include "measure/output_variants.h"
#include "measure/row_sample.h"
#include "measure/text_setup.h"

namespace sluice::measure {
namespace {

std::uint64_t blocks(std::uint64_t all, std::uint64_t each) {
  return (all + each - 1) / each;
}

/// Counts what a run does, layer by layer.
class TextWork {
 public:
  explicit TextWork(const TextSetup& setup)
      : setup_(setup),
        request_(setup.request()),
        map_(setup.map()),
        subjects_(setup.subjects()),
        experts_(calibrate::share_of_experts(map_.model().header)),
        text_(static_cast<double>(setup.tokens().text().count)),
        sample_(static_cast<double>(setup.tokens().sample())),
        all_(static_cast<double>(setup.tokens().all().ids.size())) {}

  MeasuringWork take() {
    const model::Network& network = request_.network;
    const std::uint64_t begin = layers_done();
    work_.sequence_length = request_.text.sequence_length;
    if (begin == 0) add_embedding();
    for (std::uint64_t layer = begin; layer < network.layers(); ++layer) {
      for (const std::string& name : network.tensors_of(layer)) work_.read += bytes_of(name);
      for (const auto& together : network.inputs_of(layer)) {
        for (const model::Input& input : together) add_input(layer, input);
      }
      work_.written += static_cast<double>(
          calibrate::WalkState::bytes(setup_.tokens().all().ids.size(), network.width()));
    }
    add_output();
    return std::move(work_);
  }

 private:
  // The state of a run that was cut off is that after the last layer that is measured.
  std::uint64_t layers_done() const {
    std::error_code unknown;
    if (!std::filesystem::exists(request_.state, unknown)) return 0;
    std::uint64_t layers = 0;
    while (layers < request_.network.layers() && subjects_.all_in(setup_.known(), layers + 1)) {
      ++layers;
    }
    return layers;
  }

  double bytes_of(const std::string& name) const {
    const auto tensor = map_.find(name);
    double bytes = 0;
    for (std::uint64_t i = 0; tensor && i < map_.matrices(*tensor); ++i) {
      bytes += static_cast<double>(calibrate::stored_bytes(map_.bands({*tensor, i})));
    }
    return bytes;
  }

  bool has_feedback(TensorType type) const {
    return request_.calibrated && find_feedback(type, request_.request.settings.isa) != nullptr;
  }

  void add_encoding(const TextSubject& subject, TensorType type, double weights) {
    has_feedback(type) ? work_.fed_back[{type, subject.columns}] += weights
                       : work_.encoded[type] += weights;
  }

  void add_decoding(const std::string& name, double weights) {
    work_.decoded[map_.tensor(map_.find(name).value()).type] += weights;
  }

  static double weights_of(const TextSubject& subject) {
    return static_cast<double>(subject.rows * subject.columns);
  }

  // Rows of the embedding, each for its token.
  void add_embedding() {
    const std::string name = kEmbeddingName;
    work_.read += bytes_of(name);
    if (!subjects_.embedding()) return;
    const TextSubject& subject = *subjects_.embedding();
    work_.read += bytes_of(name);
    const auto columns = static_cast<double>(subject.columns);
    work_.encoded[subject.run_type] += text_ * columns;
    work_.decoded[subject.run_type] += text_ * columns;
    for (const TensorType type : subject.types) {
      work_.encoded[type] += sample_ * columns;
      work_.decoded[type] += sample_ * columns;
    }
  }

  void add_input(std::uint64_t layer, const model::Input& input) {
    const calibrate::InputLoad load(input, experts_);
    const auto& subjects = subjects_.of_layer(layer);
    const TextSubject* any = nullptr;
    bool moments = false;
    for (const std::string& name : input.tensors) {
      const auto tensor = map_.find(name);
      if (!tensor) continue;
      const auto rows = static_cast<double>(map_.rows(*tensor));
      const auto columns = static_cast<double>(map_.columns(*tensor));
      work_.forward.add(load.matrices, rows, columns, all_ * load.share);
      if (stem_of(name) == "attn_output") work_.attended += all_ * columns;
      // Where it is done more than once, tokens are so many that it is little.
      add_decoding(name, load.matrices * rows * columns);
      const auto subject = std::ranges::find(subjects, name, &TextSubject::name);
      if (subject == subjects.end()) continue;
      add_variants(layer, *subject, load);
      add_errors(*subject, load);
      any = &*subject;
      moments |= wants_moments(request_, *subject);
    }
    if (moments) add_moments(any->columns, load);
  }

  // Its own and those that run on, one of them with the rest of the text.
  void add_variants(std::uint64_t layer, const TextSubject& subject,
                    const calibrate::InputLoad& load) {
    const double weights = load.matrices * weights_of(subject);
    const auto variants = static_cast<double>(1 + subjects_.running_on(subject, layer).size());
    const double tokens = variants * sample_ + text_ - sample_;
    const double products = variants + (text_ > sample_ ? 1 : 0);
    work_.variants.add(load.matrices, static_cast<double>(subject.rows),
                       static_cast<double>(subject.columns), tokens * load.share);
    work_.decoded[subject.run_type] += weights * products;
    add_encoding(subject, subject.run_type, weights);
    add_decoding(subject.name, weights);
  }

  void add_errors(const TextSubject& subject, const calibrate::InputLoad& load) {
    std::uint64_t rows = 0;
    for (const RowRun& run : sampled_rows(subject.rows, subject.matrices, 1)) rows += run.count;
    const double weights = load.matrices * static_cast<double>(rows * subject.columns);
    const auto types = static_cast<double>(subject.types.size());
    add_decoding(subject.name, weights);
    for (const TensorType type : subject.types) {
      add_encoding(subject, type, weights);
      work_.decoded[type] += weights;
    }
    work_.errors.add(load.matrices * (types + 1), static_cast<double>(rows),
                     static_cast<double>(subject.columns), sample_ * load.share);
  }

  // Of tokens that are not in the sample, if there are any.
  void add_moments(std::uint64_t of, const calibrate::InputLoad& load) {
    const auto columns = static_cast<double>(of);
    const double tokens = (text_ > sample_ ? text_ - sample_ : sample_) * load.share;
    work_.moments += load.matrices * (columns * columns * tokens + std::pow(columns, 3) / 3);
  }

  // Logits of sequences' second halves; of each few tokens the matrix is read anew.
  void add_output() {
    const std::string name =
        request_.network.inputs_of(request_.network.layers()).front().front().tensors.front();
    const auto tensor = map_.find(name).value();
    const auto rows = static_cast<double>(map_.rows(tensor));
    const auto columns = static_cast<double>(map_.columns(tensor));
    const double weights = rows * columns;
    const std::uint64_t length = setup_.tokens().all().sequence_length;
    const std::uint64_t half = length - length / 2;
    const double part = static_cast<double>(half) / static_cast<double>(length);
    const auto kinds = static_cast<double>(OutputVariants::kinds_of_logits(subjects_));
    work_.forward.add(1, rows, columns, part * (kinds * sample_ + 2 * (text_ - sample_)));
    const std::uint64_t at_once =
        OutputVariants::tokens_at_once(subjects_, request_.network, setup_.memory().logits);
    const auto calls = [&](double tokens) {
      return tokens / static_cast<double>(length) * static_cast<double>(blocks(half, at_once));
    };
    work_.read += bytes_of(name) * calls(text_);
    add_decoding(name, weights * calls(text_));
    if (!subjects_.output()) return;
    const TextSubject& subject = *subjects_.output();
    const calibrate::InputLoad load({.tensors = {name}}, 1);
    work_.read += bytes_of(name);
    work_.variants.add(1, rows, columns, part * sample_);
    work_.decoded[subject.run_type] += weights * calls(sample_);
    add_encoding(subject, subject.run_type, weights);
    add_decoding(name, weights);
    add_errors(subject, load);
    if (wants_moments(request_, subject)) add_moments(subject.columns, load);
  }

  const TextSetup& setup_;
  const TextRequest& request_;
  const calibrate::MatrixMap& map_;
  const TextSubjects& subjects_;
  const double experts_;  // of all, those that a token meets
  const double text_;     // tokens
  const double sample_;
  const double all_;  // of all variants
  MeasuringWork work_;
};

}  // namespace

MeasuringWork work_of(const TextRequest& request) {
  const TextSetup setup(request);
  return setup.has_all() ? MeasuringWork() : TextWork(setup).take();
}

}  // namespace sluice::measure
