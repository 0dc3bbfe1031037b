/* What sluice.h promises. Arguments: a model, its importance matrix, a folder to write to. */
#include <sluice/sluice.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition); \
      ++failures;                                                     \
    }                                                                 \
  } while (0)

static void set(sluice_options* options, const char* name, const char* value) {
  CHECK(sluice_options_set(options, name, value, NULL) == SLUICE_OK);
}

static void check_refused(sluice_options* options, const char* name, const char* value,
                          const char* word) {
  sluice_error* error = NULL;
  CHECK(sluice_options_set(options, name, value, &error) == SLUICE_USAGE);
  CHECK(error != NULL);
  if (error == NULL) return;
  CHECK(error->size >= sizeof(sluice_error));
  CHECK(error->code == SLUICE_USAGE);
  CHECK(error->exit_status == 2);
  CHECK(strcmp(error->name, "usage") == 0);
  CHECK(strstr(error->message, word) != NULL);
  CHECK(strlen(error->cure) > 0);
  CHECK(error->file != NULL && error->tensor != NULL);
  sluice_error_free(error);
  CHECK(sluice_options_set(options, name, value, NULL) == SLUICE_USAGE);
}

static void test_options(void) {
  sluice_options* options = sluice_options_new();
  check_refused(options, "colour", "red", "colour");
  check_refused(options, "type", "IQ1_X", "IQ1_X");
  check_refused(options, "io", "tape", "tape");
  check_refused(options, "pure", "yes", "yes");
  check_refused(options, "threads", "-1", "-1");
  check_refused(options, "threads", "2x", "2x");
  check_refused(options, "memory", "lots", "lots");
  check_refused(options, "memory", "G", "G");
  check_refused(options, "memory", "99999999999T", "99999999999T");
  check_refused(options, "checkpoint", "nan", "nan");
  check_refused(options, "output-tensor-type", "q9_k", "q9_k");
  check_refused(options, "tensor-type", "ffn_(=q6_k", "ffn_(");
  check_refused(options, "custom-q", "attn", "attn");
  check_refused(options, "override-kv", "key=value", "key=value");
  check_refused(options, "prune-layers", "1,x", "x");
  check_refused(options, "split-max-tensors", "0", "0");
  check_refused(options, "split-max-size", "40", "unit");
  check_refused(options, "imatrix", "", "names no file");
  check_refused(options, "target-size", "100", "too little");
  check_refused(options, "target-bpw", "many", "many");
  check_refused(options, "target", "exps", "exps");
  check_refused(options, "types", "iq9", "iq9");
  check_refused(options, "input", NULL, "null");
  check_refused(NULL, "input", "x", "null");
  set(options, "type", "q4_k");
  set(options, "memory", "512M");
  set(options, "memory", "1073741824");
  set(options, "checkpoint", "0.5");
  set(options, "isa", "portable");
  set(options, "output-tensor-type", "q6_k");
  set(options, "attn-v-type", "Q5_K");
  set(options, "tensor-type", "ffn_down=q6_k");
  set(options, "custom-q", "attn.*=q5_k,ffn=q4_k");
  set(options, "override-kv", "general.name=str:a model");
  set(options, "prune-layers", "1,3");
  set(options, "split-max-size", "40G");
  set(options, "keep-split", "false");
  sluice_options_free(options);
  sluice_options_free(NULL);
  sluice_error_free(NULL);
  sluice_free(NULL);
}

/* Every option is told whole, and its default may be set. */
static void test_option_list(void) {
  sluice_options* options = sluice_options_new();
  const size_t count = sluice_option_count();
  size_t defaults = 0;
  size_t i;
  CHECK(count > 40);
  for (i = 0; i < count; ++i) {
    const sluice_option* option = sluice_option_at(i);
    CHECK(option != NULL && option->size >= sizeof(sluice_option));
    if (option == NULL) return;
    CHECK(strlen(option->name) > 0 && strlen(option->help) > 0 && strlen(option->topic) > 0);
    CHECK((option->kind == SLUICE_FLAG) == (strlen(option->value) == 0));
    CHECK(option->functions != 0);
    CHECK(option->llama_cpp != NULL && option->ik_llama_cpp != NULL);
    if (option->kind == SLUICE_FLAG) set(options, option->name, "false");
    if (strlen(option->default_value) == 0) continue;
    set(options, option->name, option->default_value);
    ++defaults;
  }
  CHECK(defaults >= 8);
  CHECK(sluice_option_at(count) == NULL);
  sluice_options_free(options);
}

