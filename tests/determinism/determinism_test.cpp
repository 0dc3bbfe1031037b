// The same bytes, whatever the instruction set, threads, budget, way of reading and order of reads
// and writes; and on any machine: tests/data/checksums.json has what others made.

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sluice/codec.h"
#include "sluice/gguf.h"
#include "sluice/recipe.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

using testing_support::Finished;
using testing_support::read_file;
using testing_support::TempFolder;

using Words = std::vector<std::string>;

/// CRC-32 of a file's tensor data. The header is left out: it names the importance matrix's path.
std::string data_checksum(const std::vector<std::byte>& file) {
  const auto header = gguf::parse_header(file, file.size(), "output");
  if (!header) return "no header";
  const auto data = std::span(file).subspan(header->data_offset);
  char text[16];
  std::snprintf(text, sizeof text, "%08lx",
                crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
  return text;
}

class Determinism : public testing::Test {
 protected:
  /// What the trained model becomes.
  std::string make(const std::string& type, const Words& options, const std::string& threads) {
    Words words = {SLUICE_PROGRAM, "quantize", "--imatrix",
                   SLUICE_TEST_DATA "/imatrix/tiny-llama.imatrix.gguf"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf", folder_ / "out.gguf",
                               type, threads});
    const Finished done = testing_support::run(words);
    EXPECT_EQ(done.status, 0) << done.errors;
    return done.status == 0 ? data_checksum(read_file(folder_ / "out.gguf")) : "none";
  }

  static nlohmann::json expected() {
    std::ifstream file(SLUICE_TEST_DATA "/checksums.json");
    return nlohmann::json::parse(file)["outputs"];
  }

  const TempFolder folder_;
};

TEST_F(Determinism, TheMixIsTheSameHoweverItIsMade) {
  const nlohmann::json checksums = expected();
  const Words budgets = {"64M", "512M", "2G"};
  const Words spindles = {"shared", "separate"};
  std::size_t runs = 0;
  for (const std::string effort : {"best", "fast"}) {
    for (const Isa isa : supported_isas()) {
      for (const std::string io : {"async", "mmap", "read"}) {
        for (const std::string threads : {"1", "2", "5"}) {
          const std::string& budget = budgets[runs % budgets.size()];
          const std::string& spindle = spindles[runs % spindles.size()];
          ++runs;
          EXPECT_EQ(make("IQ1_M",
                         {"--effort", effort, "--isa", std::string(name(isa)), "--io", io,
                          "--memory", budget, "--spindle", spindle},
                         threads),
                    checksums.at(effort == "best" ? "IQ1_M" : "IQ1_M, fast"))
              << effort << ' ' << name(isa) << ' ' << io << ' ' << threads << " threads " << budget
              << ' ' << spindle;
        }
      }
    }
  }
  EXPECT_GE(runs, 18u);
}

const FileType& type_named(const std::string& wanted) {
  return *std::ranges::find(file_types(), wanted, &FileType::name);
}

// tools/make-checksums makes the list.
class EachFileType : public Determinism, public testing::WithParamInterface<std::string> {};

TEST_P(EachFileType, IsWhatOtherMachinesMake) {
  const FileType& type = type_named(GetParam());
  const nlohmann::json checksums = expected();
  for (const std::string effort : {"best", "fast"}) {
    Words options = {"--effort", effort};
    // The mixes of ik_llama.cpp's own types go together with types that are only read.
    if (!type.in_llama_cpp) options.insert(options.end(), {"--pure", "--mix", "ik_llama.cpp"});
    EXPECT_EQ(make(GetParam(), options, "2"),
              checksums.value(GetParam() + (effort == "best" ? "" : ", " + effort), "not listed"))
        << effort;
  }
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const FileType& type : file_types()) {
    const Codec* const codec = find_codec(type.type);
    if (type.copy || (codec != nullptr && codec->encode != nullptr)) names.emplace_back(type.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(FileTypes, EachFileType, testing::ValuesIn(names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace sluice
