/* A plugin for qemu-user 7.2 and later: says on stderr how many instructions a program executed. Debian
   has no header of this interface; it is declared here as far as it is used. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PUBLIC __attribute__((visibility("default")))

struct qemu_plugin_tb; /* instructions that are translated together */
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
                                           void (*)(uint64_t id, struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb*, int operation, void* to,
                                              uint64_t number);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*)(uint64_t id, void* data), void* data);

static uint64_t executed;

static void count(uint64_t id, struct qemu_plugin_tb* together) {
  (void)id;
  const int add = 0;
  qemu_plugin_register_vcpu_tb_exec_inline(together, add, &executed,
                                           qemu_plugin_tb_n_insns(together));
}

static void tell(uint64_t id, void* data) {
  (void)id;
  (void)data;
  fprintf(stderr, "instructions %" PRIu64 "\n", executed);
}

PUBLIC int qemu_plugin_version = 1;

PUBLIC int qemu_plugin_install(uint64_t id, const void* about, int count_of_words, char** words) {
  (void)about;
  (void)count_of_words;
  (void)words;
  qemu_plugin_register_vcpu_tb_trans_cb(id, count);
  qemu_plugin_register_atexit_cb(id, tell, NULL);
  return 0;
}
