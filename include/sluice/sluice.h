/*
 * sluice for C, and for languages that bind to C. In short:
 *
 *   sluice_options* options = sluice_options_new();
 *   sluice_options_set(options, "input", "model.gguf", NULL);
 *   sluice_options_set(options, "output", "small.gguf", NULL);
 *   sluice_options_set(options, "type", "Q4_K_M", NULL);
 *   int code = sluice_quantize(options, NULL, NULL, NULL);
 *   sluice_options_free(options);
 *
 * What follows is, in this order: errors, options, what can be done with a model, and, for those
 * who want more, watching and stopping it, and the list of options.
 *
 * What stays as it is, so that a program goes on to work with a newer library of the same
 * SLUICE_API_VERSION without being compiled again:
 *
 *   - Functions and numbers are never removed or given another meaning. New ones may come.
 *   - Structures are made by the library only, are read through pointers, and grow at their end.
 *     Their `size` tells how much of them there is.
 *   - Options are set by name, as the program's options are, so that new ones need no new function.
 *   - Results are JSON, the program's own, whose objects may get more members.
 *
 * Nothing here throws, prints or ends the process. Texts are UTF-8 and end with a zero. Any
 * functions may be called from several threads at once, with options and an observer of each one's
 * own; of two runs that make the same output the second fails (SLUICE_OUTPUT_OPEN). What runs share
 * with their process, a handler of SIGBUS and oneTBB's workers, is told in sluice/streaming.h.
 *
 * Version 2: observers are made by the library and learn of finished tensors; sluice_quantize has
 * a report, and sluice_plan_json is sluice_plan; verifying can be stopped; sluice_forecast,
 * sluice_compare, sluice_inspect and the list of options are there; later also sluice_imatrix and
 * sluice_recipe.
 */
#ifndef SLUICE_SLUICE_H
#define SLUICE_SLUICE_H

#include <stddef.h>
#include <stdint.h>

#define SLUICE_API_VERSION 2

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* The library's version, as in "1.2.3". */
const char* sluice_version(void);

/* SLUICE_API_VERSION of the library that runs. */
int sluice_api_version(void);

/* What can go wrong. The same as sluice::ErrorCode plus one; the file ERRORS.md says more. */
enum sluice_code {
  SLUICE_OK = 0,
  SLUICE_USAGE = 1,
  SLUICE_MEMORY_BUDGET = 2,
  SLUICE_INPUT_OPEN = 3,
  SLUICE_INPUT_FORMAT = 4,
  SLUICE_INPUT_TRUNCATED = 5,
  SLUICE_INPUT_TYPE = 6,
  SLUICE_INPUT_VALUE = 7,
  SLUICE_INPUT_CHANGED = 8,
  SLUICE_INPUT_READ = 9,
  SLUICE_OUTPUT_IS_INPUT = 10,
  SLUICE_OUTPUT_OPEN = 11,
  SLUICE_OUTPUT_NO_SPACE = 12,
  SLUICE_OUTPUT_WRITE = 13,
  SLUICE_OUTPUT_DAMAGED = 14,
  SLUICE_RESUME_REFUSED = 15,
  SLUICE_IMATRIX_FORMAT = 16,
  SLUICE_IMATRIX_MISSING = 17,
  SLUICE_IMATRIX_LENGTH = 18,
  SLUICE_INTERRUPTED = 19,
  SLUICE_OUT_OF_MEMORY = 1000, /* the process's, not the budget of "memory" */
  SLUICE_UNEXPECTED = 1001     /* a defect of the library */
};

/* A failure. No pointer is null; what is not known is an empty text. */
typedef struct sluice_error {
  size_t size;         /* bytes of this structure */
  int32_t code;        /* of enum sluice_code */
  int32_t exit_status; /* that of the program for the same error */
  const char* name;    /* the code's name, as in "input_open" */
  const char* message; /* complete: file, tensor, what is wrong, place, cure */
  const char* file;    /* at fault */
  const char* tensor;  /* at fault */
  const char* cure;    /* what the user can do, one sentence */
} sluice_error;

