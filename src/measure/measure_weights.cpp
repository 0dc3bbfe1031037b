#include "measure/measure_weights.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>

#include "base/checked.h"
#include "base/clocks.h"
#include "calibrate/matrix_map.h"
#include "calibrate/range_reader.h"
#include "calibrate/stored_rows.h"
#include "engine/team.h"
#include "io/source.h"
#include "measure/gains.h"
#include "measure/input_squares.h"
#include "measure/measuring_work.h"
#include "measure/row_errors.h"
#include "measure/row_sample.h"
#include "measure/tensor_sums.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice::measure {
namespace {

using calibrate::MatrixBytes;
using calibrate::MatrixId;

// Changes with whatever changes a number.
constexpr const char* kMethod = "weights 2";

// At most so much is done twice after a crash.
constexpr double kSaveSeconds = 4;

/// A tensor, and in which types it is yet to be measured.
struct Work {
  std::size_t tensor = 0;
  std::vector<TensorType> types = {};
  const ImportanceMatrix::Entry* importance = nullptr;
  float bias_correction = 1;
};

/// Rows of a matrix that one worker takes at once.
struct Job {
  std::size_t work = 0;  // index
  std::uint64_t matrix = 0;
  std::vector<RowRun> runs = {};
  bool whole = false;  // the matrix lies across: its rows cannot be read one by one
  RowSums sums = {};
};

std::uint64_t rows_in(const Job& job) {
  std::uint64_t rows = 0;
  for (const RowRun& run : job.runs) rows += run.count;
  return rows;
}

/// Measures the tensors of a request.
class WeightMeasuring {
 public:
  WeightMeasuring(const Request& request, Observer& observer)
      : request_(request),
        observer_(observer),
        map_(request.model),
        source_(io::open_uncached_source(request.model.files)),
        reader_(*source_, request.settings.stop),
        squares_(request.model.header, request.imatrix,
                 [this](const std::string& name) { return numbers(name); }),
        binding_(binding()) {}

  Measurements run() {
    find_jobs();
    // Gains come last: what was kept before has no divergence yet.
    if (work_.empty() && found_.divergence_per_change > 0) return std::move(found_);
    measure_jobs();
    add_gains({request_.model.header, [this](const std::string& name) { return numbers(name); },
               [this](const std::string& name) { return squares_known(name); }},
              found_);
    keep();
    return std::move(found_);
  }

  MeasuringWork work() {
    find_jobs();
    MeasuringWork sum;
    if (!jobs_.empty()) threads();  // refuses too little memory
    for (const Job& job : jobs_) {
      const Work& work = work_[job.work];
      const auto weights = static_cast<double>(rows_in(job) * map_.columns(work.tensor));
      sum.read += static_cast<double>(calibrate::stored_bytes(bands_of(job)));
      sum.decoded[map_.tensor(work.tensor).type] += weights;
      for (const TensorType type : work.types) {
        sum.encoded[type] += weights;
        sum.decoded[type] += weights;
      }
    }
    return sum;
  }

 private:
  const Request& request_;
  Observer& observer_;
  const calibrate::MatrixMap map_;
  const std::unique_ptr<io::Source> source_;
  calibrate::RangeReader reader_;
  const InputSquares squares_;
  const std::uint64_t binding_;
  std::mutex mutex_;
  std::map<std::string, std::vector<float>> numbers_;  // that were read
  Measurements found_;
  std::vector<Work> work_;
  std::vector<Job> jobs_;
  Stopwatch running_;

  std::uint64_t binding() const {
    const std::string text = fmt::format("{} {} {:x} {}", kMethod, name(request_.settings.effort),
                                         request_.inputs, request_.settings.via_bf16);
    return XXH3_64bits(text.data(), text.size());
  }

  std::string method() const {
    return request_.imatrix != nullptr
               ? "errors of sampled rows under the importance matrix, the model not run"
               : "errors of sampled rows under the norms before them, the model not run";
  }

  // Small tensors: norms.
  std::vector<float> numbers(const std::string& tensor) {
    const std::lock_guard lock(mutex_);
    const auto known = numbers_.find(tensor);
    if (known != numbers_.end()) return known->second;
    std::vector<float> values;
    if (const auto index = map_.find(tensor)) {
      values.resize(map_.rows(*index) * map_.columns(*index));
      const MatrixId matrix{*index, 0};
      rows_in_memory(map_, matrix, read_bands(map_.bands(matrix), reader_), request_.settings.isa)
          ->decode(0, map_.rows(*index), values.data());
    }
    return numbers_[tensor] = std::move(values);
  }

