// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/management.h"

#include "firmware/abi/event_log.h"
#include "firmware/abi/memory_map.h"
#include "firmware/abi/telemetry.h"
#include "firmware/cp/crash.h"
#include "firmware/cp/crash_archive.h"
#include "firmware/cp/jobs.h"
#include "firmware/cp/pstate.h"
#include "firmware/cp/self_test.h"
#include "firmware/cp/telemetry.h"
#include "firmware/cp/thermal.h"
#include "firmware/cp/version.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/cpu.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/event_log.h"
#include "firmware/lib/flash.h"
#include "firmware/lib/host_address.h"
#include "firmware/lib/log.h"
#include "firmware/lib/system_controller.h"
#include "firmware/lib/watchdog.h"

/* Far above the longest round of the main loop, which waits for a DMA copy up to DMA_TIMEOUT_NS. */
enum { kWatchdogTimeoutUs = 1000000, kWatchdogEarlyUs = 900000 };

enum { kLogEntriesLog2 = 15 };
static const uint64_t kLogEntries = 1ull << kLogEntriesLog2;
static_assert((sizeof(struct npu_event) << kLogEntriesLog2) <= NPU_DRAM_EVENT_LOG_BYTES, "the log fits its place");

/* Most that one message copies. */
enum { kMostEvents = 2048 };

static uint32_t before_; /* jobs that ran when management_serve_time looked last */

#ifdef NPU_FIRMWARE_NATIVE
/* A test's memory has neither stack nor unused parts of ours. */
static uint64_t stack_top(void) {
  return 0;
}
static uint64_t unused_begin(void) {
  return NPU_MAP_TCM + NPU_MAP_TCM_BYTES - NPU_MAP_TCM_ROM_BYTES - 4096;
}
#else
extern char cp_stack_top[]; /* cp.ld; nothing of ours lies above */
static uint64_t stack_top(void) {
  return (uint64_t)cp_stack_top;
}
static uint64_t unused_begin(void) {
  return ((uint64_t)cp_stack_top + 63) & ~63ull;
}
#endif

bool management_init(void) {
  event_log_start(NPU_MAP_DRAM + NPU_DRAM_EVENT_LOG, kLogEntriesLog2);
  event_log_record(NPU_EVENT_START, CP_VERSION, 0);
  crash_init(stack_top());
  telemetry_init();
  uint32_t failed = self_test(unused_begin(), NPU_MAP_TCM + NPU_MAP_TCM_BYTES - NPU_MAP_TCM_ROM_BYTES);
  if (failed != 0) log_line("self test failed: %x (1 TCM, 2 DRAM, 4 interrupts, 8 DMA, 10 TRNG, 20 crypto)", failed);
  event_log_record(NPU_EVENT_SELF_TEST, failed, 0);
  telemetry_set_self_test(failed);
  if (crash_present()) log_line("the DRAM holds a crash dump of an earlier run");
  crash_archive_prepare();
  before_ = 0;
  pstate_init(aclint_time_ns());
  thermal_init();
  watchdog_start(kWatchdogTimeoutUs, kWatchdogEarlyUs);
  cpu_take_watchdog();
  event_log_record(NPU_EVENT_READY, CP_VERSION, 0);
  return failed == 0;
}

void management_serve_source(uint32_t source) {
  if (source == NPU_IRQ_SENSORS && thermal_serve()) telemetry_note_change();
}

bool management_serve_time(uint64_t now_ns) {
  uint32_t running = jobs_running();
  if (running != before_) telemetry_note_change();
  before_ = running;
  pstate_serve(now_ns, running != 0);
  return telemetry_serve(now_ns);
}

uint64_t management_deadline(void) {
  uint64_t pstate = pstate_deadline(), telemetry = telemetry_deadline();
  return pstate < telemetry ? pstate : telemetry;
}

static uint32_t copy_to_host(uint64_t bus, uint64_t card, uint32_t bytes) {
  if (bus > NPU_MAP_HOST_ADDRESS_MASK || bytes > NPU_MAP_HOST_ADDRESS_MASK - bus) return NPU_MAILBOX_BAD_ARGUMENT;
  return dma_copy(0, host_to_card(bus), card, bytes) == DMA_OK ? NPU_MAILBOX_OK : NPU_MAILBOX_UNREADABLE;
}

static uint32_t serve_telemetry(const struct mailbox_message* message) {
  uint64_t page = mailbox_address(message, 1);
  if (page % NPU_TELEMETRY_ALIGNMENT != 0 || page > NPU_MAP_HOST_ADDRESS_MASK) return NPU_MAILBOX_BAD_ARGUMENT;
  return telemetry_publish(page, message->word[3]) ? NPU_MAILBOX_OK : NPU_MAILBOX_UNREADABLE;
}

