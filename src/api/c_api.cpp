// The C interface: the C++ one with texts for options, codes for exceptions.

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>

#include "sluice/error.h"
#include "sluice/json.h"
#include "sluice/options.h"
#include "sluice/quantize.h"
#include "sluice/sluice.h"
#include "sluice/verify.h"
#include "sluice/version.h"

struct sluice_options {
  sluice::Options values;
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

char* copied(const std::string& text) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

// Passes a run's calls on.
class Forwarder final : public sluice::Observer {
 public:
  explicit Forwarder(const sluice_observer* to) : to_(to != nullptr ? *to : sluice_observer{}) {}

  void note(std::string_view text) override {
    if (to_.note != nullptr) to_.note(std::string(text).c_str(), to_.user);
  }

  void progress(const sluice::Progress& progress) override {
    if (to_.progress == nullptr) return;
    const sluice_progress now = {sizeof(sluice_progress), progress.input_bytes_done,
                                 progress.input_bytes, progress.weights_done, progress.elapsed_s};
    if (to_.progress(&now, to_.user) != 0) stop_ = true;
  }

  const std::atomic<bool>& stop() const { return stop_; }

 private:
  sluice_observer to_;
  std::atomic<bool> stop_ = false;
};

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

int sluice_quantize(const sluice_options* options, const sluice_observer* observer,
                    sluice_error** error) {
  return guarded(error, [&] {
    require(options != nullptr, "an argument is null");
    Forwarder forwarder(observer);
    sluice::QuantizeOptions run = options->values.for_quantize();
    run.stop = &forwarder.stop();
    sluice::quantize(run, forwarder);
  });
}

char* sluice_plan_json(const sluice_options* options, sluice_error** error) {
  char* json = nullptr;
  guarded(error, [&] {
    require(options != nullptr, "an argument is null");
    json = copied(sluice::to_json(sluice::plan(options->values.for_quantize())));
  });
  return json;
}

int sluice_verify(const sluice_options* options, const sluice_observer* observer, char** report,
                  sluice_error** error) {
  if (report != nullptr) *report = nullptr;
  return guarded(error, [&] {
    require(options != nullptr, "an argument is null");
    Forwarder forwarder(observer);
    const sluice::VerifyReport found = sluice::verify(options->values.for_verify(), forwarder);
    if (report != nullptr) *report = copied(sluice::to_json(found));
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

void sluice_free(char* text) {
  std::free(text);
}

}  // extern "C"
