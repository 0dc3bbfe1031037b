#include "recipe_command.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "choice_page.h"
#include "choice_text.h"
#include "console.h"
#include "html_page.h"
#include "progress.h"
#include "reports.h"
#include "sluice/amounts.h"
#include "sluice/json.h"
#include "sluice/mix.h"
#include "stop.h"
#include "text.h"

namespace sluice::cli {
namespace {

std::string label_of(const QuantizeOptions& options) {
  const std::filesystem::path path(options.input);
  return (path.has_filename() ? path : path.parent_path()).stem().string();
}

}  // namespace

void run_recipe(const RecipeArguments& arguments) {
  catch_stop_signals();
  ProgressDisplay display;
  const MixChoice choice = choose_mix(arguments.options, display);
  display.end();
  for (const std::string& note : choice.notes) console::note(printable(note));
  if (!arguments.page.empty()) {
    write_page(choice_page(nlohmann::json::parse(to_json(choice)), label_of(arguments.options), {}),
               arguments.page);
  }
  const std::string text =
      arguments.json ? to_json(choice) : recipe_text(choice, arguments.options.mix);
  if (arguments.output.empty()) {
    arguments.json ? print_json(text) : console::result(text);
    return;
  }
  write_text(text, arguments.output, "the recipe");
  console::summary(fmt::format(
      "{}\n  size    {}\n  choice  {}\n  measurements kept in {}\n", printable(arguments.output),
      bytes_text(static_cast<double>(choice.bytes)), choice_text(choice), printable(choice.file)));
}

}  // namespace sluice::cli