/* The file type may be named before the mix that has it. */
static void test_order(const char* model) {
  sluice_options* options = sluice_options_new();
  char* plan = NULL;
  set(options, "type", "38");
  set(options, "input", model);
  CHECK(sluice_plan(options, &plan, NULL) == SLUICE_OK);
  sluice_free(plan);
  set(options, "mix", "ik_llama.cpp");
  CHECK(sluice_plan(options, &plan, NULL) == SLUICE_OK);
  CHECK(plan != NULL && strstr(plan, "\"mxfp4\"") != NULL);
  sluice_free(plan);
  set(options, "mix", "llama.cpp");
  set(options, "type", "Q6_0");
  CHECK(sluice_plan(options, &plan, NULL) == SLUICE_USAGE && plan == NULL);
  set(options, "mix", "ik_llama.cpp");
  CHECK(sluice_plan(options, NULL, NULL) == SLUICE_OK);
  sluice_options_free(options);
}

struct calls {
  int progress;
  int notes;
  uint64_t tensors;
  uint64_t tensor_count;
  int stop_after;
  uint64_t done;
  uint64_t all;
};

static int on_progress(const sluice_progress* progress, void* user) {
  struct calls* calls = user;
  CHECK(progress->size >= sizeof(sluice_progress));
  CHECK(progress->input_bytes_done >= calls->done);
  calls->done = progress->input_bytes_done;
  calls->all = progress->input_bytes;
  ++calls->progress;
  return calls->stop_after != 0 && calls->progress >= calls->stop_after;
}

static void on_note(const char* text, void* user) {
  struct calls* calls = user;
  CHECK(strlen(text) > 0);
  ++calls->notes;
}

static void on_tensor(const sluice_tensor* tensor, void* user) {
  struct calls* calls = user;
  CHECK(tensor->size >= sizeof(sluice_tensor));
  CHECK(strlen(tensor->name) > 0 && strlen(tensor->source) > 0 && strlen(tensor->type) > 0);
  CHECK(tensor->bytes > 0 && tensor->source_bytes > 0);
  CHECK(tensor->index < tensor->count);
  ++calls->tensors;
  calls->tensor_count = tensor->count;
}

static void damage(const char* path) {
  FILE* file = fopen(path, "r+b");
  const char zeros[4000] = {0};
  CHECK(file != NULL);
  if (file == NULL) return;
  CHECK(fseek(file, -300000, SEEK_END) == 0);
  CHECK(fwrite(zeros, 1, sizeof zeros, file) == sizeof zeros);
  fclose(file);
}

