// Options by name: the list of them, and what setting them does.

#include "sluice/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

using testing_support::TempFolder;

std::vector<std::string> choices_of(const Option& option) {
  std::vector<std::string> choices;
  std::istringstream text{std::string(option.value)};
  for (std::string choice; std::getline(text, choice, '|');) choices.push_back(choice);
  return choices;
}

const Option& find(std::string_view name) {
  return *std::ranges::find(options(), name, &Option::name);
}

std::string refusal(std::string_view name, std::string_view value) {
  Options values;
  try {
    values.set(name, value);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage) << error.what();
    return error.what();
  }
  return "";
}

// A value of an option's kind that differs from its default.
std::string some_value(const Option& option, const std::string& rules_file) {
  if (option.name == "tensor-type-file") return rules_file;
  if (option.name == "split-max-size") return "3G";
  if (option.name == "tensor-type" || option.name == "custom-q") return "ffn_up=q8_0";
  if (option.name == "at-least" || option.name == "at-most") return "ffn_up=q8_0";
  if (option.name == "types") return "q8_0,q4_k";
  if (option.name == "target") return "exps=3G";
  if (option.name == "override-kv") return "a.b=int:3";
  if (option.name == "prune-layers") return "1";
  if (option.name == "pre") return "gpt-2";
  if (option.name == "part") return "2/3";
  if (option.name == "isa") return "portable";
  switch (option.kind) {
    case OptionKind::flag:
      return "true";
    case OptionKind::choice: {
      const std::vector<std::string> choices = choices_of(option);
      return choices.back() == option.default_value ? choices.front() : choices.back();
    }
    case OptionKind::number:
      return "7";
    case OptionKind::size:
      return "300M";
    case OptionKind::tensor_type:
      return "q8_0";
    case OptionKind::file_type:
      return "IQ1_M";
    case OptionKind::text:
    case OptionKind::file:
    case OptionKind::folder:
      return "some";
  }
  return "";
}

// All that options bind to, as a text.
std::string told(const Options& values) {
  const QuantizeOptions& q = values.quantize;
  std::ostringstream out;
  const auto tell = [&](const auto&... each) { ((out << each << '|'), ...); };
  const auto type = [&](const std::optional<TensorType>& t) { tell(t ? name(*t) : "none"); };
  tell(q.input, q.output, q.pre, static_cast<int>(q.via), values.type, q.threads, values.a,
       values.b, values.against, q.imatrix, q.trace, name(q.mix), name(q.effort),
       static_cast<int>(q.io), static_cast<int>(q.spindle), name(q.isa), q.memory, q.checkpoint_s,
       q.split.max_bytes, q.split.max_tensors, q.split.keep, q.share.number, q.pure,
       q.allow_requantize, q.leave_output, q.skip_existing, q.hide_imatrix, q.ignore_imatrix_rules,
       q.restart, q.same_input, q.verify_resume, q.verify, q.tensor_types.size(),
       q.custom_types.size(), q.use.include.size(), q.use.exclude.size(), q.edits.metadata.size(),
       q.edits.pruned_layers.size(), q.calibration.texts.size(), q.calibration.tokens,
       q.calibration.context, q.calibration.chunks, q.calibration.scratch,
       q.calibration.parse_special, q.calibration.refit, q.target.size, q.target.bpw,
       q.target.places.size(), q.target.types.size(), q.target.at_least.size(),
       q.target.at_most.size(), q.target.ties.size(), q.target.texts.size(), q.target.tokens,
       q.target.measurements, values.model, values.process_output,
       static_cast<int>(values.imatrix_format));
  for (const auto* t :
       {&q.output_tensor, &q.token_embedding, &q.per_layer_token_embedding, &q.ffn_gate_inp,
        &q.kinds.attn_q, &q.kinds.attn_k, &q.kinds.attn_v, &q.kinds.attn_qkv, &q.kinds.attn_output,
        &q.kinds.ffn_gate, &q.kinds.ffn_down, &q.kinds.ffn_up}) {
    type(*t);
  }
  return out.str();
}

TEST(OptionTable, EachRowIsWhole) {
  std::set<std::tuple<std::string_view, unsigned, bool>> seen;  // once by place, once by name
  for (const Option& option : options()) {
    EXPECT_FALSE(option.name.empty() || option.help.empty()) << option.name;
    EXPECT_EQ(option.kind == OptionKind::flag, option.value.empty()) << option.name;
    for (unsigned bit = 1; bit <= kForImatrix; bit *= 2) {
      if ((option.commands & bit) == 0) continue;
      EXPECT_TRUE(seen.emplace(option.name, bit, option.position.empty()).second)
          << option.name << " stands twice";
    }
    for (const std::string_view text : {option.name, option.value, option.default_value,
                                        option.help, option.llama_cpp, option.ik_llama_cpp}) {
      EXPECT_EQ(text.data()[text.size()], '\0') << option.name;
    }
  }
  EXPECT_GT(seen.size(), 60u);
}