/* Releases an error. Null will do. */
void sluice_error_free(sluice_error* error);

/* Values of options. */
typedef struct sluice_options sluice_options;

/* New options with their defaults, or null if there is no memory. */
sluice_options* sluice_options_new(void);
void sluice_options_free(sluice_options* options);

/*
 * Sets an option, in any order. Names and values are those of the program, without dashes
 * ("true" and "false" of what is a flag there); OPTIONS.md and sluice_option_at list them. "input",
 * "output" and "type" say what is made of what; "against" is what sluice_verify compares with; "a"
 * and "b" are what sluice_compare looks at. Of options that repeat ("tensor-type") values add up.
 *
 * Returns SLUICE_OK or SLUICE_USAGE, of "tensor-type-file" also what keeps the file from being
 * read. What only options together can get wrong is an error of the function that takes them.
 * `error`, here and below, may be null; else *error is set to null, or on failure to an error that
 * the caller releases.
 */
int sluice_options_set(sluice_options* options, const char* name, const char* value,
                       sluice_error** error);

/*
 * What can be done. All return SLUICE_OK or the error's code. The JSON that most of them give,
 * described in include/sluice/json.h, is to be released with sluice_free, is null on failure, and
 * is not made if the pointer to it is null. `observer` may be null.
 */
typedef struct sluice_observer sluice_observer;

/*
 * Makes the output file, or goes on making it where an earlier run with the same input and options
 * ended. On failure the output is not there, and an older file of that name is untouched. `report`:
 * time, bytes, memory, and each tensor's types, errors and CRC-32, as from `sluice quantize
 * --report`; that errors are measured for it costs some time.
 */
int sluice_quantize(const sluice_options* options, sluice_observer* observer, char** report,
                    sluice_error** error);

/* What sluice_quantize would do, without doing it: reads headers only. */
int sluice_plan(const sluice_options* options, char** plan, sluice_error** error);

/*
 * The same, with what it needs of disk and memory, and how long it would take, which is measured
 * for a fraction of a second: `sluice plan --json`.
 */
int sluice_forecast(const sluice_options* options, char** forecast, sluice_error** error);

/*
 * Checks the output: alone, or if "against" is set, with its source. SLUICE_OUTPUT_DAMAGED: it is
 * not right, and the error tells the first finding. `report` has all, as from `sluice verify
 * --report`, then too.
 */
int sluice_verify(const sluice_options* options, sluice_observer* observer, char** report,
                  sluice_error** error);

/*
 * Measures how far each tensor of "b" is from that of "a": `sluice compare --json`. That they
 * differ is no error.
 */
int sluice_compare(const sluice_options* options, sluice_observer* observer, char** comparison,
                   sluice_error** error);

/*
 * The best types for a size: measures what "measurements" does not hold yet, and chooses, as
 * sluice_quantize and sluice_plan do where a size is asked for. `rules`: for "tensor-type-file", or with
 * ik_llama.cpp's mix for "custom-q"; `choice`: what was chosen, as from `sluice recipe --json`.
 */
int sluice_recipe(const sluice_options* options, sluice_observer* observer, char** rules,
                  char** choice, sluice_error** error);

/*
 * Makes an importance matrix, "output": runs the model "input" on the texts "text", or on the ids in
 * "calibrate-tokens", or goes on where an earlier run with the same options ended. `report`: what
 * was run, and experts that saw few tokens, as from `sluice imatrix --json`.
 */
int sluice_imatrix(const sluice_options* options, sluice_observer* observer, char** report,
                   sluice_error** error);

/* What the headers of a GGUF file or a checkpoint say: `sluice inspect --json --full`. */
int sluice_inspect(const char* path, char** inspection, sluice_error** error);

