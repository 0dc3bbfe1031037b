// The C interface: the C++ one with texts for options, codes for exceptions.

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "sluice/compare.h"
#include "sluice/error.h"
#include "sluice/forecast.h"
#include "sluice/inspect.h"
#include "sluice/json.h"
#include "sluice/mix.h"
#include "sluice/options.h"
#include "sluice/quantize.h"
#include "sluice/sluice.h"
#include "sluice/verify.h"
#include "sluice/version.h"

struct sluice_options {
  sluice::Options values;
};

struct sluice_observer {
  int (*progress)(const sluice_progress*, void*) = nullptr;
  void* progress_user = nullptr;
  void (*note)(const char*, void*) = nullptr;
  void* note_user = nullptr;
  void (*tensor)(const sluice_tensor*, void*) = nullptr;
  void* tensor_user = nullptr;
};

namespace {

using sluice::Error;
using sluice::ErrorCode;

constexpr int code_of(ErrorCode code) {
  return static_cast<int>(code) + 1;
}

// The numbers are promised to programs that were compiled long ago: a new code goes to the end.
static_assert(code_of(ErrorCode::usage) == SLUICE_USAGE);
static_assert(code_of(ErrorCode::memory_budget) == SLUICE_MEMORY_BUDGET);
static_assert(code_of(ErrorCode::input_open) == SLUICE_INPUT_OPEN);
static_assert(code_of(ErrorCode::input_format) == SLUICE_INPUT_FORMAT);
static_assert(code_of(ErrorCode::input_truncated) == SLUICE_INPUT_TRUNCATED);
static_assert(code_of(ErrorCode::input_type) == SLUICE_INPUT_TYPE);
static_assert(code_of(ErrorCode::input_value) == SLUICE_INPUT_VALUE);
static_assert(code_of(ErrorCode::input_changed) == SLUICE_INPUT_CHANGED);
static_assert(code_of(ErrorCode::input_read) == SLUICE_INPUT_READ);
static_assert(code_of(ErrorCode::output_is_input) == SLUICE_OUTPUT_IS_INPUT);
static_assert(code_of(ErrorCode::output_open) == SLUICE_OUTPUT_OPEN);
static_assert(code_of(ErrorCode::output_no_space) == SLUICE_OUTPUT_NO_SPACE);
static_assert(code_of(ErrorCode::output_write) == SLUICE_OUTPUT_WRITE);
static_assert(code_of(ErrorCode::output_damaged) == SLUICE_OUTPUT_DAMAGED);
static_assert(code_of(ErrorCode::resume_refused) == SLUICE_RESUME_REFUSED);
static_assert(code_of(ErrorCode::imatrix_format) == SLUICE_IMATRIX_FORMAT);
static_assert(code_of(ErrorCode::imatrix_missing) == SLUICE_IMATRIX_MISSING);
static_assert(code_of(ErrorCode::imatrix_length) == SLUICE_IMATRIX_LENGTH);
static_assert(code_of(ErrorCode::interrupted) == SLUICE_INTERRUPTED);

// An error with the texts that it points to.
struct OwnedError {
  sluice_error error;  // first: its address is that of the whole
  std::string message;
  std::string file;
  std::string tensor;
  std::string cure;
  std::string name;
};
static_assert(std::is_standard_layout_v<OwnedError>);

// What is said when there is no memory to say anything, and not released.
const sluice_error kOutOfMemory = {sizeof(sluice_error),
                                   SLUICE_OUT_OF_MEMORY,
                                   2,
                                   "out_of_memory",
                                   "out of memory",
                                   "",
                                   "",
                                   "Lower 'memory' or use fewer 'threads'."};

int keep(sluice_error** out, OwnedError owned, int code, int exit_status) {
  if (out == nullptr) return code;
  auto* kept = new OwnedError(std::move(owned));
  kept->error = {sizeof(sluice_error),  code,
                 exit_status,           kept->name.c_str(),
                 kept->message.c_str(), kept->file.c_str(),
                 kept->tensor.c_str(),  kept->cure.c_str()};
  *out = &kept->error;
  return code;
}

int keep(sluice_error** out, const Error& error) {
  const sluice::ErrorContext& context = error.context();
  return keep(out,
              {.error = {},
               .message = error.what(),
               .file = context.file,
               .tensor = context.tensor,
               .cure = context.cure,
               .name = std::string(sluice::name(error.code()))},
              code_of(error.code()), sluice::exit_status(error.code()));
}

// Does something and turns whatever is thrown into a code and an error.
template <typename Work>
int guarded(sluice_error** out, Work&& work) noexcept {
  if (out != nullptr) *out = nullptr;
  try {
    try {
      work();
      return SLUICE_OK;
    } catch (const Error& error) {
      return keep(out, error);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      return keep(out,
                  {.error = {},
                   .message = error.what(),
                   .file = {},
                   .tensor = {},
                   .cure = {},
                   .name = "unexpected"},
                  SLUICE_UNEXPECTED, 4);
    }
  } catch (...) {
    if (out != nullptr) *out = const_cast<sluice_error*>(&kOutOfMemory);
    return SLUICE_OUT_OF_MEMORY;
  }
}

void require(bool good, const char* what) {
  if (!good) throw Error(ErrorCode::usage, what, {.cure = "See sluice.h"});
}

// Gives the caller a text of its own, if it wants one.
void give(char** out, const std::string& text) {
  if (out == nullptr) return;
  *out = static_cast<char*>(std::malloc(text.size() + 1));
  if (*out == nullptr) throw std::bad_alloc();
  std::memcpy(*out, text.c_str(), text.size() + 1);
}

// Passes a run's calls on.
class Forwarder final : public sluice::Observer {
 public:
  explicit Forwarder(const sluice_observer* to) : to_(to != nullptr ? *to : sluice_observer{}) {}

