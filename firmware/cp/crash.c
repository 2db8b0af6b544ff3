// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/crash.h"

#include <string.h>

#include "firmware/abi/memory_map.h"
#include "firmware/cp/crash_archive.h"
#include "firmware/cp/jobs.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/version.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/boot_trial.h"
#include "firmware/lib/ecc.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mmio.h"
#include "firmware/lib/trap.h"
#include "firmware/lib/watchdog.h"

static_assert(NPU_CRASH_QUEUES >= QUEUE_SLOTS, "a dump has room for all queues");
static_assert(sizeof(struct npu_crash_dump) % 8 == 0, "copied by double words");

static const uint64_t kPlace = NPU_MAP_DRAM + NPU_DRAM_CRASH_DUMP;
static const uint64_t kWatchdogCause = 1ull << 63 | 3;

static uint64_t stack_top_;
static struct npu_crash_dump dump_;
static bool lost_;

void crash_init(uint64_t stack_top) {
  stack_top_ = stack_top;
}

static void add_queues(void) {
  dump_.queue_count = 0;
  for (uint32_t slot = 0; slot < QUEUE_SLOTS; ++slot) {
    if (!queue_exists(slot)) continue;
    dump_.queue[dump_.queue_count++] = (struct npu_crash_queue){.function = (uint16_t)queue_function(slot),
                                                                .queue = (uint16_t)queue_number(slot),
                                                                .pending = queue_pending(slot)};
  }
}

/* The stack pointer may be what is wrong: nothing outside the stack is read. */
static void add_stack(uint64_t pointer) {
  dump_.stack_bytes = 0;
  if (stack_top_ == 0 || pointer >= stack_top_ || pointer % 8 != 0 || stack_top_ - pointer > NPU_MAP_TCM_BYTES) return;
  uint64_t bytes = stack_top_ - pointer;
  if (bytes > NPU_CRASH_STACK_BYTES) bytes = NPU_CRASH_STACK_BYTES;
  for (uint64_t i = 0; i < bytes; ++i) dump_.stack[i] = mmio_read8(pointer + i);
  dump_.stack_bytes = (uint32_t)bytes;
}

/* The mark goes last: a dump that was cut short is none. */
static void store(void) {
  const uint64_t* words = (const uint64_t*)(const void*)&dump_;
  crash_forget();
  for (uint64_t i = 1; i < sizeof(dump_) / 8; ++i) mmio_write64(kPlace + i * 8, words[i]);
  mmio_write64(kPlace, words[0]);
}

static void add_registers(const struct trap_frame* frame) {
  memset(&dump_, 0, sizeof(dump_));
  lost_ = false;
  dump_.magic = NPU_CRASH_MAGIC;
  dump_.version = NPU_CRASH_VERSION;
  dump_.bytes = sizeof(dump_);
  dump_.firmware_version = CP_VERSION;
  dump_.time_ns = aclint_time_ns();
  for (unsigned i = 0; i < TRAP_REGISTERS; ++i) dump_.x[i] = frame->x[i];
  dump_.pc = frame->mepc;
  dump_.mcause = frame->mcause;
  dump_.mtval = frame->mtval;
  dump_.mstatus = frame->mstatus;
}

/* Whether the firmware has lost memory of its own: then there is nothing to look at, the watchdog shall restart it. */
static bool add_memory_errors(void) {
  static const uint8_t sources[] = {NPU_ECC_TCM, NPU_ECC_DRAM, NPU_ECC_SHARED};
  for (unsigned i = 0; i < sizeof(sources); ++i) {
    struct ecc_record record = ecc_read(sources[i]);
    if (record.uncorrected == 0) continue;
    dump_.memory = sources[i] + 1u;
    dump_.memory_errors = record.uncorrected;
    dump_.memory_address = record.last_uncorrected;
    log_line("uncorrectable error in %s at %lx", ecc_source_name(sources[i]), (unsigned long)record.last_uncorrected);
    return sources[i] == NPU_ECC_TCM;
  }
  return false;
}

bool trap_record(const struct trap_frame* frame, unsigned part) {
  bool hang = frame->mcause == kWatchdogCause;
  switch (part) {
    case 0:
      /* A hang has the time that the watchdog leaves it. */
      if (!hang) watchdog_kick();
      add_registers(frame);
      store();
      return true;
    case 1:
      add_stack(frame->x[1]); /* sp */
      return true;
    case 2:
      dump_.jobs_running = jobs_running();
      add_queues();
      return true;
    case 3:
      lost_ = add_memory_errors();
      store();
      return true;
    case 4:
      if (!crash_archive_store(&dump_)) log_line("the flash did not take the crash dump");
      return true;
    case 5:
      if (!hang && !lost_ && !boot_trial_running()) watchdog_sleep();
      return true;
    default:
      return false;
  }
}

bool crash_present(void) {
  return (uint32_t)mmio_read64(kPlace) == NPU_CRASH_MAGIC;
}

void crash_forget(void) {
  mmio_write64(kPlace, 0);
}