/* Releases a text. Null will do. */
void sluice_free(char* text);

/*
 * Watching, and stopping. An observer's functions are called from one thread at a time but not
 * always the same one. They must be quick, because output waits for them, and must not throw.
 * `user` is passed on to them. An observer serves one call at a time.
 */

/* A new observer without functions, or null if there is no memory. */
sluice_observer* sluice_observer_new(void);
void sluice_observer_free(sluice_observer* observer);

/* How far a run is. */
typedef struct sluice_progress {
  size_t size;               /* bytes of this structure */
  uint64_t input_bytes_done; /* of input that is done with, by an earlier run too */
  uint64_t input_bytes;      /* in all */
  uint64_t weights_done;     /* by this run */
  double elapsed_s;
} sluice_progress;

/*
 * After each chunk. If it returns anything but 0, the run ends within a second
 * (SLUICE_INTERRUPTED). What sluice_quantize has done is kept; the same call goes on from there.
 */
void sluice_observer_on_progress(sluice_observer* observer,
                                 int (*call)(const sluice_progress* progress, void* user),
                                 void* user);

/* A sentence that the user should see: a fallback, an oddity in the input. */
void sluice_observer_on_note(sluice_observer* observer, void (*call)(const char* text, void* user),
                             void* user);

/* A tensor that was written whole. */
typedef struct sluice_tensor {
  size_t size;        /* bytes of this structure */
  const char* name;   /* texts are there during the call only */
  const char* source; /* its type in the input, as "bf16" */
  const char* type;   /* its type in the output */
  uint64_t source_bytes;
  uint64_t bytes;
  uint64_t index; /* from 0, in the order of finishing */
  uint64_t count; /* how many there will be */
} sluice_tensor;

void sluice_observer_on_tensor(sluice_observer* observer,
                               void (*call)(const sluice_tensor* tensor, void* user), void* user);

/* The list of options, for bindings that offer them under names of their language. */

/* What an option's value is. */
enum sluice_kind {
  SLUICE_FLAG = 0, /* "true" or "false" */
  SLUICE_CHOICE = 1,
  SLUICE_NUMBER = 2,
  SLUICE_SIZE = 3, /* bytes, as "536870912", "512M" or "2GiB" */
  SLUICE_TEXT = 4,
  SLUICE_FILE = 5,
  SLUICE_FOLDER = 6,
  SLUICE_TENSOR_TYPE = 7, /* "q6_k" */
  SLUICE_FILE_TYPE = 8    /* "IQ1_M", or a number */
};

/* Who looks at an option: bits of sluice_option.functions. */
enum sluice_function {
  SLUICE_FOR_QUANTIZE = 1,
  SLUICE_FOR_PLAN = 2, /* and sluice_forecast */
  SLUICE_FOR_VERIFY = 4,
  SLUICE_FOR_COMPARE = 8,
  SLUICE_FOR_IMATRIX = 16,
  SLUICE_FOR_RECIPE = 32
};

typedef struct sluice_option {
  size_t size; /* bytes of this structure */
  const char* name;
  int32_t kind;
  uint32_t functions;
  int32_t repeats;           /* 1: values add up */
  int32_t required;          /* 1: the functions fail without */
  const char* value;         /* outline, as "SIZE"; of a choice "auto|mmap"; of a flag "" */
  const char* default_value; /* "": none, or false */
  const char* help;          /* half a sentence */
  const char* topic;         /* "Memory, disks and speed" */
  const char* llama_cpp;    /* its name in llama.cpp's llama-quantize, "": none; it may be set by */
  const char* ik_llama_cpp; /* its name in ik_llama.cpp's */
} sluice_option;

size_t sluice_option_count(void);

/*
 * An option, there as long as the library is; null from the count on. A name may stand twice, where
 * it says something else to another function.
 */
const sluice_option* sluice_option_at(size_t index);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
