// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/service.h"

#include "firmware/abi/abi.h"
#include "firmware/abi/memory_map.h"
#include "firmware/cp/console.h"
#include "firmware/cp/contexts.h"
#include "firmware/cp/dispatch.h"
#include "firmware/cp/faults.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/jobs.h"
#include "firmware/cp/mailbox_service.h"
#include "firmware/cp/management.h"
#include "firmware/cp/memory_faults.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/scheduler.h"
#include "firmware/cp/upkeep.h"
#include "firmware/cp/version.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/bits.h"
#include "firmware/lib/boot_trial.h"
#include "firmware/lib/cpu.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mailbox.h"
#include "firmware/lib/plic.h"
#include "firmware/lib/system_controller.h"
#include "firmware/lib/watchdog.h"
#include "npu/registers/mailbox.h"

static const uint32_t kSources = PLIC_SOURCE(NPU_IRQ_MAILBOX) | PLIC_SOURCE(NPU_IRQ_DOORBELL) |
                                 PLIC_SOURCE(NPU_IRQ_TASK_MANAGER) | PLIC_SOURCE(NPU_IRQ_ECC) |
                                 PLIC_SOURCE(NPU_IRQ_MMU) | PLIC_SOURCE(NPU_IRQ_UART) | MANAGEMENT_SOURCES;

static struct board board_;
static bool healthy_; /* false: the watchdog shall end this run, and with it an attempt on trial */
static bool confirmed_;

static void log_banner(void) {
  log_line("npu command-processor firmware %u.%u.%u, ABI %u.%u", CP_VERSION_MAJOR, CP_VERSION_MINOR, CP_VERSION_PATCH,
           NPU_ABI_MAJOR, NPU_ABI_MINOR);
  log_line("card %u: %u Neural Engines, %lu MiB DRAM, %u KiB shared memory, %u KiB scratchpads, %u MHz", board_.card,
           board_.neural_engines, (unsigned long)(board_.dram_bytes >> 20), board_.shared_bytes >> 10,
           board_.scratchpad_bytes >> 10, board_.cp_mhz);
  if (board_.job_bytes == 0) log_line("no DRAM left for jobs: the board has no more than the system reserve");
}

void service_init(void) {
  aclint_set_deadline(ACLINT_NEVER);
  plic_init(kSources);
  log_init("cp");
  board_ = system_controller_board();
  log_banner();
  memory_faults_init();
  functions_init(&board_);
  queues_init();
  contexts_init();
  scheduler_init();
  upkeep_init();
  faults_init();
  jobs_init(board_.neural_engines);
  dispatch_init(&board_);
  mailbox_service_init(&board_);
  bool sound = management_init();
  console_init(&board_);
  healthy_ = sound || !boot_trial_running();
  confirmed_ = false;
  log_line(sound ? "ready" : "not ready: the self test failed");
  mailbox_set_card_state(sound ? MAILBOX_HOST_CARD_STATE_STATE_READY : MAILBOX_HOST_CARD_STATE_STATE_FAULT);
}

/* Each of the contexts whose queues rang pays the same. */
static void charge_doorbells(uint32_t function, uint32_t queues, uint64_t begin_ns) {
  uint64_t now = aclint_time_ns();
  uint32_t count = count_bits(queues);
  if (count == 0) upkeep_charge(function, -1, now - begin_ns, now);
  for (uint32_t queue = 0; queues >> queue != 0; ++queue) {
    if (!(queues >> queue & 1u)) continue;
    upkeep_charge(function, (int)queue_context(queue_slot(function, queue)), (now - begin_ns) / count, now);
  }
}

static void serve_doorbells(void) {
  uint32_t functions = mailbox_functions_ringing();
  uint64_t begin = aclint_time_ns();
  functions = upkeep_allowed(functions, begin);
  for (uint32_t function = 0; functions >> function != 0; ++function) {
    if (!(functions >> function & 1u)) continue;
    charge_doorbells(function, queues_serve_doorbells(function, mailbox_take_doorbells(function)), begin);
    begin = aclint_time_ns();
  }
}

static void serve_source(uint32_t source) {
  switch (source) {
    case NPU_IRQ_MAILBOX:
      mailbox_service_serve();
      break;
    case NPU_IRQ_DOORBELL:
      serve_doorbells();
      break;
    case NPU_IRQ_TASK_MANAGER:
      jobs_serve_task_manager();
      break;
    case NPU_IRQ_ECC:
      memory_faults_serve_ecc();
      break;
    case NPU_IRQ_MMU:
      memory_faults_serve_mmu();
      break;
    case NPU_IRQ_UART:
      console_serve();
      break;
    default:
      management_serve_source(source);
      break;
  }
}

/* Each source once, so that a function that never stops ringing keeps the firmware from nothing else. */
static bool serve_interrupts(void) {
  uint32_t left = kSources, source;
  while ((source = plic_claim()) != 0) {
    serve_source(source);
    plic_complete(source);
    left &= ~PLIC_SOURCE(source);
    plic_enable(left);
  }
  if (left == kSources) return false;
  plic_enable(kSources);
  return true;
}

bool service_poll(void) {
  bool served = serve_interrupts();
  uint64_t now = aclint_time_ns();
  jobs_serve_time(now);
  served |= dispatch_next();
  if (!jobs_orphan_runs()) served |= functions_serve_clearing();
  served |= mailbox_service_serve_waiting(now);
  served |= management_serve_time(now);
  if (healthy_) watchdog_kick();
  return served;
}

/* Ready, and through the main loop until nothing was left to do: that is what firmware on trial has to show. */
static void confirm(void) {
  if (confirmed_ || !healthy_) return;
  confirmed_ = true; /* a flash that does not take it is not asked again and again */
  if (!boot_trial_running()) return;
  log_line(boot_trial_confirm() ? "confirmed, the trial is over" : "the flash does not take the end of the trial");
}

void service_sleep(void) {
  confirm();
  uint64_t job = jobs_deadline(), message = mailbox_service_deadline();
  uint64_t management = management_deadline();
  uint64_t first = job < message ? job : message;
  aclint_set_deadline(first < management ? first : management);
  if (healthy_) watchdog_sleep();
  cpu_wait_for_interrupt();
  if (healthy_) watchdog_kick();
}
