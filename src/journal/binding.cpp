#include "journal/binding.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "base/checksum.h"
#include "base/json_text.h"
#include "base/text.h"

namespace sluice::journal {
namespace {

using Json = nlohmann::json;
using Input = Binding::Input;

// Integers only: what a damaged or hostile text has in their place, as 3.4e24, is no number to
// convert.
std::uint64_t as_unsigned(const Json& json) {
  return json.get_ref<const Json::number_unsigned_t&>();
}

std::int64_t as_signed(const Json& json) {
  return json.get_ref<const Json::number_integer_t&>();
}

void write_input(JsonText& json, const Input& input) {
  json.field("changed_ns", input.changed_ns);
  if (!input.etag.empty()) json.field("etag", input.etag);
  json.field("header_hash", input.header_hash);
  json.field("modified_ns", input.modified_ns);
  json.field("path", input.path);
  json.field("sample_hash", input.sample_hash);
  json.field("size", input.size);
}

Input parse_input(const Json& input) {
  return {.path = input.at("path"),
          .size = as_unsigned(input.at("size")),
          .modified_ns = as_signed(input.at("modified_ns")),
          .changed_ns = as_signed(input.at("changed_ns")),
          .header_hash = as_unsigned(input.at("header_hash")),
          .sample_hash = as_unsigned(input.at("sample_hash")),
          .etag = input.value("etag", "")};
}

std::string etag_text(const std::string& etag) {
  return etag.empty() ? "no ETag" : "the ETag " + printable(etag);
}

std::string content_difference(const Input& was, const Input& is) {
  if (was.size != is.size) {
    return fmt::format("the input {} has {} bytes, and had {}", is.path, is.size, was.size);
  }
  if (was.etag != is.etag) {
    return fmt::format("the input {} has {} on its server, and {} had {}", is.path,
                       etag_text(is.etag), was.path, etag_text(was.etag));
  }
  if (was.header_hash != is.header_hash) {
    return fmt::format("the input {} has another header than {} had", is.path, was.path);
  }
  if (was.sample_hash != is.sample_hash) {
    return fmt::format("the input {} has other data than {} had", is.path, was.path);
  }
  return {};
}

// Moving a file changes its time of change too: that counts where the name is the same.
std::string time_difference(const std::string& role, const Input& was, const Input& is) {
  if (was.modified_ns != is.modified_ns) {
    return fmt::format("{} {} was modified since", role, is.path);
  }
  if (was.changed_ns != is.changed_ns && was.path == is.path) {
    return fmt::format("{} {} was changed since, or its name or rights were", role, is.path);
  }
  return {};
}

std::string matrix_difference(const std::optional<Input>& was, const std::optional<Input>& is) {
  if (!was && !is) return {};
  if (!was) return "it was made without an importance matrix";
  if (!is) return "it was made with the importance matrix " + was->path;
  if (content_difference(*was, *is).empty()) return {};
  return fmt::format("the importance matrix {} is not the one it was made with ({})", is->path,
                     was->path);
}

std::string content_difference(const Binding& then, const Binding& now) {
  if (then.version != now.version) {
    return fmt::format("it was made by sluice {}, and this is {}", then.version, now.version);
  }
  if (then.inputs.size() != now.inputs.size()) {
    return fmt::format("its input had {} files, and this one has {}", then.inputs.size(),
                       now.inputs.size());
  }
  for (std::size_t i = 0; i < now.inputs.size(); ++i) {
    if (std::string text = content_difference(then.inputs[i], now.inputs[i]); !text.empty()) {
      return text;
    }
  }
  if (std::string text = matrix_difference(then.imatrix, now.imatrix); !text.empty()) return text;
  if (then.options != now.options) {
    return fmt::format("it was made with other options ({}; now {})", then.options, now.options);
  }
  if (then.plan_hash != now.plan_hash || then.part_sizes != now.part_sizes) {
    return "it has other tensor types or metadata (an importance matrix of another name is "
           "metadata too)";
  }
  return {};
}

std::string time_difference(const Binding& then, const Binding& now) {
  std::string text;
  for (std::size_t i = 0; i < now.inputs.size() && text.empty(); ++i) {
    text = time_difference("the input", then.inputs[i], now.inputs[i]);
  }
  if (text.empty() && now.imatrix) {
    text = time_difference("the importance matrix", *then.imatrix, *now.imatrix);
  }
  return text;
}

}  // namespace

Input input_of(const io::File& file, std::uint64_t header_hash, std::size_t samples) {
  constexpr std::uint64_t kSample = 4096;
  const io::FileState state = file.state();
  const std::string etag = file.etag();
  if (etag.starts_with('"')) samples = 0;  // a strong one: the same is the same in every byte
  StreamHash hash;
  std::vector<std::byte> bytes(std::min(kSample, state.size));
  const std::uint64_t step = (state.size - bytes.size()) /
                             std::max<std::uint64_t>(1, std::max<std::size_t>(1, samples) - 1);
  for (std::size_t i = 0; i < samples; ++i) {
    hash.add(std::span(bytes).first(file.read_at(i * step, bytes)));
  }
  return {.path = file.path(),
          .size = state.size,
          .modified_ns = state.modified_ns,
          .changed_ns = file.changed_ns(),
          .header_hash = header_hash,
          .sample_hash = samples == 0 ? 0 : hash.take(),
          .etag = etag};
}

std::string to_text(const Binding& binding) {
  JsonText json(0);
  json.object([&] {
    if (binding.imatrix) {
      json.object("imatrix", [&] { write_input(json, *binding.imatrix); });
    }
    json.objects("inputs", binding.inputs, [&](const Input& input) { write_input(json, input); });
    json.field("options", binding.options);
    json.field("part_sizes", binding.part_sizes);
    json.field("plan_hash", binding.plan_hash);
    json.field("version", binding.version);
  });
  return json.str();
}

std::optional<Binding> parse_binding(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    Binding binding;
    for (const Json& input : json.at("inputs")) binding.inputs.push_back(parse_input(input));
    for (const Json& size : json.at("part_sizes")) binding.part_sizes.push_back(as_unsigned(size));
    if (json.contains("imatrix")) binding.imatrix = parse_input(json.at("imatrix"));
    binding.version = json.at("version");
    binding.options = json.at("options");
    binding.plan_hash = as_unsigned(json.at("plan_hash"));
    return binding;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

Difference difference(const Binding& then, const Binding& now, bool same_input) {
  if (std::string text = content_difference(then, now); !text.empty()) return {std::move(text)};
  std::string text = same_input ? "" : time_difference(then, now);
  const bool times_only = !text.empty();
  return {std::move(text), times_only};
}

}  // namespace sluice::journal
