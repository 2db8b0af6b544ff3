// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/telemetry.h"

#include "firmware/abi/telemetry.h"
#include "firmware/cp/jobs.h"
#include "firmware/cp/pstate.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/thermal.h"
#include "firmware/cp/waiting.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/event_log.h"
#include "firmware/lib/host_address.h"
#include "firmware/lib/log.h"
#include "firmware/lib/sensors.h"
#include "firmware/lib/system_controller.h"
#include "firmware/lib/watchdog.h"

/* More often would be a load, not a report. */
static const uint64_t kLeastPeriodUs = 100;

static uint64_t page_; /* bus address, 0: none */
static uint64_t period_ns_;
static uint64_t next_ns_; /* earliest time of the next write */
static bool changed_;
static uint64_t sequence_, ok_, failed_, aborted_;
static uint32_t self_test_;
_Alignas(NPU_TELEMETRY_ALIGNMENT) static struct npu_telemetry telemetry_;

void telemetry_init(void) {
  page_ = 0;
  changed_ = false;
  sequence_ = ok_ = failed_ = aborted_ = 0;
  self_test_ = 0;
}

void telemetry_set_self_test(uint32_t failed) {
  self_test_ = failed;
}

void telemetry_note_change(void) {
  changed_ = true;
}

void telemetry_count_job(enum npu_job_status status) {
  changed_ = true;
  if (status == NPU_JOB_OK) {
    ++ok_;
  } else if (status == NPU_JOB_ABORTED) {
    ++aborted_;
  } else {
    ++failed_;
  }
}

static uint32_t queue_depth(void) {
  uint32_t depth = waiting_count();
  for (uint32_t slot = 0; slot < QUEUE_SLOTS; ++slot) {
    if (queue_exists(slot)) depth += queue_pending(slot);
  }
  return depth;
}

static void collect(uint64_t now_ns) {
  telemetry_ = (struct npu_telemetry){
      .magic = NPU_TELEMETRY_MAGIC,
      .version = NPU_TELEMETRY_VERSION,
      .bytes = sizeof(telemetry_),
      .sequence = ++sequence_,
      .time_ns = now_ns,
      .temperature_mc = sensors_temperature_mc(),
      .peak_mc = sensors_peak_mc(),
      .ambient_mc = sensors_ambient_mc(),
      .thermal_state = thermal_state(),
      .pstate = system_controller_pstate(),
      .host_pstate = pstate_requested(),
      .jobs_running = jobs_running(),
      .jobs_ok = ok_,
      .jobs_failed = failed_,
      .jobs_aborted = aborted_,
      .queue_depth = queue_depth(),
      .throttles = thermal_throttles(),
      .reset_cause = system_controller_reset_code(),
      .watchdog_resets = watchdog_resets(),
      .self_test = self_test_,
      .events = (uint32_t)event_log_written(),
  };
  for (uint32_t rail = 0; rail < NPU_TELEMETRY_RAILS; ++rail) {
    telemetry_.power_mw[rail] = sensors_power_mw(rail);
    telemetry_.voltage_mv[rail] = sensors_voltage_mv(rail);
    telemetry_.energy_uj[rail] = sensors_energy_uj(rail);
  }
  for (uint32_t clock = 0; clock < NPU_TELEMETRY_CLOCKS; ++clock) {
    telemetry_.clock_khz[clock] = system_controller_clock_khz(clock);
  }
}

static bool write_to(uint64_t page, uint64_t now_ns) {
  collect(now_ns);
  return dma_copy(0, host_to_card(page), dma_address(&telemetry_), sizeof(telemetry_)) == DMA_OK;
}

bool telemetry_publish(uint64_t page, uint32_t period_us) {
  uint64_t now = aclint_time_ns();
  page_ = 0;
  if (page == 0) return true;
  if (!write_to(page, now)) return false;
  if (period_us == 0) return true;
  page_ = page;
  period_ns_ = (period_us < kLeastPeriodUs ? kLeastPeriodUs : period_us) * ACLINT_NS_PER_US;
  next_ns_ = now + period_ns_;
  changed_ = false;
  return true;
}

bool telemetry_serve(uint64_t now_ns) {
  if (page_ == 0 || !changed_ || now_ns < next_ns_) return false;
  next_ns_ = now_ns + period_ns_;
  changed_ = jobs_running() != 0; /* a job changes temperature and power all the time */
  if (!write_to(page_, now_ns)) {
    log_line("telemetry page at %lx cannot be written any more: given up", (unsigned long)page_);
    page_ = 0;
  }
  return true;
}

uint64_t telemetry_deadline(void) {
  return page_ != 0 && changed_ ? next_ns_ : ACLINT_NEVER;
}
