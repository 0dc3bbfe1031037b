#include "api/c_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "sluice/error.h"

namespace sluice {
namespace {

template <typename T>
using Choices = std::vector<std::pair<std::string_view, T>>;

template <typename T>
T chosen(std::string_view name, std::string_view value, const Choices<T>& choices) {
  std::string known;
  for (const auto& [text, choice] : choices) {
    if (text == value) return choice;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", text);
  }
  throw Error(ErrorCode::usage, fmt::format("option '{}' cannot be '{}'", name, value),
              {.cure = fmt::format("Known: {}", known)});
}

bool truth(std::string_view name, std::string_view value) {
  return chosen<bool>(name, value, {{"true", true}, {"false", false}});
}

// `digits`, all of `value` but its unit, are a number from `least` to `most`.
template <typename T>
T number(std::string_view name, std::string_view value, std::string_view digits, T least, T most) {
  T result{};
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, result);
  if (error != std::errc() || end != last || !(result >= least) || !(result <= most)) {
    throw Error(ErrorCode::usage, fmt::format("option '{}' cannot be '{}'", name, value),
                {.cure = fmt::format("A number from {} to {} will do", least, most)});
  }
  return result;
}

template <typename T>
T number(std::string_view name, std::string_view value, T least, T most) {
  return number(name, value, value, least, most);
}

// Bytes, with K, M, G or T for 1024 of the one before.
std::uint64_t size(std::string_view name, std::string_view value) {
  constexpr std::string_view kUnits = "KMGT";
  std::string_view digits = value;
  int shift = 0;
  if (!value.empty()) {
    if (const std::size_t unit = kUnits.find(value.back()); unit != kUnits.npos) {
      shift = 10 * static_cast<int>(unit + 1);
      digits.remove_suffix(1);
    }
  }
  const std::uint64_t most = ~std::uint64_t{0} >> shift;
  return number<std::uint64_t>(name, value, digits, 0, most) << shift;
}

const FileType* file_type(std::string_view value) {
  const FileType* type = find_file_type(value);
  if (type == nullptr) {
    std::string known;
    for (const FileType& each : file_types()) {
      known += fmt::format("{}{}", known.empty() ? "" : ", ", each.name);
    }
    throw Error(ErrorCode::usage, fmt::format("'{}' is not a known type", value),
                {.cure = fmt::format("Known: {}", known)});
  }
  return type;
}

Isa isa(std::string_view name, std::string_view value) {
  Choices<Isa> choices = {{"auto", best_isa()}};
  for (const Isa each : supported_isas()) choices.emplace_back(sluice::name(each), each);
  return chosen<Isa>(name, value, choices);
}

}  // namespace

void set_option(sluice_options& options, std::string_view name, std::string_view value) {
  QuantizeOptions& o = options.quantize;
  const std::map<std::string_view, std::function<void()>> setters = {
      {"input", [&] { o.input = value; }},
      {"output", [&] { o.output = value; }},
      {"against", [&] { options.against = value; }},
      {"imatrix", [&] { o.imatrix = value; }},
      {"trace", [&] { o.trace = value; }},
      {"type", [&] { o.file_type = file_type(value); }},
      {"mix",
       [&] {
         o.mix = chosen<Mix>(name, value,
                             {{"llama.cpp", Mix::llama_cpp}, {"ik_llama.cpp", Mix::ik_llama_cpp}});
       }},
      {"effort",
       [&] {
         o.effort = chosen<Effort>(name, value, {{"fast", Effort::fast}, {"best", Effort::best}});
       }},
      {"io",
       [&] {
         o.io = chosen<IoMode>(name, value,
                               {{"auto", IoMode::automatic},
                                {"mmap", IoMode::mmap},
                                {"async", IoMode::async},
                                {"read", IoMode::plain}});
       }},
      {"spindle",
       [&] {
         o.spindle = chosen<Spindle>(name, value,
                                     {{"auto", Spindle::automatic},
                                      {"shared", Spindle::shared},
                                      {"separate", Spindle::separate}});
       }},
      {"isa", [&] { o.isa = isa(name, value); }},
      {"threads", [&] { o.threads = number<int>(name, value, 0, 1024); }},
      {"memory", [&] { o.memory = size(name, value); }},
      {"checkpoint", [&] { o.checkpoint_s = number<double>(name, value, 0, 3600); }},
      {"pure", [&] { o.pure = truth(name, value); }},
      {"ignore-imatrix-rules", [&] { o.ignore_imatrix_rules = truth(name, value); }},
      {"allow-requantize", [&] { o.allow_requantize = truth(name, value); }},
      {"restart", [&] { o.restart = truth(name, value); }},
      {"verify", [&] { o.verify = truth(name, value); }},
      {"verify-resume", [&] { o.verify_resume = truth(name, value); }}};
  const auto setter = setters.find(name);
  if (setter == setters.end()) {
    throw Error(ErrorCode::usage, fmt::format("there is no option '{}'", name),
                {.cure = "sluice.h lists all"});
  }
  setter->second();
}

}  // namespace sluice

sluice::VerifyOptions sluice_options::verify() const {
  return {.output = quantize.output,
          .against = against,
          .imatrix = quantize.imatrix,
          .threads = quantize.threads,
          .memory = quantize.memory,
          .isa = quantize.isa};
}
