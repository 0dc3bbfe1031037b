// Sums of squares that a walk makes are those of a plain calculation in double, and their bits are the
// same on every instruction set, with any number of threads, within any budget, and if the walk was
// cut off after any layer.

#include "calibrate/walk.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

#include "api/gguf_files.h"
#include "calibrate/importance_sums.h"
#include "model/reference.h"
#include "model/runs.h"
#include "sluice/error.h"
#include "support/random_families.h"
#include "support/temp_folder.h"
#include "support/thread_team.h"

namespace sluice::calibrate {
namespace {

using model_tests::Reference;
using testing_support::TempFolder;
namespace families = testing_support::random_families;

struct HowToWalk {
  Isa isa = best_isa();
  int threads = 1;
  std::uint64_t spare = 0;         ///< bytes beyond the least budget
  std::uint64_t cut_off_in = 999;  ///< the layer
};

/// What a cut-off run ends with.
struct CutOff : std::runtime_error {
  CutOff() : std::runtime_error("cut off") {}
};

/// Sums, and is cut off in the middle of a layer.
class CutOffSums final : public Visitor {
 public:
  CutOffSums(ImportanceSums& sums, std::uint64_t in_layer) : sums_(sums), in_layer_(in_layer) {}

  void begin(std::uint64_t layer, const linear::Matrix&) override { layer_ = layer; }
  bool wants(const model::Input& input) override { return sums_.wants(input); }
  void see(const model::Input& input, const linear::ConstMatrix& x) override {
    sums_.see(input, x);
  }
  void finished(const model::Input& input) override {
    sums_.finished(input);
    if (layer_ == in_layer_ && input.tensors.front().find("ffn_gate") != std::string::npos) {
      throw CutOff();
    }
  }
  void done(std::uint64_t layer) override { sums_.done(layer); }

 private:
  ImportanceSums& sums_;
  const std::uint64_t in_layer_;
  std::uint64_t layer_ = 0;
};

/// A model in a file, and tokens to run it on.
struct Walked {
  explicit Walked(std::vector<std::byte> file) : bytes(std::move(file)) {
    testing_support::write_file(folder / "model.gguf", bytes);
    files = open_gguf(folder / "model.gguf");
    network.emplace(model::Network::of(files.model, "model"));
    std::vector<imatrix::Summed> tensors;
    for (std::uint64_t layer = 0; layer <= network->layers(); ++layer) {
      for (const auto& together : network->inputs_of(layer)) {
        for (const model::Input& input : together) {
          for (const std::string& name : input.tensors) {
            tensors.push_back({.name = name, .columns = columns_of(name)});
          }
        }
      }
    }
    layout.emplace(std::move(tensors), imatrix::SumsOrigin{});
  }

  std::uint64_t columns_of(const std::string& name) const {
    for (const gguf::Tensor& tensor : files.model.tensors) {
      if (tensor.name == name) return tensor.row_elements();
    }
    throw std::out_of_range(name);
  }

  /// Runs the layers that are not done. \returns how many were done before
  std::uint64_t walk(const HowToWalk& how) {
    const ModelSource source{files.model, files.weights, io::pointers_to(files.parts)};
    const WalkMemory memory = WalkMemory::least(*network, tokens, MatrixMap(source), how.threads);
    const WalkMemory given = memory.within(memory.total() + how.spare, 0);
    const io::OpenedSource opened = io::open_source(IoMode::plain, io::pointers_to(files.parts));
    ModelWeights weights(source, *opened.source,
                         {.isa = how.isa, .threads = how.threads, .memory = given.weights});
    ThreadTeam team(how.threads);
    io::Sink sink(folder / "sums.part", {{folder / "sums", 0, layout->size()}});
    Walk walk(
        *network, tokens, weights, team,
        {.isa = how.isa, .layer_memory = given.layer, .state = folder / "state", .binding = 1});
    const std::uint64_t before = walk.done();
    if (!walk.found()) {
      walk.begin();
      sink.start();
    }
    sink.keep();
    ImportanceSums sums(*layout, sink, team, {});
    CutOffSums visitor(sums, how.cut_off_in);
    walk.run(visitor);
    sink.commit();
    walk.end();
    return before;
  }

  std::vector<std::byte> sums() const { return testing_support::read_file(folder / "sums"); }

