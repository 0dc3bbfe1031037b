#pragma once

// What the library makes of a checkpoint, and how it is held against other things.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "checkpoint/listing.h"
#include "sluice/options.h"
#include "sluice/quantize.h"
#include "support/temp_folder.h"
#include "tokenizer/checkpoint_files.h"

namespace sluice::published {

using nlohmann::json;
using testing_support::read_file;
using testing_support::TempFolder;
namespace fs = std::filesystem;

using Bytes = std::vector<std::byte>;

/// A GGUF file, read by the header's parser and nothing else.
struct Output {
  gguf::Header header;
  std::map<std::string, Bytes> data;  ///< by tensor
};

inline Output read_output(const std::string& path) {
  const Bytes file = read_file(path);
  Output out{*gguf::parse_header(file, file.size(), path), {}};
  for (const gguf::Tensor& tensor : out.header.tensors) {
    const auto begin =
        file.begin() + static_cast<std::ptrdiff_t>(out.header.data_offset + tensor.offset);
    out.data[tensor.name] = Bytes(begin, begin + static_cast<std::ptrdiff_t>(tensor.size));
  }
  return out;
}

class Notes : public Observer {
 public:
  void note(std::string_view text) override { texts.emplace_back(text); }
  std::vector<std::string> texts;
};

/// Options by their names.
using Settings = std::vector<std::pair<std::string, std::string>>;

inline QuantizeOptions options_for(const std::string& input, const std::string& output,
                                   const std::string& type, const Settings& settings = {}) {
  Options options;
  options.set("input", input);
  options.set("output", output);
  options.set("type", type);
  options.set("threads", "2");
  options.set("ignore-imatrix-rules", "true");
  for (const auto& [name, value] : settings) options.set(name, value);
  return options.for_quantize();
}

inline Output make(const QuantizeOptions& options) {
  Notes notes;
  quantize(options, notes);
  return read_output(options.output);
}

/// All tensors have the same types and bytes.
inline void expect_same_tensors(const Output& ours, const Output& theirs) {
  ASSERT_EQ(ours.header.tensors.size(), theirs.header.tensors.size());
  for (const gguf::Tensor& tensor : theirs.header.tensors) {
    const auto it = std::ranges::find(ours.header.tensors, tensor.name, &gguf::Tensor::name);
    ASSERT_NE(it, ours.header.tensors.end()) << tensor.name;
    EXPECT_EQ(name(it->type), name(tensor.type)) << tensor.name;
    EXPECT_EQ(it->shape, tensor.shape) << tensor.name;
    EXPECT_TRUE(ours.data.at(tensor.name) == theirs.data.at(tensor.name)) << tensor.name;
  }
}

}  // namespace sluice::published