  void note(std::string_view text) override {
    if (to_.note != nullptr) to_.note(std::string(text).c_str(), to_.note_user);
  }

  void progress(const sluice::Progress& progress) override {
    if (to_.progress == nullptr) return;
    const sluice_progress now = {sizeof(sluice_progress), progress.input_bytes_done,
                                 progress.input_bytes, progress.weights_done, progress.elapsed_s};
    if (to_.progress(&now, to_.progress_user) != 0) stop_ = true;
  }

  void tensor_done(const sluice::TensorReport& tensor, std::size_t index,
                   std::size_t count) override {
    if (to_.tensor == nullptr) return;
    const sluice_tensor done = {.size = sizeof(sluice_tensor),
                                .name = tensor.name.c_str(),
                                .source = sluice::name(tensor.source).data(),
                                .type = sluice::name(tensor.type).data(),
                                .source_bytes = tensor.source_bytes,
                                .bytes = tensor.bytes,
                                .index = index,
                                .count = count};
    to_.tensor(&done, to_.tensor_user);
  }

  const std::atomic<bool>& stop() const { return stop_; }

 private:
  sluice_observer to_;
  std::atomic<bool> stop_ = false;
};

// Does something whose result is a text.
template <typename Work>
int guarded_text(char** text, sluice_error** error, Work&& work) noexcept {
  if (text != nullptr) *text = nullptr;
  return guarded(error, [&] { give(text, work()); });
}

// Does something with options and an observer, which can stop it.
template <typename Run, typename Work>
auto observed(const sluice_observer* observer, Run options, Work work) {
  Forwarder forwarder(observer);
  options.stop = &forwarder.stop();
  return work(options, forwarder);
}

const sluice::Options& values_of(const sluice_options* options) {
  require(options != nullptr, "an argument is null");
  return options->values;
}

// Numbers that programs were compiled with.
static_assert(SLUICE_FOR_QUANTIZE == sluice::kForQuantize);
static_assert(SLUICE_FOR_PLAN == sluice::kForPlan);
static_assert(SLUICE_FOR_VERIFY == sluice::kForVerify);
static_assert(SLUICE_FOR_COMPARE == sluice::kForCompare);
static_assert(SLUICE_FOR_IMATRIX == sluice::kForImatrix);
static_assert(SLUICE_FOR_RECIPE == sluice::kForRecipe);
static_assert(SLUICE_FLAG == static_cast<int>(sluice::OptionKind::flag));
static_assert(SLUICE_CHOICE == static_cast<int>(sluice::OptionKind::choice));
static_assert(SLUICE_NUMBER == static_cast<int>(sluice::OptionKind::number));
static_assert(SLUICE_SIZE == static_cast<int>(sluice::OptionKind::size));
static_assert(SLUICE_TEXT == static_cast<int>(sluice::OptionKind::text));
static_assert(SLUICE_FILE == static_cast<int>(sluice::OptionKind::file));
static_assert(SLUICE_FOLDER == static_cast<int>(sluice::OptionKind::folder));
static_assert(SLUICE_TENSOR_TYPE == static_cast<int>(sluice::OptionKind::tensor_type));
static_assert(SLUICE_FILE_TYPE == static_cast<int>(sluice::OptionKind::file_type));

// The table as C has it. Its texts are literals, so they end with a zero.
std::vector<sluice_option> option_list() {
  std::vector<sluice_option> list;
  for (const sluice::Option& option : sluice::options()) {
    list.push_back({.size = sizeof(sluice_option),
                    .name = option.name.data(),
                    .kind = static_cast<std::int32_t>(option.kind),
                    .functions = option.commands,
                    .repeats = option.repeats,
                    .required = option.required,
                    .value = option.value.data(),
                    .default_value = option.default_value.data(),
                    .help = option.help.data(),
                    .topic = name(option.topic).data(),
                    .llama_cpp = option.llama_cpp.data(),
                    .ik_llama_cpp = option.ik_llama_cpp.data()});
  }
  return list;
}

}  // namespace

