#include "table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/codec.h"

namespace sluice::bench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Three significant digits, or a dash.
std::string figure(double value) {
  if (std::isnan(value)) return "–";
  if (value == 0) return "0";
  const int digits = 2 - static_cast<int>(std::floor(std::log10(std::abs(value))));
  return fmt::format("{:.{}f}", value, std::clamp(digits, 0, 9));
}

std::string error_figure(double value) {
  return std::isnan(value) ? "–" : fmt::format("{:.4g}", std::max(value, 0.0));
}

std::string ratio(double value) {
  return std::isnan(value) ? "–" : fmt::format("{}x", figure(value));
}

void print_line(std::ostream& out, const std::vector<std::string>& cells) {
  out << "| " << fmt::format("{}", fmt::join(cells, " | ")) << " |\n";
}

void print_header(std::ostream& out, const std::string& caption,
                  const std::vector<std::string>& cells) {
  out << '\n' << caption << "\n\n";
  print_line(out, cells);
  print_line(out, std::vector<std::string>(cells.size(), "---"));
}

std::vector<Isa> best_first() {
  std::vector<Isa> isas = supported_isas();
  std::reverse(isas.begin(), isas.end());
  return isas;
}

}  // namespace

bool TableReporter::ReportContext(const Context& context) {
  PrintBasicContext(&GetErrorStream(), context);
  return true;
}

void TableReporter::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
    const std::string& benchmark = run.run_name.function_name;
    GetErrorStream() << benchmark << '\n';  // progress
    const auto [entry, first] = results_.try_emplace(benchmark);
    if (first) order_.push_back(benchmark);
    for (const auto& [counter, value] : run.counters) entry->second[counter].push_back(value);
  }
}

void TableReporter::Finalize() {
  // Repetitions may be interleaved at random; tables follow the order of type numbers.
  std::stable_sort(order_.begin(), order_.end(), [](const std::string& a, const std::string& b) {
    const auto number = [](const std::string& benchmark) {
      const std::size_t slash = benchmark.find('/');
      const std::string rest = benchmark.substr(slash + 1);
      const TensorTypeInfo* type = find_tensor_type(rest.substr(0, rest.find('/')));
      return type == nullptr ? 0 : static_cast<std::uint32_t>(type->type);
    };
    return number(a) < number(b);
  });
  print_encoders();
  print_ratios();
  print_errors();
  print_decoders();
  print_conversions();
  print_machine();
}

double TableReporter::find(const std::string& benchmark, std::string_view counter) const {
  const auto result = results_.find(benchmark);
  if (result == results_.end()) return kNone;
  const auto samples = result->second.find(counter);
  if (samples == result->second.end()) return kNone;
  std::vector<double> sorted = samples->second;
  std::sort(sorted.begin(), sorted.end());
  return sorted[sorted.size() / 2];
}