  const TempFolder folder;
  const std::vector<std::byte> bytes;
  const model::Tokens tokens = model_tests::random_tokens(3, 20);
  ModelFiles files;
  std::optional<model::Network> network;
  std::optional<imatrix::Layout> layout;
};

std::vector<float> floats_at(std::span<const std::byte> bytes, std::uint64_t offset,
                             std::size_t count) {
  std::vector<float> numbers(count);
  std::memcpy(numbers.data(), bytes.data() + offset, count * sizeof(float));
  return numbers;
}

TEST(Walk, SumsAreThoseOfAPlainCalculation) {
  Walked walked(families::llama());
  EXPECT_EQ(walked.walk({}), 0u);
  std::map<std::string, std::vector<double>> truth;
  testing_support::GgufWeights weights(walked.bytes);
  const std::uint64_t length = walked.tokens.sequence_length;
  for (std::size_t first = 0; first < walked.tokens.ids.size(); first += length) {
    const auto begin = walked.tokens.ids.begin() + static_cast<std::ptrdiff_t>(first);
    const auto calculated = Reference{.layers = 3, .neighbours = true}.calculate(
        weights, {begin, begin + static_cast<std::ptrdiff_t>(length)});
    for (const auto& [name, rows] : calculated.inputs) {
      for (const auto& row : rows) {
        truth[name].resize(row.size());
        for (std::size_t i = 0; i < row.size(); ++i) truth[name][i] += row[i] * row[i];
      }
    }
  }
  ASSERT_EQ(truth.size(), walked.layout->places().size());
  const std::vector<std::byte> sums = walked.sums();
  for (const auto& [name, place] : walked.layout->places()) {
    EXPECT_EQ(floats_at(sums, place.counts, 1).front(), 60) << name;
    const std::vector<float> found = floats_at(sums, place.sums, place.tensor.columns);
    const std::vector<double>& expected = truth.at(name);
    ASSERT_EQ(found.size(), expected.size()) << name;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-4 * (expected[i] + 1e-3)) << name << " " << i;
    }
  }
}

TEST(Walk, BitsDependOnNeitherMachineNorThreadsNorBudget) {
  Walked walked(families::llama());
  walked.walk({});
  const std::vector<std::byte> once = walked.sums();
  for (const Isa isa : supported_isas()) {
    walked.walk({.isa = isa});
    EXPECT_EQ(walked.sums(), once) << name(isa);
  }
  for (const int threads : {2, 3}) {
    for (const std::uint64_t spare : {0, 10'000, 10'000'000}) {
      walked.walk({.threads = threads, .spare = spare});
      EXPECT_EQ(walked.sums(), once) << threads << " threads, " << spare << " bytes to spare";
    }
  }
}

TEST(Walk, GoesOnInTheLayerThatWasCutOff) {
  Walked walked(families::llama());
  walked.walk({});
  const std::vector<std::byte> once = walked.sums();
  for (const std::uint64_t layer : {0, 1, 2}) {
    std::filesystem::remove(walked.folder / "sums");
    EXPECT_THROW(walked.walk({.cut_off_in = layer}), CutOff);
    EXPECT_FALSE(std::filesystem::exists(walked.folder / "sums"));
    EXPECT_EQ(walked.walk({.threads = 2}), layer);
    EXPECT_EQ(walked.sums(), once) << "cut off in layer " << layer;
    EXPECT_FALSE(std::filesystem::exists(walked.folder / "state"));
  }
  EXPECT_THROW(walked.walk({.cut_off_in = 0}), CutOff);
  EXPECT_THROW(walked.walk({.cut_off_in = 2}), CutOff);  // twice
  EXPECT_EQ(walked.walk({}), 2u);
  EXPECT_EQ(walked.sums(), once);
}

TEST(Walk, TooSmallABudgetNamesTheLeast) {
  const WalkMemory least{.stream = 10 << 20, .layer = 5 << 20, .weights = 3 << 20};
  const WalkMemory all = least.within(30 << 20, 2 << 20);
  EXPECT_EQ(all.layer, 10u << 20);
  EXPECT_EQ(all.weights, 8u << 20);
  try {
    least.within(19 << 20, 2 << 20);
    FAIL() << "too little was enough";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::memory_budget);
    EXPECT_NE(std::string(error.what()).find("the least is 20M"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace sluice::calibrate
