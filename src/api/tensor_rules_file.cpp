#include <cstddef>
#include <span>
#include <string>

#include "io/file.h"
#include "recipe/recipe_text.h"
#include "sluice/error.h"

namespace sluice {

std::vector<TypeRule> read_tensor_rules(const std::string& path) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 20;  // rules for a hundred models
  const io::File file = io::File::open_input(path);
  if (file.size() > kMostBytes) {
    throw Error(ErrorCode::usage, "is too large for a file of tensor types",
                {.file = file.path(), .cure = "Name a text file with NAME=TYPE in each line"});
  }
  std::string text(file.size(), '\0');
  text.resize(file.read_at(0, std::as_writable_bytes(std::span(text))));
  try {
    return parse_tensor_rules(text);
  } catch (const Error& error) {
    throw Error::in_file(file.path(), error);
  }
}

}  // namespace sluice
