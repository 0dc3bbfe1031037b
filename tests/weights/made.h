#pragma once

// Models of a few stored tensors that tests make, with any bytes.

#include <memory>

#include "reading.h"

namespace sluice::weights {

class Made {
 public:
  Fixture fixture;
  Model model;
  std::vector<std::uint64_t> row_elements;  // of each source

  explicit Made(std::uint32_t seed = 1) : random_(seed) { fixture.data.emplace_back(); }

  /// Adds a stored tensor. \returns its index
  std::size_t store(std::vector<std::uint64_t> shape, Coding coding = Coding::typed,
                    TensorType type = TensorType::bf16) {
    Stored stored{.name = {},
                  .place = {},
                  .coding = coding,
                  .type = type,
                  .shape = std::move(shape),
                  .scales = {}};
    stored.place =
        add(stored.elements() / stored.columns() / stored.joint_rows() * stored.row_bytes());
    model.weights.stored.push_back(std::move(stored));
    return model.weights.stored.size() - 1;
  }

  /// Gives the last stored tensor factors.
  void scale(Scales::Type type, std::uint64_t block_rows, std::uint64_t block_columns,
             bool each_matrix = true) {
    Stored& stored = model.weights.stored.back();
    Scales scales{
        .place = {}, .type = type, .block_rows = block_rows, .block_columns = block_columns};
    scales.columns = (stored.columns() - 1) / block_columns + 1;
    const std::uint64_t of_matrix = ((stored.rows() - 1) / block_rows + 1) * scales.columns;
    const std::uint64_t matrices = stored.elements() / stored.columns() / stored.rows();
    if (each_matrix) scales.matrix = of_matrix;
    const bool byte = type == Scales::Type::e8m0 || type == Scales::Type::f8_e4m3;
    const std::uint64_t size = type == Scales::Type::f32 ? 4 : byte ? 1 : 2;
    scales.place = add(of_matrix * (each_matrix ? matrices : 1) * size);
    stored.scales = scales;
  }

  /// Adds a tensor with rows of so many elements.
  void make(std::uint64_t row, std::vector<View> views, Change change = Change::none) {
    model.weights.sources.push_back({std::move(views), change, {}});
    row_elements.push_back(row);
  }

  std::vector<Wanted> wanted(std::uint64_t row_bytes, std::uint64_t column_block = 0) const {
    std::vector<Wanted> result;
    for (std::size_t i = 0; i < row_elements.size(); ++i) {
      result.push_back({&model.weights.sources[i], row_elements[i], row_bytes, column_block});
    }
    return result;
  }

  Reading reading(std::uint64_t row_bytes, std::uint64_t column_block = 0) const {
    return {fixture, model, wanted(row_bytes, column_block)};
  }

  std::uint64_t any(std::uint64_t least, std::uint64_t most) {
    return least + random_() % (most - least + 1);
  }

  std::mt19937& random() { return random_; }

 private:
  Place add(std::uint64_t size) {
    std::string& data = fixture.data.back();
    const Place place{0, data.size(), size};
    for (std::uint64_t i = 0; i < size; ++i) data += static_cast<char>(random_());
    return place;
  }

  std::mt19937 random_;
};

}  // namespace sluice::weights
