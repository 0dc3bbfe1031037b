// Names and numbers of the file types, and whole models in each of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "recipe/folded_map.h"
#include "recipe/model.h"

namespace sluice::recipe_test {
namespace {

TEST(FileTypes, AreFoundInAnyLetterCaseAndByNumber) {
  for (const FileType& type : file_types()) {
    std::string lower(type.name);
    for (char& c : lower) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(find_file_type(lower), &type) << lower;
    EXPECT_EQ(find_file_type(type.name, Mix::ik_llama_cpp), &type) << type.name;
    if (type.copy) continue;
    for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
      const FileType* found = find_file_type(std::to_string(type.number), mix);
      if (!type.in(mix)) continue;
      ASSERT_NE(found, nullptr) << type.name;
      EXPECT_EQ(found->number, type.number);
      EXPECT_EQ(found->type, type.type);
    }
  }
  for (const char* unknown : {"", "IQ1_", "IQ1_MM", "33", "-1", "15x", " 15", "99999999999999"}) {
    EXPECT_EQ(find_file_type(unknown), nullptr) << unknown;
  }
}

TEST(FileTypes, HaveTheNumbersOfThePeers) {
  const std::map<std::string, std::uint32_t> numbers = {
      {"F32", 0},        {"F16", 1},      {"Q4_0", 2},      {"Q4_1", 3},       {"Q8_0", 7},
      {"Q5_0", 8},       {"Q5_1", 9},     {"Q2_K", 10},     {"Q3_K_S", 11},    {"Q3_K_M", 12},
      {"Q3_K", 12},      {"Q3_K_L", 13},  {"Q4_K_S", 14},   {"Q4_K_M", 15},    {"Q4_K", 15},
      {"Q5_K_S", 16},    {"Q5_K_M", 17},  {"Q5_K", 17},     {"Q6_K", 18},      {"IQ2_XXS", 19},
      {"IQ2_XS", 20},    {"Q2_K_S", 21},  {"IQ3_XS", 22},   {"IQ3_XXS", 23},   {"IQ1_S", 24},
      {"IQ4_NL", 25},    {"IQ3_S", 26},   {"IQ3_M", 27},    {"IQ2_S", 28},     {"IQ2_M", 29},
      {"IQ4_XS", 30},    {"IQ1_M", 31},   {"BF16", 32},     {"TQ1_0", 36},     {"TQ2_0", 37},
      {"MXFP4_MOE", 38}, {"COPY", 0},     {"MXFP4", 38},    {"Q6_0", 135},     {"IQ2_K", 138},
      {"IQ3_K", 139},    {"IQ4_K", 140},  {"IQ5_K", 141},   {"IQ6_K", 142},    {"IQ1_KT", 156},
      {"IQ2_KT", 151},   {"IQ2_KS", 147}, {"IQ2_KL", 155},  {"IQ3_KT", 152},   {"IQ3_KS", 154},
      {"IQ3_KL", 146},   {"IQ4_KT", 153}, {"IQ4_KSS", 148}, {"IQ4_KS", 145},   {"IQ5_KS", 150},
      {"NVFP4", 39},     {"Q1_0", 40},    {"Q2_0", 41},     {"IQ1_S_R4", 224}, {"IQ1_M_R4", 231}};
  EXPECT_EQ(file_types().size(), numbers.size());
  for (const auto& [name, number] : numbers) {
    const FileType* type = find_file_type(name);
    ASSERT_NE(type, nullptr) << name;
    EXPECT_EQ(type->number, number) << name;
  }
  // An alias gives its name to the default output, as in llama-quantize.
  EXPECT_EQ(find_file_type("15")->name, "Q4_K");
  EXPECT_EQ(find_file_type("38")->name, "MXFP4_MOE");
  EXPECT_EQ(find_file_type("38", Mix::ik_llama_cpp)->name, "MXFP4");
}

/// tests/data/mixes/file-types/NAME.json: its model (its own, or that of NAME.map.json), and by
/// file type what differs from that type; see the README there.
struct FileTypeMaps {
  gguf::Header model;
  std::set<std::string> kept;
  nlohmann::json maps;  ///< by peer, then by file type
};

void add_old_metadata(const std::string& name, gguf::Header& model) {
  const bool deepseek = name == "dsl";
  const std::string architecture = deepseek ? "deepseek2" : "llama";
  add_metadata(model, "general.architecture", architecture);
  const auto add = [&](const char* key, int value) {
    add_metadata(model, architecture + "." + key, value);
  };
  add("block_count", deepseek ? 27 : 32);
  add("attention.head_count", deepseek ? 16 : 32);
  if (deepseek) add("expert_count", 64);
  if (name == "l3-8b") add("attention.head_count_kv", 8);
}

FileTypeMaps read_file_type_maps(const std::filesystem::path& path) {
  std::ifstream file(path);
  const auto json = nlohmann::json::parse(file);
  FileTypeMaps maps;
  const auto name = json["model"].get<std::string>();
  if (json.contains("tensors")) {
    for (const auto& [key, value] : json["metadata"].items()) add_metadata(maps.model, key, value);
    for (const auto& row : json["tensors"]) {
      maps.model.tensors.push_back(make_tensor(row[0].get<std::string>(),
                                               row[1].get<std::vector<std::uint64_t>>(),
                                               type_named(row[2].get<std::string>())));
    }
  } else {
    maps.model = read_map(name).model;
    if (maps.model.metadata.empty()) add_old_metadata(name, maps.model);
  }
  maps.kept = json["kept"].get<std::set<std::string>>();
  for (const char* peer : {"llama.cpp", "ik_llama.cpp"}) {
    if (json.contains(peer)) maps.maps[peer] = json[peer];
  }
  return maps;
}

/// The types that a map means, tensor by tensor.
std::vector<std::string> expected_types(const FileTypeMaps& maps, const nlohmann::json& map,
                                        const FileType& file_type) {
  std::vector<std::string> types = unfold(maps.model, map);
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (!types[i].empty()) continue;
    const gguf::Tensor& tensor = maps.model.tensors[i];
    const bool kept = maps.kept.contains(without_layer(tensor.name).first);
    types[i] = sluice::name(kept ? tensor.type : file_type.type);
  }
  return types;
}

