#include "side_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "sluice/error.h"
#include "sluice/mix.h"
#include "sluice/used_files.h"

namespace sluice::cli {
namespace {

// Finds out whether a report can be written, before the work that it is to tell of. What is there
// stays as it is; pipes are left to the one opening that they are good for.
void require_writable(const std::string& path, const std::string& role) {
  struct stat status {};
  const bool there = ::stat(path.c_str(), &status) == 0;
  if (there && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    const int reason = errno;
    throw Error(
        ErrorCode::output_open,
        fmt::format("{} cannot be created: {}", role, std::strerror(reason)),
        {.file = path, .cure = open_cure(reason, "Name a file in a folder that you may write to")});
  }
  ::close(descriptor);
  if (!there) ::unlink(path.c_str());
}

// Whether it has a name as downloads have, and our own files, which need not begin as they will.
bool is_half_made(std::string_view name) {
  constexpr std::array<std::string_view, 4> kEndings = {".part", ".crdownload", ".download",
                                                        ".incomplete"};
  const std::size_t last = name.find_last_not_of("0123456789");  // of WORK-00002
  if (last != name.npos && name[last] == '-') name = name.substr(0, last);
  return std::ranges::any_of(kEndings, [&](auto ending) { return name.ends_with(ending); });
}

// What a checkpoint is read from; other files may lie beside it.
bool is_of_checkpoint(std::string_view name) {
  constexpr std::array<std::string_view, 10> kNames = {"config.json",     "generation_config.json",
                                                       "tokenizer.json",  "tokenizer_config.json",
                                                       "tokenizer.model", "tekken.json",
                                                       "tiktoken.model",  "added_tokens.json",
                                                       "vocab.json",      "chat_template.json"};
  return name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json") ||
         std::ranges::find(kNames, name) != kNames.end();
}

void add_model(const std::string& path, const std::string& role, std::vector<UsedFile>& files) {
  namespace fs = std::filesystem;
  files.push_back({path, role});
  std::error_code failed;
  fs::path folder = path;
  if (!fs::is_directory(folder, failed)) {
    if (!is_of_checkpoint(folder.filename().string())) return;
    folder = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  }
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (is_of_checkpoint(at->path().filename().string())) files.push_back({at->path(), role});
  }
}

// What quantize, plan and recipe read.
void add_read_files(const Arguments& arguments, const QuantizeOptions& options,
                    std::vector<UsedFile>& files) {
  add_model(options.input, "the input", files);
  files.push_back({options.imatrix, "the importance matrix"});
  for (const std::string& file : arguments.rule_files) files.push_back({file, "a list of types"});
  files.push_back({options.calibration.tokens, "the calibration's tokens"});
  for (const std::string& text : options.calibration.texts) {
    files.push_back({text, "the calibration text"});
  }
  if (options.target.given()) {
    files.push_back({measurements_file(options), "the measurements", true});
    for (const std::string& text : options.target.texts) files.push_back({text, "the text"});
  }
}

// What is kept may lie where nothing can be written, as long as it is there.
void check_measurements(const QuantizeOptions& options) {
  if (!options.target.given()) return;
  const std::string file = measurements_file(options);
  std::error_code unknown;
  if (std::filesystem::exists(file, unknown)) return;
  require_writable(file, "the file of --measurements");
}

void add_quantize_files(const Arguments& arguments, std::vector<UsedFile>& files) {
  const QuantizeOptions& options = arguments.options;
  add_read_files(arguments, options, files);
  if (arguments.command == Command::plan) return;
  files.push_back({options.trace, "the trace", true});
  if (!options.split.any()) files.push_back({options.output, "the output", true});
  files.push_back({working_file(options), "the output while it grows", true});
  files.push_back({working_file(options) + ".journal", "the output's journal", true});
}

}  // namespace

void refuse_model(const std::string& path, const std::string& role) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  std::array<char, 8> magic{};
  std::ifstream(path, std::ios::binary).read(magic.data(), magic.size());
  const std::string_view begin(magic.data(), magic.size());
  const bool half_made = status.st_size > 0 && is_half_made(path);
  if (!half_made && !begin.starts_with("GGUF") && begin != "sluiceJ1") return;
  throw Error(ErrorCode::usage,
              fmt::format("cannot be {}: it is {}, which would be lost", role,
                          half_made                   ? "a half-made file"
                          : begin.starts_with("GGUF") ? "a GGUF model"
                                                      : "the journal of a half-made model"),
              {.file = path, .cure = "Name another file for " + role});
}

void check_files(const Arguments& arguments) {
  std::vector<UsedFile> files = {{arguments.console.log_file, "the log", true}};
  const auto add_written = [&](const std::string& path, const std::string& role) {
    if (path.empty()) return;
    require_writable(path, role);
    files.push_back({path, role, true});
  };
  switch (arguments.command) {
    case Command::quantize:
      add_written(arguments.report, "the report");
      [[fallthrough]];
    case Command::plan:
      check_measurements(arguments.options);
      add_quantize_files(arguments, files);
      break;
    case Command::verify:
      add_written(arguments.report, "the report");
      files.push_back({arguments.verify.output, "the model"});
      add_model(arguments.verify.against, "the source", files);
      files.push_back({arguments.verify.imatrix, "the importance matrix"});
      files.push_back({arguments.verify.trace, "the trace", true});
      break;
    case Command::compare:
      add_written(arguments.compare.page, "the page");
      add_model(arguments.compare.options.a, "a model", files);
      add_model(arguments.compare.options.b, "a model", files);
      files.push_back({arguments.compare.options.trace, "the trace", true});
      break;
    case Command::imatrix:
      add_model(arguments.imatrix.options.input, "the model", files);
      files.push_back({arguments.imatrix.options.calibration.tokens, "the tokens"});
      for (const std::string& text : arguments.imatrix.options.calibration.texts) {
        files.push_back({text, "a text"});
      }
      files.push_back({arguments.imatrix.options.output, "the output", true});
      break;
    case Command::recipe:
      add_written(arguments.recipe.output, "the recipe");
      add_written(arguments.recipe.page, "the page");
      check_measurements(arguments.recipe.options);
      add_read_files(arguments, arguments.recipe.options, files);
      break;
    case Command::report:
      add_written(arguments.report_page.page, "the page");
      for (const std::string& file : arguments.report_page.reports) {
        files.push_back({file, "a report"});
      }
      files.push_back({arguments.report_page.measured, "the table of measured files"});
      break;
    case Command::inspect:
      add_written(arguments.inspect.page, "the page");
      add_model(arguments.inspect.file, "the model", files);
      break;
    case Command::demo:
    case Command::completion:
    case Command::help:
      break;
  }
  refuse_shared_files(files);
  refuse_model(arguments.console.log_file, "the log");
  refuse_model(arguments.report, "the report");
  for (const StreamingOptions* each :
       {static_cast<const StreamingOptions*>(&arguments.options),
        static_cast<const StreamingOptions*>(&arguments.verify),
        static_cast<const StreamingOptions*>(&arguments.compare.options)}) {
    refuse_model(each->trace, "the trace");
  }
  refuse_model(arguments.recipe.output, "the recipe");
  for (const std::string& page : {arguments.recipe.page, arguments.compare.page,
                                  arguments.report_page.page, arguments.inspect.page}) {
    refuse_model(page, "the page");
  }
}

}  // namespace sluice::cli