int main(int argc, char** argv) {
  struct calls calls = {0};
  sluice_observer* observer = sluice_observer_new();
  sluice_observer* silent = sluice_observer_new();
  char output[4096];
  char* text = NULL;
  char* choice = NULL;
  sluice_error* error = NULL;
  sluice_options* options;

  if (argc != 4) return 2;
  CHECK(sluice_api_version() == SLUICE_API_VERSION);
  CHECK(strchr(sluice_version(), '.') != NULL);
  test_options();
  test_option_list();
  test_order(argv[1]);
  sluice_observer_on_progress(observer, on_progress, &calls);
  sluice_observer_on_note(observer, on_note, &calls);
  sluice_observer_on_tensor(observer, on_tensor, &calls);

  options = sluice_options_new();
  CHECK(sluice_quantize(options, NULL, NULL, NULL) == SLUICE_USAGE); /* no type yet */
  CHECK(sluice_plan(options, &text, NULL) == SLUICE_USAGE && text == NULL);
  snprintf(output, sizeof output, "%s/none.gguf", argv[3]);
  set(options, "input", output);
  set(options, "output", "never-made.gguf");
  set(options, "type", "IQ1_M");
  CHECK(sluice_quantize(options, NULL, NULL, &error) == SLUICE_INPUT_OPEN);
  CHECK(error != NULL && error->exit_status == 3 && strcmp(error->file, output) == 0);
  CHECK(error != NULL && strcmp(error->name, "input_open") == 0);
  sluice_error_free(error);

  snprintf(output, sizeof output, "%s/out.gguf", argv[3]);
  set(options, "input", argv[1]);
  set(options, "output", output);
  CHECK(sluice_quantize(options, silent, NULL, &error) == SLUICE_IMATRIX_MISSING);
  CHECK(error != NULL && error->exit_status == 5);
  sluice_error_free(error);
  set(options, "imatrix", argv[2]);

  CHECK(sluice_plan(options, &text, &error) == SLUICE_OK && error == NULL);
  CHECK(text != NULL && text[0] == '{' && strstr(text, "\"output_bytes\"") != NULL);
  sluice_free(text);
  CHECK(sluice_forecast(options, &text, &error) == SLUICE_OK && error == NULL);
  CHECK(text != NULL && strstr(text, "\"enough\"") != NULL);
  sluice_free(text);
  CHECK(sluice_inspect(argv[1], &text, &error) == SLUICE_OK && error == NULL);
  CHECK(text != NULL && strstr(text, "\"general.architecture\"") != NULL);
  sluice_free(text);
  CHECK(sluice_inspect("none.gguf", &text, NULL) == SLUICE_INPUT_OPEN && text == NULL);

  /* Stopped as early as can be, and gone on with. */
  set(options, "checkpoint", "0");
  set(options, "threads", "1");
  calls.stop_after = 1;
  CHECK(sluice_quantize(options, observer, &text, &error) == SLUICE_INTERRUPTED && text == NULL);
  CHECK(error != NULL && error->exit_status == 130);
  sluice_error_free(error);
  CHECK(calls.progress >= 1 && calls.done < calls.all);
  calls.stop_after = 0;
  calls.done = 0;
  CHECK(sluice_quantize(options, observer, &text, &error) == SLUICE_OK);
  CHECK(error == NULL);
  CHECK(calls.done == calls.all && calls.all > 0);
  CHECK(calls.tensors > 0);
  CHECK(text != NULL && strstr(text, "\"crc32\": \"0x") != NULL);
  CHECK(text != NULL && strstr(text, "\"peak_anon_bytes\"") != NULL);
  sluice_free(text);
  /* In one piece, each tensor is told once. */
  set(options, "restart", "true");
  calls.tensors = 0;
  calls.done = 0;
  CHECK(sluice_quantize(options, observer, NULL, NULL) == SLUICE_OK);
  CHECK(calls.tensors == calls.tensor_count);

  set(options, "against", argv[1]);
  CHECK(sluice_verify(options, NULL, &text, &error) == SLUICE_OK);
  CHECK(error == NULL && text != NULL && strstr(text, "\"good\": true") != NULL);
  sluice_free(text);
  set(options, "a", argv[1]);
  set(options, "b", output);
  CHECK(sluice_compare(options, NULL, &text, &error) == SLUICE_OK && error == NULL);
  CHECK(text != NULL && strstr(text, "\"cosine\"") != NULL);
  sluice_free(text);
  /* Both can be stopped. */
  calls.stop_after = 1;
  calls.progress = 0;
  calls.done = 0;
  CHECK(sluice_verify(options, observer, &text, NULL) == SLUICE_INTERRUPTED && text == NULL);
  calls.progress = 0;
  calls.done = 0;
  CHECK(sluice_compare(options, observer, &text, NULL) == SLUICE_INTERRUPTED && text == NULL);
  calls.stop_after = 0;
  damage(output);
  calls.done = 0;
  CHECK(sluice_verify(options, observer, &text, &error) == SLUICE_OUTPUT_DAMAGED);
  CHECK(error != NULL && error->exit_status == 4 && strlen(error->tensor) > 0);
  CHECK(text != NULL && strstr(text, "\"good\": false") != NULL);
  sluice_free(text);
  sluice_error_free(error);
  sluice_options_free(options);

  /* The best types for a size, as rules and as what was chosen. */
  options = sluice_options_new();
  set(options, "input", argv[1]);
  set(options, "imatrix", argv[2]);
  CHECK(sluice_recipe(options, NULL, &text, &choice, &error) == SLUICE_USAGE);
  CHECK(text == NULL && choice == NULL && error != NULL && strstr(error->cure, "target-size"));
  sluice_error_free(error);
  set(options, "target-bpw", "4");
  snprintf(output, sizeof output, "%s/measurements.json", argv[3]);
  set(options, "measurements", output);
  set(options, "types", "iq2_xs,q4_k,q6_k,q8_0");
  CHECK(sluice_recipe(options, NULL, &text, &choice, &error) == SLUICE_OK && error == NULL);
  CHECK(text != NULL && strstr(text, "^output\\.weight$=") != NULL);
  CHECK(choice != NULL && strstr(choice, "\"frontier\"") != NULL);
  sluice_free(text);
  sluice_free(choice);
  sluice_options_free(options);
  sluice_observer_free(observer);
  sluice_observer_free(silent);
  sluice_observer_free(NULL);

  if (failures == 0) printf("good, sluice %s, %d notes\n", sluice_version(), calls.notes);
  return failures == 0 ? 0 : 1;
}
