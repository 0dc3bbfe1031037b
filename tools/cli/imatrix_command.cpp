#include "imatrix_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "console.h"
#include "progress.h"
#include "reports.h"
#include "sluice/amounts.h"
#include "sluice/json.h"
#include "stop.h"
#include "text.h"

namespace sluice::cli {
namespace {

// A line for each layer that has such experts, the first few of them by name.
std::string quiet_text(const ImatrixReport& report) {
  constexpr std::size_t kMostLayers = 20;
  constexpr std::size_t kMostExperts = 8;
  std::map<std::uint64_t, std::vector<QuietExpert>> layers;
  for (const QuietExpert& quiet : report.quiet_experts) layers[quiet.layer].push_back(quiet);
  std::string text =
      fmt::format("  {} of {} saw fewer than {} tokens:\n", report.quiet_experts.size(),
                  counted(report.experts, "expert"), report.few_tokens);
  std::size_t shown = 0;
  for (auto& [layer, experts] : layers) {
    if (shown++ == kMostLayers) break;
    std::ranges::stable_sort(experts, {}, &QuietExpert::tokens);
    text += fmt::format("    layer {}:", layer);
    for (std::size_t i = 0; i < std::min(kMostExperts, experts.size()); ++i) {
      text += fmt::format(" {} ({})", experts[i].expert, experts[i].tokens);
    }
    if (experts.size() > kMostExperts) {
      text += fmt::format(" and {} more", experts.size() - kMostExperts);
    }
    text += "\n";
  }
  if (layers.size() > kMostLayers) {
    text += fmt::format("    and {} more layers, see --json\n", layers.size() - kMostLayers);
  }
  return text;
}

void print_made(const ImatrixReport& report) {
  std::string text = fmt::format("{}: {} of {}, {} of {} tokens\n", printable(report.output),
                                 counted(report.tensors, "tensor"), counted(report.layers, "layer"),
                                 counted(report.chunks, "chunk"), report.chunk_size);
  if (!report.quiet_experts.empty()) text += quiet_text(report);
  text += fmt::format("  read {} in {}; peak memory {}; {}, {}\n",
                      bytes_text(static_cast<double>(report.read_bytes)), time_text(report.wall_s),
                      bytes_text(static_cast<double>(report.peak_anon_bytes)), report.isa,
                      thread_text(report.threads));
  console::summary(text);
}

}  // namespace

void run_imatrix(const ImatrixArguments& arguments) {
  catch_stop_signals();
  ProgressDisplay display;
  const ImatrixReport report = make_imatrix(arguments.options, display);
  display.end();
  arguments.json ? print_json(to_json(report)) : print_made(report);
}

}  // namespace sluice::cli