/* Event numbers grow without end, the message has their low half: it means the latest one that ends so. */
static uint32_t serve_event_log(const struct mailbox_message* message, struct mailbox_message* reply) {
  uint64_t written = event_log_written();
  uint64_t oldest = written > kLogEntries ? written - kLogEntries : 0;
  uint32_t behind = (uint32_t)written - message->word[4];
  uint64_t first = behind > written - oldest ? oldest : written - behind;
  uint64_t index = first & (kLogEntries - 1);
  uint64_t count = written - first;
  if (count > message->word[3]) count = message->word[3];
  if (count > kMostEvents) count = kMostEvents;
  if (count > kLogEntries - index) count = kLogEntries - index; /* the rest by the next message */
  reply->word[1] = (uint32_t)count;
  reply->word[2] = (uint32_t)first;
  reply->word[3] = (uint32_t)written;
  if (count == 0) return NPU_MAILBOX_OK;
  return copy_to_host(mailbox_address(message, 1), NPU_MAP_DRAM + NPU_DRAM_EVENT_LOG + index * sizeof(struct npu_event),
                      (uint32_t)(count * sizeof(struct npu_event)));
}

static uint32_t serve_crash_dump(const struct mailbox_message* message, struct mailbox_message* reply) {
  if (!crash_present()) return NPU_MAILBOX_OK;
  uint32_t bytes = message->word[3] < sizeof(struct npu_crash_dump) ? message->word[3] : sizeof(struct npu_crash_dump);
  if (bytes < NPU_CRASH_DUMP_LEAST_BYTES) return NPU_MAILBOX_BAD_ARGUMENT;
  bytes &= ~7u;
  uint32_t status = copy_to_host(mailbox_address(message, 1), NPU_MAP_DRAM + NPU_DRAM_CRASH_DUMP, bytes);
  if (status != NPU_MAILBOX_OK) return status;
  reply->word[1] = bytes;
  if (message->word[4] != 0) crash_forget();
  return NPU_MAILBOX_OK;
}

static uint32_t serve_crash_archive(const struct mailbox_message* message, struct mailbox_message* reply) {
  static struct crash_archive_record record; /* static: DMA reads it */
  if (message->word[3] < sizeof(record) || mailbox_address(message, 1) % 8 != 0) return NPU_MAILBOX_BAD_ARGUMENT;
  if (flash_busy()) return NPU_MAILBOX_BUSY; /* with the rest of an update that failed, or there is none */
  if (!flash_present()) return NPU_MAILBOX_OK;
  reply->word[3] = crash_archive_count();
  if (!crash_archive_read(message->word[4], &record)) return NPU_MAILBOX_OK;
  uint32_t status = copy_to_host(mailbox_address(message, 1), dma_address(&record), sizeof(record));
  if (status != NPU_MAILBOX_OK) return status;
  reply->word[1] = sizeof(record);
  reply->word[2] = record.entry.sequence;
  return NPU_MAILBOX_OK;
}

static uint32_t serve_pstate(const struct mailbox_message* message, struct mailbox_message* reply) {
  if (!pstate_request(message->word[1])) return NPU_MAILBOX_BAD_ARGUMENT;
  event_log_record(NPU_EVENT_HOST_PSTATE, message->word[1], 0);
  pstate_serve(aclint_time_ns(), jobs_running() != 0);
  reply->word[1] = system_controller_pstate();
  return NPU_MAILBOX_OK;
}

/* For tests of what watches over the firmware. The host may reset the card anyway, so this gives it no new power. */
static uint32_t serve_test(const struct mailbox_message* message) {
  if (message->word[1] == NPU_TEST_HANG) {
    log_line("hangs, as the host has asked");
    for (volatile bool hang = true; hang;) {
    }
  }
  if (message->word[1] == NPU_TEST_TRAP) __builtin_trap();
  return NPU_MAILBOX_BAD_ARGUMENT;
}

bool management_serve_message(const struct mailbox_message* message) {
  struct mailbox_message reply = {{0}};
  uint32_t status;
  switch (NPU_MAILBOX_OPCODE(message->word[0])) {
    case NPU_MESSAGE_TELEMETRY:
      status = serve_telemetry(message);
      break;
    case NPU_MESSAGE_EVENT_LOG:
      status = serve_event_log(message, &reply);
      break;
    case NPU_MESSAGE_CRASH_DUMP:
      status = serve_crash_dump(message, &reply);
      break;
    case NPU_MESSAGE_CRASH_ARCHIVE:
      status = serve_crash_archive(message, &reply);
      break;
    case NPU_MESSAGE_PSTATE:
      status = serve_pstate(message, &reply);
      break;
    case NPU_MESSAGE_TEST:
      status = serve_test(message);
      break;
    default:
      return false;
  }
  mailbox_reply(0, message, &reply, status);
  return true;
}