// The same under another command's name for it.
std::string_view first_name(std::string_view name) {
  static const std::map<std::string_view, std::string_view> kOthers = {
      {"tensor-type-file", "tensor-type"},
      {"file", "text"},
      {"calibrate", "text"},
      {"calibrate-context", "ctx-size"},
      {"calibrate-chunks", "chunks"}};
  const auto other = kOthers.find(name);
  return other == kOthers.end() ? name : other->second;
}

TEST(OptionTable, EachOptionBindsToSomethingOfItsOwn) {
  const TempFolder folder;
  const std::string rules = folder / "rules";
  std::ofstream(rules) << "attn_q=q8_0";
  std::map<std::string, std::string_view> by_effect;
  for (const Option& option : options()) {
    // One machine may have the portable kernels only, which is then no change.
    if (option.name == "isa" && best_isa() == Isa::portable) continue;
    Options values;
    values.set(option.name, some_value(option, rules));
    const std::string effect = told(values);
    EXPECT_NE(effect, told(Options())) << option.name << " does nothing";
    const auto [other, fresh] = by_effect.emplace(effect, first_name(option.name));
    EXPECT_TRUE(fresh || other->second == first_name(option.name))
        << option.name << " does what " << other->second << " does";
  }
}

TEST(OptionTable, DefaultsAreThoseOfTheStructures) {
  std::size_t defaults = 0;
  for (const Option& option : options()) {
    if (option.default_value.empty()) continue;
    Options values;
    values.set(option.name, option.default_value);
    EXPECT_EQ(told(values), told(Options())) << option.name;
    ++defaults;
  }
  EXPECT_GE(defaults, 8u);
}

TEST(OptionTable, ChoicesAreInTheOrderOfTheEnumerations) {
  const std::vector<std::string> mixes = choices_of(find("mix"));
  ASSERT_EQ(mixes.size(), 2u);
  EXPECT_EQ(mixes[0], name(Mix::llama_cpp));
  EXPECT_EQ(mixes[1], name(Mix::ik_llama_cpp));
  const auto chosen = [](std::string_view option, std::string_view value) {
    Options values;
    values.set(option, value);
    return values.quantize;
  };
  EXPECT_EQ(chosen("effort", "fast").effort, Effort::fast);
  EXPECT_EQ(chosen("effort", "best").effort, Effort::best);
  EXPECT_EQ(chosen("io", "mmap").io, IoMode::mmap);
  EXPECT_EQ(chosen("io", "async").io, IoMode::async);
  EXPECT_EQ(chosen("io", "read").io, IoMode::plain);
  EXPECT_EQ(chosen("spindle", "shared").spindle, Spindle::shared);
  EXPECT_EQ(chosen("spindle", "separate").spindle, Spindle::separate);
  EXPECT_EQ(chosen("isa", "portable").isa, Isa::portable);
}

TEST(Options, MayBeSetInAnyOrder) {
  // 38 is another type in either mix, and Q6_0 is in one only.
  for (const auto& [type, found] :
       std::map<std::string, std::string>{{"38", "MXFP4"}, {"Q6_0", "Q6_0"}}) {
    std::vector<std::pair<std::string, std::string>> settings = {
        {"mix", "ik_llama.cpp"}, {"pure", "true"}, {"type", type}};  // sorted
    do {
      Options values;
      for (const auto& [name, value] : settings) values.set(name, value);
      EXPECT_EQ(values.for_quantize().file_type->name, found);
    } while (std::ranges::next_permutation(settings).found);
  }
  Options values;
  values.set("type", "38");
  EXPECT_EQ(values.for_quantize().file_type->name, "MXFP4_MOE");
  values.set("type", "Q6_0");
  EXPECT_THROW(values.for_quantize(), Error);
  values.set("mix", "ik_llama.cpp");
  EXPECT_EQ(values.for_quantize().file_type->name, "Q6_0");
  EXPECT_THROW(Options().for_quantize(), Error) << "there is no type";
}