std::vector<std::string> TableReporter::names_below(const std::string& prefix) const {
  std::vector<std::string> names;
  for (const std::string& benchmark : order_) {
    if (benchmark.rfind(prefix + "/", 0) != 0) continue;
    const std::string rest = benchmark.substr(prefix.size() + 1);
    const std::string name = rest.substr(0, rest.find('/'));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

void TableReporter::print_encoders() {
  if (names_below("encode").empty()) return;
  const std::vector<std::string>& peers = peers_;
  const std::vector<Isa> isas = best_first();
  std::vector<std::string> header = {"type", "effort"};
  for (const Isa isa : isas) header.emplace_back(name(isa));
  for (const std::string& peer : peers) header.push_back(peer);
  header.insert(header.end(), {"instructions a weight", "a clock"});
  print_header(GetOutputStream(), "Encoding, million weights a second:", header);
  for (const std::string& type : names_below("encode")) {
    for (const std::string& effort : names_below("encode/" + type)) {
      const auto own = [&](Isa isa, std::string_view counter) {
        return find(fmt::format("encode/{}/{}/{}", type, effort, name(isa)), counter);
      };
      const double rate = own(isas.front(), "weights_per_second");
      std::vector<std::string> cells = {type, effort};
      for (const Isa isa : isas) cells.push_back(figure(own(isa, "weights_per_second") / 1e6));
      for (const std::string& peer : peers) cells.push_back(figure(peer_rate(peer, type) / 1e6));
      const double instructions = own(isas.front(), "instructions_per_weight");
      cells.push_back(figure(instructions));
      cells.push_back(figure(instructions * rate / find("machine/clock", "hertz")));
      print_line(GetOutputStream(), cells);
    }
  }
}

void TableReporter::print_ratios() {
  if (names_below("encode").empty() || peers_.empty()) return;
  std::vector<std::string> header = {"type", "effort"};
  for (const Isa isa : best_first()) {
    for (const std::string& peer : peers_)
      header.push_back(fmt::format("{} / {}", name(isa), peer));
  }
  print_header(GetOutputStream(), "Encoding, times a peer's rate:", header);
  for (const std::string& type : names_below("encode")) {
    if (std::all_of(peers_.begin(), peers_.end(),
                    [&](const std::string& peer) { return std::isnan(peer_rate(peer, type)); })) {
      continue;
    }
    for (const std::string& effort : names_below("encode/" + type)) {
      std::vector<std::string> cells = {type, effort};
      for (const Isa isa : best_first()) {
        const double own =
            find(fmt::format("encode/{}/{}/{}", type, effort, name(isa)), "weights_per_second");
        for (const std::string& peer : peers_) cells.push_back(ratio(own / peer_rate(peer, type)));
      }
      print_line(GetOutputStream(), cells);
    }
  }
}

double TableReporter::peer_rate(const std::string& peer, const std::string& type) const {
  return find(fmt::format("peer/{}/{}", peer, type), "weights_per_second");
}

void TableReporter::print_errors() {
  if (names_below("encode").empty()) return;
  const std::vector<std::string>& peers = peers_;
  std::vector<std::string> header = {"type", "effort", "bits a weight", "weighted", "refit"};
  for (const std::string& peer : peers) header.push_back(peer + " refit");
  for (const std::string& peer : peers) header.push_back("/ " + peer);
  print_header(GetOutputStream(), "Errors, and the ratios of the refit errors:", header);
  const auto print = [&](const std::string& type, const std::string& effort,
                         std::string_view counter) {
    const std::string own = fmt::format("encode/{}/{}/{}", type, effort, name(best_first()[0]));
    const double error = find(own, counter);
    if (std::isnan(error)) return;
    const bool refit = counter == "refit_error";
    std::vector<std::string> cells = {type + (refit ? "" : ", as searched"), effort,
                                      fmt::format("{:g}", 8 * find(own, "bytes_per_weight")),
                                      refit ? error_figure(find(own, "weighted_error")) : "",
                                      error_figure(error)};
    for (const std::string& peer : peers) {
      cells.push_back(error_figure(find(fmt::format("peer/{}/{}", peer, type), counter)));
    }
    for (const std::string& peer : peers) {
      const double its = find(fmt::format("peer/{}/{}", peer, type), counter);
      cells.push_back(its == 0 || std::isnan(its) ? "–" : fmt::format("{:.4f}", error / its));
    }
    print_line(GetOutputStream(), cells);
  };
  for (const std::string& type : names_below("encode")) {
    for (const std::string& effort : names_below("encode/" + type)) {
      print(type, effort, "refit_error");
      print(type, effort, "searched_error");
    }
  }
}

void TableReporter::print_decoders() {
  print_decoders("decode", "Decoding, million weights a second:", "type");
  print_decoders("published",
                 "Decoding codes of published checkpoints, million weights a second:", "coding");
}

void TableReporter::print_decoders(const std::string& prefix, const std::string& caption,
                                   const std::string& what) {
  if (names_below(prefix).empty()) return;
  std::vector<std::string> header = {what};
  for (const Isa isa : best_first()) header.emplace_back(name(isa));
  header.insert(header.end(), {"GB/s of codes", "GB/s of floats"});
  print_header(GetOutputStream(), caption, header);
  for (const std::string& type : names_below(prefix)) {
    std::vector<std::string> cells = {type};
    const auto own = [&](Isa isa, std::string_view counter) {
      return find(fmt::format("{}/{}/{}", prefix, type, name(isa)), counter);
    };
    for (const Isa isa : best_first())
      cells.push_back(figure(own(isa, "weights_per_second") / 1e6));
    const Isa best = best_first().front();
    const double rate = own(best, "weights_per_second");
    cells.push_back(figure(rate * own(best, "bytes_per_weight") / 1e9));
    cells.push_back(figure(rate * sizeof(float) / 1e9));
    print_line(GetOutputStream(), cells);
  }
}

void TableReporter::print_conversions() {
  if (names_below("convert").empty()) return;
  const double copy = find("machine/copy", "bytes_per_second");
  print_header(GetOutputStream(), "From BF16 in memory to blocks in memory:",
               {"type", "million weights a second", "GB/s, in and out", "share of the copy's"});
  for (const std::string& type : names_below("convert")) {
    const std::string own = fmt::format("convert/{}/{}", type, name(best_first().front()));
    const double bytes = find(own, "bytes_per_second");
    print_line(GetOutputStream(),
               {type, figure(find(own, "weights_per_second") / 1e6), figure(bytes / 1e9),
                fmt::format("{} %", figure(100 * bytes / copy))});
  }
}

void TableReporter::print_machine() {
  GetOutputStream() << fmt::format(
      "\nMemory is copied at {} GB/s, counting bytes read and bytes written; the clock runs at {} "
      "GHz.\n",
      figure(find("machine/copy", "bytes_per_second") / 1e9),
      figure(find("machine/clock", "hertz") / 1e9));
}

}  // namespace sluice::bench
