#include "journal/binding.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json_text.h"

namespace sluice::journal {
namespace {

using Json = nlohmann::json;

// Integers only: what a damaged or hostile text has in their place, as 3.4e24, is no number to
// convert.
std::uint64_t as_unsigned(const Json& json) {
  return json.get_ref<const Json::number_unsigned_t&>();
}

std::int64_t as_signed(const Json& json) {
  return json.get_ref<const Json::number_integer_t&>();
}

}  // namespace

std::string to_text(const Binding& binding) {
  JsonText json(0);
  json.object([&] {
    json.field("imatrix", binding.imatrix);
    json.field("imatrix_hash", binding.imatrix_hash);
    json.objects("inputs", binding.inputs, [&](const Binding::Input& input) {
      json.field("header_hash", input.header_hash);
      json.field("modified_ns", input.modified_ns);
      json.field("path", input.path);
      json.field("size", input.size);
    });
    json.field("options", binding.options);
    json.field("output_size", binding.output_size);
    json.field("plan_hash", binding.plan_hash);
    json.field("version", binding.version);
  });
  return json.str();
}

std::optional<Binding> parse_binding(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    Binding binding;
    for (const Json& input : json.at("inputs")) {
      binding.inputs.push_back({.path = input.at("path"),
                                .size = as_unsigned(input.at("size")),
                                .modified_ns = as_signed(input.at("modified_ns")),
                                .header_hash = as_unsigned(input.at("header_hash"))});
    }
    binding.version = json.at("version");
    binding.imatrix = json.at("imatrix");
    binding.imatrix_hash = as_unsigned(json.at("imatrix_hash"));
    binding.options = json.at("options");
    binding.plan_hash = as_unsigned(json.at("plan_hash"));
    binding.output_size = as_unsigned(json.at("output_size"));
    return binding;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::string difference(const Binding& then, const Binding& now) {
  if (then.version != now.version) {
    return fmt::format("it was made by sluice {}, and this is {}", then.version, now.version);
  }
  if (then.inputs.size() != now.inputs.size()) {
    return fmt::format("its input had {} files, and this one has {}", then.inputs.size(),
                       now.inputs.size());
  }
  for (std::size_t i = 0; i < now.inputs.size(); ++i) {
    const Binding::Input& was = then.inputs[i];
    const Binding::Input& is = now.inputs[i];
    if (was.size != is.size) {
      return fmt::format("the input {} has {} bytes, and had {}", is.path, is.size, was.size);
    }
    if (was.header_hash != is.header_hash) {
      return fmt::format("the input {} has another header than {} had", is.path, was.path);
    }
    if (was.modified_ns != is.modified_ns) {
      return fmt::format("the input {} was modified since", is.path);
    }
  }
  if (then.imatrix_hash != now.imatrix_hash || then.imatrix.empty() != now.imatrix.empty()) {
    return then.imatrix.empty()  ? "it was made without an importance matrix"
           : now.imatrix.empty() ? "it was made with the importance matrix " + then.imatrix
                                 : "the importance matrix " + now.imatrix +
                                       " is not the one it was made with (" + then.imatrix + ")";
  }
  if (then.options != now.options) {
    return fmt::format("it was made with other options ({}; now {})", then.options, now.options);
  }
  if (then.plan_hash != now.plan_hash || then.output_size != now.output_size) {
    return "it has other tensor types or metadata (an importance matrix of another name is "
           "metadata too)";
  }
  return {};
}

}  // namespace sluice::journal
