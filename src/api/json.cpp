#include "sluice/json.h"

#include <fmt/format.h>

#include <functional>
#include <numeric>

#include "api/json_document.h"

// Keys in the order in which they are documented.

namespace sluice {
namespace {

std::string checksum_text(std::uint32_t crc32) {
  return fmt::format("{:#010x}", crc32);
}

// Null where it is empty.
void add_text(JsonText& json, std::string_view key, const std::string& text) {
  json.field(key, text.empty() ? std::nullopt : std::optional<std::string_view>(text));
}

void add_parts(JsonText& json, const std::vector<PartReport>& parts) {
  json.objects("parts", parts, [&](const PartReport& part) {
    json.field("file", part.file);
    json.field("bytes", part.bytes);
    json.field("tensors", part.tensors);
  });
}

std::uint64_t elements_of(const std::vector<std::uint64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

void add_points(JsonText& json, std::string_view key, const std::vector<MixPoint>& points) {
  json.objects(key, points, [&](const MixPoint& point) {
    json.field("name", point.name);
    json.field("bytes", point.bytes);
    json.field("divergence", point.divergence);
  });
}

void add_choice(JsonText& json, const MixChoice& choice) {
  json.field("bytes", choice.bytes);
  json.field("divergence", choice.divergence);
  json.field("measured", choice.measured);
  json.field("file", choice.file);
  const FileType* file_type = choice.recipe.file_type;
  json.field("file_type", file_type == nullptr ? std::nullopt
                                               : std::optional<std::string_view>(file_type->name));
  json.objects("tensors", choice.tensors, [&](const TensorChoice& tensor) {
    json.field("name", tensor.name);
    json.objects("types", tensor.types, [&](const TypeCost& cost) {
      json.field("type", name(cost.type));
      json.field("bytes", cost.bytes);
      json.field("divergence", cost.divergence);
    });
    json.field("chosen", std::uint64_t{tensor.chosen});
    json.field("rule", tensor.rule);
    json.field("kept", tensor.kept);
  });
  add_points(json, "frontier", choice.frontier);
  add_points(json, "mixes", choice.mixes);
}

void add_choice(JsonText& json, const std::optional<MixChoice>& choice) {
  if (choice) json.object("mix", [&] { add_choice(json, *choice); });
}

void add_plan(JsonText& json, const PlanView& plan) {
  json.objects("tensors", plan.tensors, [&](const PlannedTensorView& tensor) {
    json.field("name", tensor.name);
    json.field("shape", tensor.shape);
    json.field("source", name(tensor.source));
    json.field("stored_as", tensor.stored_as);
    json.field("type", name(tensor.type));
    if (tensor.asked) json.field("asked", name(*tensor.asked));
    json.field("rule", tensor.rule);
    if (!tensor.calibration.empty()) json.field("calibration", tensor.calibration);
    json.field("lacks_importance", tensor.lacks_importance);
    json.field("bits_per_weight", bits_of(tensor.size, elements_of(tensor.shape)));
    json.field("part", tensor.part);
    json.field("offset", tensor.offset);
    json.field("size", tensor.size);
  });
  add_parts(json, plan.parts);
  if (!plan.shares.empty()) {
    json.objects("shares", plan.shares, [&](const ShareView& share) {
      json.field("first_file", share.first_file);
      json.field("files", share.files);
      json.field("input_bytes", share.input_bytes);
      json.field("output_bytes", share.output_bytes);
    });
  }
  json.field("missing_importance", plan.missing_importance);
  json.field("notes", plan.notes);
  json.field("input_bytes", plan.input_bytes);
  json.field("output_bytes", plan.output_bytes);
  json.field("weights", plan.weights);
  add_choice(json, plan.mix);
  if (!plan.calibration) return;
  json.object("calibration", [&, &text = *plan.calibration] {
    json.field("tokens", text.tokens);
    json.field("sequence_length", text.sequence_length);
    json.field("feedback_tensors", text.feedback_tensors);
    json.field("mean_squares_tensors", text.mean_squares_tensors);
    json.field("state_file", text.state_file);
    json.field("state_bytes", text.state_bytes);
  });
}

void add_time(JsonText& json, const TimeEstimate& time) {
  json.field("seconds", time.seconds);
  json.field("limit", name(time.limit));
  json.field("disk_s", time.disk_s);
  json.field("cores_s", time.cores_s);
  json.field("read_bytes_per_s", time.read_bytes_per_s);
  json.objects("conversions", time.conversions, [&](const ConversionRate& rate) {
    json.field("source", name(rate.source));
    json.field("type", name(rate.type));
    json.field("weights", rate.weights);
    json.field("weights_per_s", rate.weights_per_s);
    add_text(json, "made_up", rate.made_up);
  });
  if (time.calibration) {
    json.object("calibration", [&, &text = *time.calibration] {
      json.field("forward_s", text.forward_s);
      json.field("moments_s", text.moments_s);
      json.field("factors_s", text.factors_s);
      json.field("feedback_s", text.feedback_s);
    });
  }
  if (!time.measuring) return;
  json.object("measuring", [&, &measuring = *time.measuring] {
    json.field("seconds", measuring.seconds);
    json.field("disk_s", measuring.disk_s);
    json.field("forward_s", measuring.forward_s);
    json.field("encoding_s", measuring.encoding_s);
    json.field("errors_s", measuring.errors_s);
    json.field("moments_s", measuring.moments_s);
  });
}

void add_total(JsonText& json, const std::optional<TotalError>& total) {
  if (!total) return json.field("total_error", std::nullopt);
  json.object("total_error", [&] {
    json.field("weighted", total->weighted);
    json.field("plain", total->plain);
    json.field("measured_weights", total->measured_weights);
    json.field("weights", total->weights);
  });
}

// What was to be done, and how well it was.
void add_task(JsonText& json, const RunReport& report) {
  add_text(json, "version", report.version);
  add_text(json, "date", report.date);
  add_text(json, "command", report.command);
  add_text(json, "input", report.input);
  add_text(json, "output", report.output);
  add_text(json, "model", report.model);
  add_text(json, "architecture", report.architecture);
  add_text(json, "file_type", report.file_type);
  add_text(json, "imatrix", report.imatrix);
  if (!report.calibration.empty()) json.field("calibration", report.calibration);
  json.field("effort", name(report.effort));
  json.field("substituted",
             report.substituted.empty() ? std::nullopt : std::optional(report.substituted));
  add_total(json, report.total_error);
  json.field("worst", report.worst);
  add_choice(json, report.mix);
}

void add_finding(JsonText& json, const Finding& finding) {
  json.field("fault", name(finding.fault));
  json.field("file", finding.file);
  json.field("what", finding.what);
  if (!finding.tensor.empty()) json.field("tensor", finding.tensor);
  if (finding.rows) {
    json.field("expert", finding.rows->expert);
    json.field("first_row", finding.rows->first);
    json.field("last_row", finding.rows->last);
  }
  if (finding.size > 0) {
    json.field("offset", finding.offset);
    json.field("size", finding.size);
  }
  if (finding.fault == Fault::error) {
    json.field("error", finding.error);
    json.field("limit", finding.limit);
  }
}

// How a check or a comparison was done.
template <typename Report>
void add_means(JsonText& json, const Report& report) {
  json.field("io", report.io);
  json.field("isa", report.isa);
  json.field("threads", report.threads);
  json.field("spindle", report.shared_spindle ? "shared" : "separate");
}

void add_side(JsonText& json, std::string_view key, const std::optional<ComparedSide>& side) {
  if (!side) return json.field(key, std::nullopt);
  json.object(key, [&] {
    json.field("type", name(side->type));
    json.field("shape", side->shape);
    json.field("bytes", side->bytes);
  });
}

void add_compared(JsonText& json, const ComparedTensor& tensor) {
  json.field("name", tensor.name);
  add_side(json, "a", tensor.a);
  add_side(json, "b", tensor.b);
  if (tensor.difference) {
    json.field("error", tensor.difference->error);
    json.field("power", tensor.difference->power);
    json.field("cosine", tensor.difference->cosine);
    json.field("max_absolute", tensor.difference->max_absolute);
    json.field("not_finite", tensor.difference->not_finite);
  }
  if (tensor.differing_bytes) json.field("differing_bytes", *tensor.differing_bytes);
  if (!tensor.compared()) json.field("why_not", tensor.why_not);
}

}  // namespace

std::string to_json(const PlanView& plan) {
  return document([&](JsonText& json) { add_plan(json, plan); });
}

std::string to_json(const MixChoice& choice) {
  return document([&](JsonText& json) { add_choice(json, choice); });
}

std::string to_json(const Forecast& forecast) {
  return document([&](JsonText& json) {
    add_plan(json, forecast.plan);
    const std::uint64_t data = std::accumulate(
        forecast.plan.tensors.begin(), forecast.plan.tensors.end(), std::uint64_t{0},
        [](std::uint64_t sum, const PlannedTensorView& tensor) { return sum + tensor.size; });
    json.field("bits_per_weight", bits_of(data, forecast.plan.weights));
    json.object("disk", [&, &disk = forecast.disk] {
      json.field("folder", disk.folder);
      json.field("needed", disk.needed);
      json.field("allocated", disk.allocated);
      json.field("still_needed", disk.still_needed());
      json.field("free", disk.free);
      json.field("enough", disk.enough());
    });
    json.object("earlier_run", [&, &earlier = forecast.earlier] {
      json.field("found", earlier.found);
      json.field("done_bytes", earlier.done_bytes);
      json.field("done_share", earlier.done_share);
      json.field("refused", earlier.refused);
    });
    json.object("memory", [&, &memory = forecast.memory] {
      json.field("budget", memory.budget);
      json.field("least", memory.least);
      json.field("most", memory.most);
      json.field("threads", memory.threads);
      json.field("enough", memory.enough());
    });
    json.field("spindle", forecast.shared_spindle ? "shared" : "separate");
    json.field("spindle_reason", forecast.spindle);
    if (!forecast.time) return json.field("time", std::nullopt);
    json.object("time", [&] { add_time(json, *forecast.time); });
  });
}

std::string to_json(const RunReport& report) {
  return document([&](JsonText& json) {
    add_task(json, report);
    json.field("wall_s", report.wall_s);
    json.field("read_bytes", report.read_bytes);
    json.field("cached_bytes", report.cached_bytes);
    json.field("read_s", report.read_s);
    json.field("write_bytes", report.write_bytes);
    json.field("write_s", report.write_s);
    json.field("compute_s", report.compute_s);
    json.field("wait_disk_s", report.wait_disk_s);
    json.field("wait_cores_s", report.wait_cores_s);
    json.field("wait_budget_s", report.wait_budget_s);
    json.field("workers_busy", report.workers_busy);
    json.field("resumed_bytes", report.resumed_bytes);
    json.field("peak_anon_bytes", report.peak_anon_bytes);
    json.field("io", report.io);
    json.field("spindle", report.shared_spindle ? "shared" : "separate");
    json.field("spindle_reason", report.spindle);
    json.field("isa", report.isa);
    json.field("threads", report.threads);
    add_parts(json, report.parts);
    if (report.share.any()) {
      json.object("share", [&] {
        json.field("number", report.share.number);
        json.field("count", report.share.count);
      });
    }
    json.objects("tensors", report.tensors, [&](const TensorReport& tensor) {
      json.field("name", tensor.name);
      json.field("source", name(tensor.source));
      json.field("stored_as", tensor.stored_as);
      json.field("type", name(tensor.type));
      if (tensor.asked) json.field("asked", name(*tensor.asked));
      json.field("shape", tensor.shape);
      json.field("bytes", tensor.bytes);
      json.field("crc32", checksum_text(tensor.crc32));
      json.field("weighted_error", tensor.weighted_error);
      json.field("plain_error", tensor.plain_error);
      json.field("weighted_power", tensor.weighted_power);
      json.field("plain_power", tensor.plain_power);
      json.field("lacks_importance", tensor.lacks_importance);
      json.field("beyond_range", tensor.beyond_range);
      json.field("all_zero", tensor.all_zero);
    });
    json.objects("samples", report.samples, [&](const Sample& sample) {
      json.field("t", sample.time_s);
      json.field("read", sample.read_bytes);
      json.field("written", sample.written_bytes);
      json.field("weights", sample.weights);
      json.field("disk", sample.disk);
      json.field("cores", sample.cores);
      json.field("budget", sample.budget);
      json.field("limit", name(sample.limit));
    });
  });
}

std::string to_json(const VerifyReport& report) {
  return document([&](JsonText& json) {
    json.field("good", report.good());
    json.field("findings_in_all", report.findings_in_all);
    json.objects("findings", report.findings,
                 [&](const Finding& finding) { add_finding(json, finding); });
    json.field("read_bytes", report.read_bytes);
    json.field("cached_bytes", report.cached_bytes);
    json.field("wall_s", report.wall_s);
    add_means(json, report);
    json.objects("tensors", report.tensors, [&](const VerifiedTensor& tensor) {
      json.field("name", tensor.name);
      json.field("type", name(tensor.type));
      json.field("shape", tensor.shape);
      json.field("bytes", tensor.bytes);
      json.field("crc32", checksum_text(tensor.crc32));
      json.field("bad_regions", tensor.bad_regions);
      json.field("plain_error", tensor.plain_error);
      json.field("all_zero", tensor.all_zero);
    });
  });
}

std::string to_json(const Comparison& comparison) {
  return document([&](JsonText& json) {
    json.field("identical", comparison.identical());
    json.field("complete", comparison.complete());
    add_total(json, comparison.total_error);
    json.field("worst", comparison.worst);
    json.field("read_bytes", comparison.read_bytes);
    json.field("cached_bytes", comparison.cached_bytes);
    json.field("wall_s", comparison.wall_s);
    add_means(json, comparison);
    json.objects("tensors", comparison.tensors,
                 [&](const ComparedTensor& tensor) { add_compared(json, tensor); });
  });
}

std::string to_json(const ImatrixReport& report) {
  return document([&](JsonText& json) {
    add_text(json, "output", report.output);
    add_text(json, "model", report.model);
    add_text(json, "architecture", report.architecture);
    json.field("tokens", report.tokens);
    json.field("chunks", report.chunks);
    json.field("chunk_size", report.chunk_size);
    json.field("tensors", report.tensors);
    json.field("layers", report.layers);
    json.field("resumed_layers", report.resumed_layers);
    json.field("experts", report.experts);
    json.field("few_tokens", report.few_tokens);
    json.objects("quiet_experts", report.quiet_experts, [&](const QuietExpert& quiet) {
      json.field("layer", quiet.layer);
      json.field("expert", quiet.expert);
      json.field("tokens", quiet.tokens);
    });
    json.field("state_bytes", report.state_bytes);
    json.field("read_bytes", report.read_bytes);
    json.field("cached_bytes", report.cached_bytes);
    json.field("wall_s", report.wall_s);
    json.field("peak_anon_bytes", report.peak_anon_bytes);
    json.field("io", report.io);
    json.field("isa", report.isa);
    json.field("threads", report.threads);
  });
}

}  // namespace sluice
