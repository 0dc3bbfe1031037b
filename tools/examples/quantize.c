/*
 * Quantizes a model through the C interface, then checks the output against its source.
 *
 *   quantize_c MODEL.gguf OUT.gguf TYPE [MODEL.imatrix]
 */
#include <sluice/sluice.h>
#include <stdio.h>

static int show_progress(const sluice_progress* progress, void* user) {
  int* last = user;
  const int percent = progress->input_bytes == 0
                          ? 100
                          : (int)(100 * progress->input_bytes_done / progress->input_bytes);
  if (percent != *last) fprintf(stderr, "%d %%\n", percent);
  *last = percent;
  return 0; /* anything else would end the run, to be gone on with later */
}

static void show_note(const char* text, void* user) {
  (void)user;
  fprintf(stderr, "note: %s\n", text);
}

static void show_tensor(const sluice_tensor* tensor, void* user) {
  (void)user;
  fprintf(stderr, "%s: %s to %s\n", tensor->name, tensor->source, tensor->type);
}

static int fail(sluice_error* error) {
  const int status = error->exit_status;
  fprintf(stderr, "%s\n", error->message);
  sluice_error_free(error);
  return status;
}

int main(int argc, char** argv) {
  static const char* const names[] = {"input", "output", "type", "imatrix"};
  int last_percent = -1;
  sluice_observer* observer = NULL;
  sluice_error* error = NULL;
  sluice_options* options = NULL;
  int status = 0;
  int i;

  if (argc < 4 || argc > 5) {
    fprintf(stderr, "usage: %s MODEL.gguf OUT.gguf TYPE [MODEL.imatrix]\n", argv[0]);
    return 2;
  }
  if (sluice_api_version() != SLUICE_API_VERSION) {
    fprintf(stderr, "sluice %s has another interface\n", sluice_version());
    return 2;
  }
  options = sluice_options_new();
  observer = sluice_observer_new();
  if (options == NULL || observer == NULL) return 2;
  sluice_observer_on_progress(observer, show_progress, &last_percent);
  sluice_observer_on_note(observer, show_note, NULL);
  sluice_observer_on_tensor(observer, show_tensor, NULL);
  for (i = 1; i < argc && error == NULL; ++i) {
    sluice_options_set(options, names[i - 1], argv[i], &error);
  }
  if (error == NULL) sluice_options_set(options, "memory", "256M", &error);
  if (error == NULL) sluice_options_set(options, "against", argv[1], &error);
  if (error == NULL) sluice_quantize(options, observer, NULL, &error);
  if (error == NULL) sluice_verify(options, NULL, NULL, &error);
  if (error != NULL) status = fail(error);
  sluice_observer_free(observer);
  sluice_options_free(options);
  if (status == 0) printf("%s is good\n", argv[2]);
  return status;
}
