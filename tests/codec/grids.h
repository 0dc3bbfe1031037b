#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace sluice::testing_support {

/// The entries of a published codebook, of `width` magnitudes or values each: tests/data/grids, which do not
/// come from the code under test.
inline std::vector<std::vector<int>> read_grid(const std::string& name, std::size_t width) {
  std::ifstream file(SLUICE_TEST_DATA "/grids/" + name);
  std::vector<std::vector<int>> grid;
  std::vector<int> entry;
  for (int value; file >> value;) {
    entry.push_back(value);
    if (entry.size() == width) grid.push_back(std::exchange(entry, {}));
  }
  return grid;
}

}  // namespace sluice::testing_support