  const ImportanceMatrix::Entry* importance_of(std::size_t tensor) const {
    if (request_.imatrix == nullptr) return nullptr;
    return request_.imatrix->find(map_.tensor(tensor).name, map_.columns(tensor),
                                  map_.matrices(tensor));
  }

  bool squares_known(const std::string& name) const {
    const std::size_t tensor = map_.find(name).value();
    return squares_.known(map_.tensor(tensor), importance_of(tensor));
  }

  void find_jobs() {
    if (!request_.file.empty()) found_ = load(request_.file, binding_).value_or(Measurements());
    found_.binding = binding_;
    found_.method = method();
    find_work();
    for (std::size_t i = 0; i < work_.size(); ++i) add_jobs(i);
  }

  // The subjects' types, and the powers of all tensors.
  void find_work() {
    std::map<std::size_t, const Subject*> subjects;
    for (const Subject& subject : request_.subjects) subjects[subject.tensor] = &subject;
    for (std::size_t i = 0; i < request_.model.header.tensors.size(); ++i) {
      const gguf::Tensor& tensor = map_.tensor(i);
      const auto subject = subjects.find(i);
      if (subject == subjects.end() && !(is_measured(tensor) && can_decode(tensor.type))) continue;
      const auto known = found_.tensors.find(tensor.name);
      Work work{.tensor = i, .importance = importance_of(i)};
      if (subject != subjects.end()) {
        work.importance = subject->second->importance;
        work.bias_correction = subject->second->bias_correction;
        for (const TensorType type : subject->second->types) {
          if (known == found_.tensors.end() || !known->second.errors.contains(type)) {
            work.types.push_back(type);
          }
        }
      }
      if (known == found_.tensors.end() || !work.types.empty()) work_.push_back(std::move(work));
    }
  }

  void add_jobs(std::size_t index) {
    const std::size_t tensor = work_[index].tensor;
    const std::uint64_t rows = map_.rows(tensor);
    const std::uint64_t matrices = map_.matrices(tensor);
    const bool whole = !reads_by_rows(map_, {tensor, 0});
    for (const std::uint64_t matrix : sampled_matrices(matrices, whole)) {
      const std::uint64_t bytes = calibrate::stored_bytes(map_.bands({tensor, matrix}));
      std::vector<RowRun> runs =
          sampled_rows(rows, matrices, std::max<std::uint64_t>(1, bytes / rows));
      if (whole) {
        jobs_.push_back({.work = index, .matrix = matrix, .runs = std::move(runs), .whole = true});
        continue;
      }
      for (const RowRun& run : runs) {
        jobs_.push_back({.work = index, .matrix = matrix, .runs = {run}});
      }
    }
  }

  std::vector<weights::Band> bands_of(const Job& job) const {
    const MatrixId id{work_[job.work].tensor, job.matrix};
    const RowRun run = job.whole ? RowRun{0, map_.rows(id.tensor)} : job.runs.front();
    return map_.bands(id, run.first, run.count);
  }

  // Threads for which there is memory.
  int threads() const {
    std::uint64_t most = 0;
    for (const Job& job : jobs_) {
      most = std::max(most, calibrate::stored_bytes(bands_of(job)) +
                                RowErrors::memory_bytes(map_.columns(work_[job.work].tensor)));
    }
    const std::uint64_t around =
        request_.held + bytes_of_preparations(request_) + calibrate::RangeReader::bytes();
    if (request_.memory < around + most) {
      constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
      throw Error(ErrorCode::memory_budget,
                  fmt::format("--memory of {} is too small for measuring: the least is {}M",
                              bytes_text(static_cast<double>(request_.memory)),
                              align_up(around + most, kMiB) / kMiB),
                  {.cure = "Raise --memory"});
    }
    const std::uint64_t fit = (request_.memory - around) / std::max<std::uint64_t>(1, most);
    return static_cast<int>(
        std::min<std::uint64_t>(fit, static_cast<std::uint64_t>(request_.settings.threads)));
  }