extern "C" {

const char* sluice_version(void) {
  return sluice::version().data();  // a literal, so it ends with a zero
}

int sluice_api_version(void) {
  return SLUICE_API_VERSION;
}

void sluice_error_free(sluice_error* error) {
  if (error != &kOutOfMemory) delete reinterpret_cast<OwnedError*>(error);
}

sluice_options* sluice_options_new(void) {
  try {
    return new sluice_options;
  } catch (...) {
    return nullptr;
  }
}

void sluice_options_free(sluice_options* options) {
  delete options;
}

int sluice_options_set(sluice_options* options, const char* name, const char* value,
                       sluice_error** error) {
  return guarded(error, [&] {
    require(options != nullptr && name != nullptr && value != nullptr, "an argument is null");
    options->values.set(name, value);
  });
}

int sluice_quantize(const sluice_options* options, sluice_observer* observer, char** report,
                    sluice_error** error) {
  return guarded_text(report, error, [&] {
    sluice::QuantizeOptions run = values_of(options).for_quantize();
    run.measure_error = report != nullptr;
    return sluice::to_json(observed(observer, run, sluice::quantize));
  });
}

int sluice_plan(const sluice_options* options, char** plan, sluice_error** error) {
  return guarded_text(plan, error, [&] {
    return sluice::to_json(sluice::plan(values_of(options).for_quantize()));
  });
}

int sluice_forecast(const sluice_options* options, char** forecast, sluice_error** error) {
  return guarded_text(forecast, error, [&] {
    return sluice::to_json(sluice::forecast(values_of(options).for_quantize()));
  });
}

int sluice_verify(const sluice_options* options, sluice_observer* observer, char** report,
                  sluice_error** error) {
  if (report != nullptr) *report = nullptr;
  return guarded(error, [&] {
    const sluice::VerifyReport found =
        observed(observer, values_of(options).for_verify(), sluice::verify);
    give(report, sluice::to_json(found));
    if (!found.good()) {
      const sluice::Finding& first = found.findings.front();
      throw Error(ErrorCode::output_damaged, first.what,
                  {.file = first.file,
                   .tensor = first.tensor,
                   .cure = "Copy or make the file again, and check the memory and the disk if "
                           "this recurs"});
    }
  });
}

int sluice_compare(const sluice_options* options, sluice_observer* observer, char** comparison,
                   sluice_error** error) {
  return guarded_text(comparison, error, [&] {
    return sluice::to_json(observed(observer, values_of(options).for_compare(), sluice::compare));
  });
}

int sluice_recipe(const sluice_options* options, sluice_observer* observer, char** rules,
                  char** choice, sluice_error** error) {
  if (rules != nullptr) *rules = nullptr;
  if (choice != nullptr) *choice = nullptr;
  return guarded(error, [&] {
    const sluice::QuantizeOptions wanted = values_of(options).for_recipe();
    const sluice::MixChoice chosen =
        observed(observer, wanted, [](const sluice::QuantizeOptions& run, sluice::Observer& to) {
          return sluice::choose_mix(run, to);
        });
    give(rules, sluice::recipe_text(chosen, wanted.mix));
    give(choice, sluice::to_json(chosen));
  });
}

int sluice_imatrix(const sluice_options* options, sluice_observer* observer, char** report,
                   sluice_error** error) {
  return guarded_text(report, error, [&] {
    return sluice::to_json(
        observed(observer, values_of(options).for_imatrix(), sluice::make_imatrix));
  });
}

int sluice_inspect(const char* path, char** inspection, sluice_error** error) {
  return guarded_text(inspection, error, [&] {
    require(path != nullptr, "an argument is null");
    return sluice::to_json(sluice::inspect(path));
  });
}

void sluice_free(char* text) {
  std::free(text);
}

sluice_observer* sluice_observer_new(void) {
  return new (std::nothrow) sluice_observer;
}

void sluice_observer_free(sluice_observer* observer) {
  delete observer;
}

void sluice_observer_on_progress(sluice_observer* observer,
                                 int (*call)(const sluice_progress*, void*), void* user) {
  observer->progress = call;
  observer->progress_user = user;
}

void sluice_observer_on_note(sluice_observer* observer, void (*call)(const char*, void*),
                             void* user) {
  observer->note = call;
  observer->note_user = user;
}

void sluice_observer_on_tensor(sluice_observer* observer, void (*call)(const sluice_tensor*, void*),
                               void* user) {
  observer->tensor = call;
  observer->tensor_user = user;
}

size_t sluice_option_count(void) {
  return sluice::options().size();
}

const sluice_option* sluice_option_at(size_t index) {
  try {
    static const std::vector<sluice_option> kList = option_list();
    return index < kList.size() ? &kList[index] : nullptr;
  } catch (...) {  // no memory
    return nullptr;
  }
}

}  // extern "C"