TEST(Options, WhatIsWrongIsSaidWhereItIsSet) {
  EXPECT_EQ(refusal("--memroy", "1G"), "--memroy: there is no such option. Did you mean memory?");
  for (const auto& [name, value, part] : std::vector<std::array<std::string, 3>>{
           {"type", "IQ1_X", "IQ1_X"},
           {"io", "tape", "auto, mmap, async, read"},
           {"pure", "yes", "neither true nor false"},
           {"threads", "2000", "from 1 to 1024"},
           {"threads", "Q4_0", "stands behind the output"},
           {"memory", "-1", "'-1' is no size. Write a number and a unit, as 512M, 1.5G or 2GiB"},
           {"memory", "", "no size"},
           {"memory", "lots", "no size"},
           {"memory", "50%", "no size"},
           {"memory", "1,5G", "no size"},
           {"memory", "+1G", "no size"},
           {"memory", "inf", "no size"},
           {"memory", "nanG", "no size"},
           {"memory", "1e400", "no size"},
           {"memory", "20E", "no size"},
           {"memory", "1KX", "no size"},
           {"memory", "8192", "8192 is 8192 bytes, too little for any model. Add a unit, as 8192M"},
           {"memory", "2", "as 2G"},
           {"memory", "0", "as 512M"},
           {"split-max-size", "40", "a unit"},
           {"split-max-size", "0M", "1 or more"},
           {"checkpoint", "nan", "from 0 to 3600"},
           {"checkpoint", "inf", "from 0 to 3600"},
           {"imatrix", "", "names no file"},
           {"attn-q-type", "q5_11", "Did you mean q5_1?"},
           {"", "1", "no such option"},
           {"--", "1", "no such option"}}) {
    const std::string message = refusal(name, value);
    EXPECT_TRUE(message.starts_with(name + ": ")) << message;
    EXPECT_NE(message.find(part), std::string::npos) << name << ": " << message;
  }
  Options values;
  values.set("include-weights", "a");
  values.set("type", "Q8_0");
  values.for_quantize();
  values.set("exclude-weights", "b");
  EXPECT_THROW(values.for_quantize(), Error);
}

TEST(Options, SizesHaveUnits) {
  for (const auto& [text, bytes] :
       std::map<std::string, std::uint64_t>{{"18014398509481985", 18014398509481985},
                                            {"1e9", 1000000000},
                                            {"1.5G", std::uint64_t{3} << 29},
                                            {".5g", 1 << 29},
                                            {"0.25 GiB", 1 << 28},
                                            {"7b", 7},
                                            {"3k", 3072},
                                            {"3 KB", 3072},
                                            {"3KiB", 3072},
                                            {"2m", 2 << 20},
                                            {"1G", 1 << 30},
                                            {"1T", std::uint64_t{1} << 40},
                                            {"15E", std::uint64_t{15} << 60}}) {
    Options values;
    values.set("memory", text);
    EXPECT_EQ(values.quantize.memory, bytes) << text;
  }
  for (const auto& [text, bytes] :
       std::map<std::string, std::uint64_t>{{"40G", 40000000000}, {"3KiB", 3072}, {"3KB", 3000}}) {
    Options values;
    values.set("split-max-size", text);
    EXPECT_EQ(values.quantize.split.max_bytes, bytes) << text;
  }
}

TEST(Options, PeersNamesAreUnderstood) {
  Options values;
  values.set("--max-buffer-size", "64M");
  EXPECT_EQ(values.quantize.memory, 64u << 20);
  for (const Option& option : options()) {
    for (const std::string_view peer : {option.llama_cpp, option.ik_llama_cpp}) {
      if (!peer.empty() && option.kind == OptionKind::flag) values.set(peer, "true");
    }
  }
  EXPECT_TRUE(values.quantize.pure && values.quantize.hide_imatrix && values.quantize.split.keep);
}

TEST(Options, WhatIsCommonReachesVerifyAndCompare) {
  Options values;
  for (const auto& [name, value] : std::map<std::string, std::string>{{"threads", "3"},
                                                                      {"memory", "99M"},
                                                                      {"io", "read"},
                                                                      {"spindle", "shared"},
                                                                      {"isa", "portable"},
                                                                      {"trace", "t"},
                                                                      {"output", "o"},
                                                                      {"against", "s"},
                                                                      {"imatrix", "i"},
                                                                      {"a", "x"},
                                                                      {"b", "y"}}) {
    values.set(name, value);
  }
  const VerifyOptions verify = values.for_verify();
  const CompareOptions compare = values.for_compare();
  for (const StreamingOptions* each : {static_cast<const StreamingOptions*>(&verify),
                                       static_cast<const StreamingOptions*>(&compare)}) {
    EXPECT_EQ(each->threads, 3);
    EXPECT_EQ(each->memory, 99u << 20);
    EXPECT_EQ(each->io, IoMode::plain);
    EXPECT_EQ(each->spindle, Spindle::shared);
    EXPECT_EQ(each->isa, Isa::portable);
    EXPECT_EQ(each->trace, "t");
  }
  EXPECT_EQ(verify.output + verify.against + verify.imatrix, "osi");
  EXPECT_EQ(compare.a + compare.b, "xy");
}

}  // namespace
}  // namespace sluice
