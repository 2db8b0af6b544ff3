// SPDX-License-Identifier: Apache-2.0
// QEMU plugin: writes the register state before each instruction to a file or pipe (record.h). Argument: out=PATH. The
// interface is QEMU's documented plugin API ("TCG Plugins", qemu.org); Debian packages no header for it, so that the
// few functions used are declared here, and those of GLib whose objects they hand out.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/riscv/lockstep/record.h"

#define EXPORT __attribute__((visibility("default")))

typedef struct {
  uint8_t* data;
  unsigned length;
} GByteArray;
typedef struct {
  char* data;
  unsigned length;
} GArray;
GByteArray* g_byte_array_new(void);
GByteArray* g_byte_array_set_size(GByteArray* array, unsigned length);
unsigned g_array_get_element_size(GArray* array);

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_register;
// The beginning of qemu_plugin_reg_descriptor; later versions append to it.
struct reg_descriptor {
  struct qemu_plugin_register* handle;
  const char* name;
  const char* feature;
};
enum { CB_READS_REGISTERS = 1 };
void qemu_plugin_register_vcpu_init_cb(uint64_t id, void (*callback)(unsigned vcpu, void* data), void* data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*callback)(struct qemu_plugin_tb* tb, void* data),
                                           void* data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn* insn, void (*callback)(unsigned vcpu, void* data),
                                            int flags, void* data);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*callback)(void* data), void* data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* tb);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn* insn);
GArray* qemu_plugin_get_registers(void);
bool qemu_plugin_read_register(struct qemu_plugin_register* handle, GByteArray* buffer);

EXPORT int qemu_plugin_version = 7;  // that of QEMU 11

static FILE* out;
static struct qemu_plugin_register* registers[RECORD_REGISTERS];
static uint64_t last[RECORD_REGISTERS];
static GByteArray* buffer;

static void fail(const char* what) {
  fprintf(stderr, "qemu_trace: %s\n", what);
  exit(1);
}

static void on_vcpu_init(unsigned vcpu, void* data) {
  (void)vcpu;
  (void)data;
  GArray* all = qemu_plugin_get_registers();
  unsigned size = g_array_get_element_size(all);
  unsigned integers = 0;
  unsigned floats = 0;
  for (unsigned i = 0; i < all->length; ++i) {
    struct reg_descriptor reg;
    memcpy(&reg, all->data + (size_t)i * size, sizeof reg);
    const char* feature = reg.feature ? reg.feature : "";
    // The order in the target description is x0..x31, pc and f0..f31.
    if (strstr(feature, "riscv.cpu") && integers < 32) registers[RECORD_X + integers++] = reg.handle;
    if (strstr(feature, "riscv.fpu") && floats < 32) registers[RECORD_F + floats++] = reg.handle;
    if (!strcmp(reg.name, "fcsr")) registers[RECORD_FCSR] = reg.handle;
  }
  buffer = g_byte_array_new();
}

static void on_instruction(unsigned vcpu, void* data) {
  (void)vcpu;
  struct {
    struct record_header header;
    struct record_change changes[RECORD_REGISTERS];
  } record;
  record.header.pc = (uint64_t)(uintptr_t)data;
  uint64_t changes = 0;
  for (unsigned i = 0; i < RECORD_REGISTERS; ++i) {
    uint64_t value = 0;
    g_byte_array_set_size(buffer, 0);
    if (!registers[i]) continue;
    if (!qemu_plugin_read_register(registers[i], buffer)) continue;
    memcpy(&value, buffer->data, buffer->length < sizeof value ? buffer->length : sizeof value);
    if (value == last[i]) continue;
    last[i] = value;
    record.changes[changes++] = (struct record_change){i, value};
  }
  record.header.changes = changes;
  if (fwrite(&record, sizeof record.header + changes * sizeof record.changes[0], 1, out) != 1) exit(0);
}

static void on_translation(struct qemu_plugin_tb* tb, void* data) {
  (void)data;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); ++i) {
    struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
    qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction, CB_READS_REGISTERS,
                                           (void*)(uintptr_t)qemu_plugin_insn_vaddr(insn));
  }
}

static void on_exit_of_qemu(void* data) {
  (void)data;
  fclose(out);
}

EXPORT int qemu_plugin_install(uint64_t id, const void* info, int argc, char** argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (!strncmp(argv[i], "out=", 4)) out = fopen(argv[i] + 4, "wb");
  }
  if (!out) fail("give out=PATH of a file that can be written");
  setvbuf(out, NULL, _IOFBF, 1 << 20);
  qemu_plugin_register_vcpu_init_cb(id, on_vcpu_init, NULL);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation, NULL);
  qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
  return 0;
}