std::vector<std::string> models_with_maps() {
  std::vector<std::string> names;
  const std::filesystem::path folder = std::string(SLUICE_TEST_DATA) + "/mixes/file-types";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

/// The peer aborts on such a tensor.
constexpr const char* kNoAnswer = "-";

class AllFileTypes : public testing::TestWithParam<std::string> {};

TEST_P(AllFileTypes, EqualThePeers) {
  const FileTypeMaps maps = read_file_type_maps(std::string(SLUICE_TEST_DATA) +
                                                "/mixes/file-types/" + GetParam() + ".json");
  for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
    const std::string peer(sluice::name(mix));
    if (!maps.maps.contains(peer)) continue;
    const auto& by_type = maps.maps[peer];
    EXPECT_GE(by_type.size(), 33u) << peer;
    for (const auto& [title, map] : by_type.items()) {
      const std::string file_type_name = title.substr(0, title.find(' '));
      const FileType* file_type = find_file_type(file_type_name);
      ASSERT_NE(file_type, nullptr) << title;
      for (const bool has_imatrix : {true, false}) {
        const bool only_without = title.ends_with(" without imatrix");
        if (has_imatrix ? only_without
                        : !only_without && by_type.contains(title + " without imatrix")) {
          continue;
        }
        const auto chosen = choose_types({.mix = mix, .file_type = file_type}, maps.model,
                                         {.has_imatrix = has_imatrix});
        const auto expected = expected_types(maps, map, *file_type);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          if (expected[i] == kNoAnswer) continue;
          EXPECT_EQ(sluice::name(chosen.tensors[i].type), expected[i])
              << peer << " " << title << (has_imatrix ? "" : " (no imatrix)") << ": "
              << maps.model.tensors[i].name << " (" << chosen.tensors[i].rule << ")";
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, AllFileTypes, testing::ValuesIn(models_with_maps()),
                         [](const auto& param_info) {
                           std::string id = param_info.param;
                           std::ranges::replace_if(
                               id, [](char c) { return !std::isalnum(c); }, '_');
                           return id;
                         });

}  // namespace
}  // namespace sluice::recipe_test
