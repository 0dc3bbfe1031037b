/*
 * sluice for C, and for languages that bind to C.
 *
 * What stays as it is, so that a program goes on to work with a newer library of the same
 * SLUICE_API_VERSION without being compiled again:
 *
 *   - Functions and numbers are never removed or given another meaning. New ones may come.
 *   - Structures are made by the library only, are read through pointers, and grow at their end.
 *     Their `size` tells how much of them there is.
 *   - Options are set by name, as the program's options are, so that new ones need no new function.
 *
 * Nothing here throws, prints or ends the process. Texts are UTF-8 and end with a zero. Functions
 * may be called from several threads at once, with options of each one's own.
 */
#ifndef SLUICE_SLUICE_H
#define SLUICE_SLUICE_H

#include <stddef.h>
#include <stdint.h>

#define SLUICE_API_VERSION 1

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

/* Everything that decides what is made and how. */
typedef struct sluice_options sluice_options;

/* New options with their defaults, or null if there is no memory. */
sluice_options* sluice_options_new(void);
void sluice_options_free(sluice_options* options);

/*
 * Sets an option by name. Names and values are those of the program, without dashes:
 *
 *   input, output, imatrix, trace   a path
 *   against                         a path; only sluice_verify looks at it
 *   type                            "IQ1_M", "q8_0", ...
 *   mix                             "llama.cpp", "ik_llama.cpp"
 *   effort                          "fast", "best"
 *   io                              "auto", "mmap", "async", "read"
 *   spindle                         "auto", "shared", "separate"
 *   isa                             "auto", "portable", "avx2", "avx512"
 *   threads                         a number; "0": one a core
 *   memory                          bytes, as "536870912", "512M" or "2G"
 *   checkpoint                      seconds
 *   split-max-size                  bytes, as "40G" (a K is 1000 here)
 *   split-max-tensors               a number
 *   output-tensor-type, token-embedding-type, per-layer-token-embedding-type, ffn-gate-inp-type,
 *   attn-q-type, attn-k-type, attn-v-type, attn-qkv-type, attn-output-type, ffn-gate-type,
 *   ffn-down-type, ffn-up-type      a tensor type: "q6_k", "f16", ...
 *   prune-layers                    "3,4,5"
 *   pure, ignore-imatrix-rules, allow-requantize, restart, verify, verify-resume, keep-split,
 *   leave-output-tensor, hide-imatrix, partial-requant
 *                                   "true" or "false"
 *
 * These add to what was set before:
 *
 *   tensor-type                     "REGEX=TYPE"
 *   tensor-type-file                the path of a file of such
 *   custom-q                        "REGEX=TYPE,REGEX=TYPE"
 *   override-kv                     "KEY=TYPE:VALUE"
 *   include-weights, exclude-weights
 *                                   a part of tensors' names
 *
 * Returns SLUICE_OK or SLUICE_USAGE. `error`, here and below, may be null; else *error is set to
 * null, or on failure to an error that the caller releases.
 */
int sluice_options_set(sluice_options* options, const char* name, const char* value,
                       sluice_error** error);

/* How far a run is. */
typedef struct sluice_progress {
  size_t size;               /* bytes of this structure */
  uint64_t input_bytes_done; /* of input whose output is made, by an earlier run too */
  uint64_t input_bytes;      /* in all */
  uint64_t weights_done;     /* by this run */
  double elapsed_s;
} sluice_progress;

/*
 * What a run calls, from one thread at a time but not always the same one. Calls must be quick,
 * because output waits for them, and must not throw. Either function may be null.
 */
typedef struct sluice_observer {
  /* After each chunk. Not 0: end the run within a second with what is done kept
     (SLUICE_INTERRUPTED); the same call goes on from there. */
  int (*progress)(const sluice_progress* progress, void* user);
  /* A sentence that the user should see: a fallback, an oddity in the input. */
  void (*note)(const char* text, void* user);
  void* user;
} sluice_observer;

/*
 * Makes the output file, or goes on making it where an earlier run with the same input and options
 * ended. `observer` may be null. Returns SLUICE_OK or the error's code; the output is then not
 * there, and an older file of that name is untouched.
 */
int sluice_quantize(const sluice_options* options, const sluice_observer* observer,
                    sluice_error** error);

/*
 * What sluice_quantize would do, as JSON, without doing it: reads headers only. The same as
 * `sluice plan --json`. Returns a text to release with sluice_free, or null on failure.
 */
char* sluice_plan_json(const sluice_options* options, sluice_error** error);

/*
 * Checks the output: alone, or if "against" is set, with its source. Returns SLUICE_OK,
 * SLUICE_OUTPUT_DAMAGED, or the code of what kept it from checking. `report`, unless null, is set
 * to the findings as JSON, the same as `sluice verify --report`, to release with sluice_free; to
 * null if nothing could be checked. `observer` may be null; to end a check early is not possible.
 */
int sluice_verify(const sluice_options* options, const sluice_observer* observer, char** report,
                  sluice_error** error);

/* Releases a text. Null will do. */
void sluice_free(char* text);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
