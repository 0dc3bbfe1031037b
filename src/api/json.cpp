#include "sluice/json.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace sluice {
namespace {

// Keys in the order in which they are documented.
using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n';
}

Json finding_json(const Finding& finding) {
  Json json = {{"fault", name(finding.fault)}, {"file", finding.file}, {"what", finding.what}};
  if (!finding.tensor.empty()) json["tensor"] = finding.tensor;
  if (finding.rows) {
    json["expert"] = finding.rows->expert;
    json["first_row"] = finding.rows->first;
    json["last_row"] = finding.rows->last;
  }
  if (finding.size > 0) {
    json["offset"] = finding.offset;
    json["size"] = finding.size;
  }
  if (finding.fault == Fault::error) {
    json["error"] = finding.error;
    json["limit"] = finding.limit;
  }
  return json;
}

}  // namespace

std::string to_json(const PlanView& plan) {
  Json tensors = Json::array();
  for (const PlannedTensorView& tensor : plan.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"shape", tensor.shape},
                       {"source", name(tensor.source)},
                       {"type", name(tensor.type)},
                       {"rule", tensor.rule},
                       {"bits_per_weight", bits_per_weight(tensor.type)},
                       {"part", tensor.part},
                       {"offset", tensor.offset},
                       {"size", tensor.size}});
  }
  Json parts = Json::array();
  for (const PartReport& part : plan.parts) {
    parts.push_back({{"file", part.file}, {"bytes", part.bytes}, {"tensors", part.tensors}});
  }
  return text_of({{"tensors", std::move(tensors)},
                  {"parts", std::move(parts)},
                  {"missing_importance", plan.missing_importance},
                  {"notes", plan.notes},
                  {"input_bytes", plan.input_bytes},
                  {"output_bytes", plan.output_bytes},
                  {"weights", plan.weights}});
}

std::string to_json(const VerifyReport& report) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings) findings.push_back(finding_json(finding));
  Json tensors = Json::array();
  for (const VerifiedTensor& tensor : report.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"type", name(tensor.type)},
                       {"shape", tensor.shape},
                       {"bytes", tensor.bytes},
                       {"crc32", fmt::format("{:#010x}", tensor.crc32)},
                       {"bad_regions", tensor.bad_regions},
                       {"plain_error", std::isfinite(tensor.plain_error) ? Json(tensor.plain_error)
                                                                         : Json(nullptr)}});
  }
  return text_of({{"good", report.good()},
                  {"findings_in_all", report.findings_in_all},
                  {"findings", std::move(findings)},
                  {"read_bytes", report.read_bytes},
                  {"wall_s", report.wall_s},
                  {"tensors", std::move(tensors)}});
}

}  // namespace sluice
