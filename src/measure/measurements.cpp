#include "measure/measurements.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>
#include <utility>

#include "base/json_pieces.h"
#include "base/json_text.h"
#include "io/file.h"
#include "io/sink.h"
#include "sluice/error.h"

namespace sluice::measure {
namespace {

constexpr const char* kKind = "sluice measurements";
constexpr std::uint64_t kForm = 3;  // of the file

// JSON has no whole numbers of 64 bits.
std::string hex_of(std::uint64_t binding) {
  return fmt::format("{:016x}", binding);
}

[[noreturn]] void refuse_file(const std::string& file, const char* what) {
  throw Error(ErrorCode::input_format, what,
              {.file = file, .cure = "Remove it, or name another file for the measurements"});
}

std::string text_in(const std::string& path) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;  // a hundred times the largest
  const io::File file = io::File::open_input(path);
  if (file.size() > kMostBytes) refuse_file(path, "is too large for a file of measurements");
  std::string text(file.size(), '\0');
  text.resize(file.read_at(0, std::as_writable_bytes(std::span(text))));
  return text;
}

double number_at(const Json& value, const char* key, const std::string& file) {
  const Json& number = at_key(value, key);
  const double read = number.is_number() ? number.get<double>() : -1;
  if (!(read >= 0) || !std::isfinite(read))
    refuse_file(file, "holds a measurement that is no number");
  return read;
}

TensorMeasures measures_of(const Json& json, const std::string& file) {
  TensorMeasures measures{.gain = number_at(json, "gain", file),
                          .power = number_at(json, "power", file),
                          .typical_power = number_at(json, "typical_power", file),
                          .change = number_at(json, "change", file)};
  const Json& errors = at_key(json, "errors");
  if (!errors.is_object()) refuse_file(file, "is no file of measurements");
  for (const auto& [type, ignored] : errors.items()) {
    const TensorTypeInfo* known = find_tensor_type(type);
    if (known == nullptr) refuse_file(file, "names a type that does not exist");
    measures.errors[known->type] = number_at(errors, type.c_str(), file);
  }
  return measures;
}

Json parsed(const std::string& text, const std::string& file) {
  try {
    return parse_json(text, file);
  } catch (const Error&) {
    refuse_file(file, "is no file of measurements");
  }
}

std::string json_of(const Measurements& measurements) {
  JsonText json(1);
  json.object([&] {
    json.field("kind", kKind);
    json.field("form", kForm);
    json.field("binding", hex_of(measurements.binding));
    json.field("method", measurements.method);
    json.field("divergence_per_change", measurements.divergence_per_change);
    json.object("tensors", [&] {
      for (const auto& [tensor, measures] : measurements.tensors) {
        json.object(tensor, [&, &known = measures] {
          json.field("gain", known.gain);
          json.field("power", known.power);
          json.field("typical_power", known.typical_power);
          json.field("change", known.change);
          json.object("errors", [&] {
            for (const auto& [type, error] : known.errors) json.field(name(type), error);
          });
        });
      }
    });
  });
  return json.str() + "\n";
}

}  // namespace

std::optional<double> Measurements::divergence(const std::string& tensor, TensorType type) const {
  const auto measures = tensors.find(tensor);
  if (measures == tensors.end()) return std::nullopt;
  const auto error = measures->second.errors.find(type);
  if (error == measures->second.errors.end()) return std::nullopt;
  return divergence_per_change * measures->second.gain * error->second;
}

std::optional<Measurements> load(const std::string& file, std::uint64_t binding) {
  std::error_code failed;
  if (!std::filesystem::exists(file, failed)) return std::nullopt;
  const std::string text = text_in(file);
  if (text.empty()) return std::nullopt;
  const Json json = parsed(text, file);
  if (as_text(at_key(json, "kind")) != kKind) refuse_file(file, "is no file of measurements");
  if (as_whole(at_key(json, "form")) != kForm) return std::nullopt;
  if (as_text(at_key(json, "binding")) != hex_of(binding)) return std::nullopt;
  Measurements measurements{
      .binding = binding,
      .method = as_text(at_key(json, "method")).value_or(""),
      .divergence_per_change = number_at(json, "divergence_per_change", file)};
  const Json& tensors = at_key(json, "tensors");
  if (!tensors.is_object()) refuse_file(file, "is no file of measurements");
  for (const auto& [tensor, measures] : tensors.items()) {
    measurements.tensors[tensor] = measures_of(measures, file);
  }
  return measurements;
}

std::optional<std::uint64_t> binding_in(const std::string& file) {
  std::error_code failed;
  if (!std::filesystem::exists(file, failed)) return std::nullopt;
  try {
    const auto binding = as_text(at_key(parsed(text_in(file), file), "binding"));
    return binding ? std::optional(std::stoull(*binding, nullptr, 16)) : std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

void save(const Measurements& measurements, const std::string& file) {
  const std::string text = json_of(measurements);
  io::Sink sink(file + ".new", {{file, 0, text.size()}});
  sink.start();
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  for (std::size_t at = 0; at < bytes.size(); at += io::Sink::kLargestWrite) {
    const auto piece = bytes.subspan(at, std::min(io::Sink::kLargestWrite, bytes.size() - at));
    sink.write_at(at, {&piece, 1});
  }
  sink.commit();
}

}  // namespace sluice::measure