  void measure_jobs() {
    engine::TbbTeam team(threads(), request_.settings.stop);
    std::vector<RowErrors> workers(static_cast<std::size_t>(team.threads()),
                                   RowErrors(request_.settings));
    Progress progress;
    for (const Job& job : jobs_) progress.input_bytes += calibrate::stored_bytes(bands_of(job));
    // Tensors at a time, so many that each thread has enough to do.
    const std::size_t at_once = 16 * workers.size();
    Stopwatch since_save;
    for (std::size_t begin = 0; begin < jobs_.size();) {
      std::size_t end = std::min(jobs_.size(), begin + at_once);
      while (end < jobs_.size() && jobs_[end].work == jobs_[end - 1].work) ++end;
      team.run(end - begin, [&](std::size_t i, int worker) {
        measure(jobs_[begin + i], workers[static_cast<std::size_t>(worker)]);
      });
      take(begin, end, progress);
      if (since_save.seconds() > kSaveSeconds) {
        keep();
        since_save = Stopwatch();
      }
      begin = end;
    }
  }

  void measure(Job& job, RowErrors& errors) {
    const Work& work = work_[job.work];
    const MatrixId id{work.tensor, job.matrix};
    const gguf::Tensor& tensor = map_.tensor(work.tensor);
    std::vector<float> squares(tensor.row_elements());
    squares_.read(tensor, work.importance, job.matrix, squares);
    std::vector<float> importance(work.importance != nullptr ? squares.size() : 0);
    if (work.importance != nullptr) {
      request_.imatrix->read_row(*work.importance, job.matrix, importance);
    }
    const auto rows =
        rows_in_memory(map_, id, read_bands(bands_of(job), reader_), request_.settings.isa);
    const RowsRequest request{
        .rows = *rows,
        .types = work.types,
        .importance = importance,
        .squares = squares,
        .bias_correction = work.bias_correction,
        .bf16 = request_.settings.via_bf16 && tensor.type == TensorType::bf16};
    for (const RowRun& run : job.runs) errors.add(request, run, job.sums);
  }

  // In the jobs' order, so that sums do not depend on threads.
  void take(std::size_t begin, std::size_t end, Progress& progress) {
    if (request_.imatrix_file != nullptr) request_.imatrix_file->check();
    for (std::size_t first = begin; first < end;) {
      std::size_t last = first;
      while (last < end && jobs_[last].work == jobs_[first].work) ++last;
      take_tensor(first, last);
      first = last;
    }
    for (std::size_t i = begin; i < end; ++i) {
      progress.input_bytes_done += calibrate::stored_bytes(bands_of(jobs_[i]));
      progress.weights_done += rows_in(jobs_[i]) * map_.columns(work_[jobs_[i].work].tensor);
    }
    progress.elapsed_s = running_.seconds();
    progress.wait_cores_s = progress.elapsed_s;
    observer_.progress(progress);
  }

  void take_tensor(std::size_t begin, std::size_t end) {
    const Work& work = work_[jobs_[begin].work];
    const gguf::Tensor& tensor = map_.tensor(work.tensor);
    const std::vector<double> shares = squares_.shares(tensor, work.importance);
    TensorSums all(map_.rows(work.tensor));
    for (std::size_t first = begin; first < end;) {
      RowSums sums;
      const std::uint64_t matrix = jobs_[first].matrix;
      for (; first < end && jobs_[first].matrix == matrix; ++first) {
        const RowSums& found = jobs_[first].sums;
        sums.powers.insert(sums.powers.end(), found.powers.begin(), found.powers.end());
        for (const auto& [type, error] : found.errors) sums.errors[type] += error;
      }
      all.add(sums, shares[matrix]);
    }
    all.scale_to(std::accumulate(shares.begin(), shares.end(), 0.0));
    all.put_into(found_.tensors[tensor.name]);
  }

  void keep() const {
    if (!request_.file.empty()) save(found_, request_.file);
  }
};

}  // namespace

MeasuringWork work_of(const Request& request) {
  Observer nobody;
  return WeightMeasuring(request, nobody).work();
}

Measurements measure_weights(const Request& request, Observer& observer) {
  return WeightMeasuring(request, observer).run();
}

}  // namespace sluice::measure
