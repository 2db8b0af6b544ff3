// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/console.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/abi/boot_text.h"
#include "firmware/abi/telemetry.h"
#include "firmware/cp/contexts.h"
#include "firmware/cp/jobs.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/thermal.h"
#include "firmware/cp/version.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/bits.h"
#include "firmware/lib/boot_record.h"
#include "firmware/lib/event_log.h"
#include "firmware/lib/format.h"
#include "firmware/lib/sensors.h"
#include "firmware/lib/uart.h"

enum {
  kLineBytes = 64,
  kOutputBytes = 128,
  kInterrupt = 0x03, /* Ctrl-C */
  kBackspace = 0x08,
  kKillLine = 0x15, /* Ctrl-U */
  kDelete = 0x7f,
};

static const char kPrompt[] = "npu> ";

static const struct board* board_;
static bool open_;
static char line_[kLineBytes];
static size_t length_;

static void print(const char* format, ...) __attribute__((format(printf, 1, 2)));
static void print(const char* format, ...) {
  char text[kOutputBytes + 2];
  va_list arguments;
  va_start(arguments, format);
  size_t length = format_text_list(text, kOutputBytes, format, arguments);
  va_end(arguments);
  text[length++] = '\r';
  text[length++] = '\n';
  uart_write(text, length);
}

static void show_status(void) {
  static const char* const kThermal[] = {"normal", "throttled", "too hot for jobs", "shutting down"};
  uint64_t now = aclint_time_ns();
  uint32_t contexts = 0, queues = 0;
  for (uint32_t slot = 0; slot < QUEUE_SLOTS; ++slot) queues += queue_exists(slot) ? 1 : 0;
  for (uint32_t function = 0; function <= NPU_MAX_VFS; ++function) {
    contexts += count_bits(contexts_of(function));
  }
  print("card %u, firmware %u.%u.%u, up %lu.%06lu s, last reset: %s", board_->card, CP_VERSION_MAJOR, CP_VERSION_MINOR,
        CP_VERSION_PATCH, (unsigned long)(now / ACLINT_NS_PER_S),
        (unsigned long)(now % ACLINT_NS_PER_S / ACLINT_NS_PER_US), system_controller_reset_cause());
  print("P%u, %s, throttled %u times", system_controller_pstate(), kThermal[thermal_state() & 3], thermal_throttles());
  print("%u contexts, %u queues, %u jobs running, %lu events logged", contexts, queues, jobs_running(),
        (unsigned long)event_log_written());
}

static void show_contexts(void) {
  print("function context asid priority taken ok failed aborted card-us");
  for (uint32_t function = 0; function <= NPU_MAX_VFS; ++function) {
    uint32_t present = contexts_of(function);
    for (uint32_t place = 0; present >> place != 0; ++place) {
      if (!(present >> place & 1u)) continue;
      uint32_t context = queue_slot(function, place);
      const struct context_counters* counters = context_counters(context);
      print("%8u %7u %4u %8u %5u %2u %6u %7u %lu%s", function, context_id(context), context_asid(context),
            context_priority(context), counters->taken, counters->ok, counters->failed, counters->aborted,
            (unsigned long)(counters->card_ns / ACLINT_NS_PER_US), context_stopped(context) ? " stopped" : "");
    }
  }
}

static void show_queues(void) {
  print("function queue context pending bad-doorbells state");
  for (uint32_t slot = 0; slot < QUEUE_SLOTS; ++slot) {
    if (!queue_exists(slot)) continue;
    const char* state = jobs_busy_with(slot)               ? "busy"
                        : queue_draining(slot)             ? "draining"
                        : queue_completion_ring_full(slot) ? "completion ring full"
                        : queue_ready(slot)                ? "ready"
                                                           : "idle";
    print("%8u %5u %7u %7u %13u %s", queue_function(slot), queue_number(slot), context_id(queue_context(slot)),
          queue_pending(slot), queue_bad_doorbells(slot), state);
  }
}

/* 1/1000 degrees with one digit after the point. */
static void print_temperature(const char* name, int32_t mc) {
  uint32_t size = (uint32_t)(mc < 0 ? -(int64_t)mc : mc);
  print("%s %s%u.%u C", name, mc < 0 ? "-" : "", size / 1000, size % 1000 / 100);
}

static void show_sensors(void) {
  static const char* const kRails[SENSORS_RAILS] = {"neural", "system", "dram", "pcie"};
  static const char* const kClocks[NPU_TELEMETRY_CLOCKS] = {"cp", "dc1", "dc2", "bus", "shm"};
  print_temperature("die", sensors_temperature_mc());
  print_temperature("peak", sensors_peak_mc());
  print_temperature("ambient", sensors_ambient_mc());
  for (uint32_t rail = 0; rail < SENSORS_RAILS; ++rail) {
    print("%s %u mW at %u mV", kRails[rail], sensors_power_mw(rail), sensors_voltage_mv(rail));
  }
  for (uint32_t clock = 0; clock < NPU_TELEMETRY_CLOCKS; ++clock) {
    print("%s %u kHz", kClocks[clock], system_controller_clock_khz(clock));
  }
}

static const char* outcome_of(uint32_t code) {
  return code == NPU_BOOT_BOOTED ? "booted" : npu_boot_refusal_what(code);
}

static void show_boot(void) {
  static const char* const kSources[] = {"nothing", "flash slot A", "flash slot B", "the host"};
  static const char* const kLifecycles[] = {"test", "development", "production", "rma"};
  const struct npu_boot_record* record = boot_record();
  if (record == NULL) {
    print("no boot record: a debugger loaded this firmware");
    return;
  }
  print("booted from %s, image version %u.%u.%u, security version %u (lowest that may boot: %u), key slot %u",
        kSources[record->source & 3], record->image_version >> 16, record->image_version >> 8 & 0xff,
        record->image_version & 0xff, record->security_version, record->rollback, record->key_slot);
  print("life cycle %s, debug access %s", kLifecycles[record->lifecycle & 3],
        record->debug_allowed ? "open" : "closed");
  print("slot A: %s", outcome_of(record->slot_code[0]));
  print("slot B: %s", outcome_of(record->slot_code[1]));
  print("host: %s", outcome_of(record->host_code));
}

static void show_help(void);

static const struct {
  const char* name;
  const char* help;
  void (*show)(void);
} kCommands[] = {
    {"status", "what the card does", show_status},
    {"contexts", "contexts and what became of their jobs", show_contexts},
    {"queues", "queues and what waits in them", show_queues},
    {"sensors", "temperatures, power and clocks", show_sensors},
    {"boot", "what booted, and why nothing else", show_boot},
    {"help", "this list", show_help},
};
enum { kCommandCount = sizeof kCommands / sizeof kCommands[0] };

static void show_help(void) {
  for (uint32_t i = 0; i < kCommandCount; ++i) print("%s: %s", kCommands[i].name, kCommands[i].help);
}

static bool equal(const char* one, const char* other) {
  while (*one != '\0' && *one == *other) ++one, ++other;
  return *one == *other;
}

static void run_line(void) {
  while (length_ > 0 && line_[length_ - 1] == ' ') --length_;
  line_[length_] = '\0';
  uart_write("\r\n", 2);
  const char* name = line_;
  while (*name == ' ') ++name;
  uint32_t command = 0;
  while (command < kCommandCount && !equal(name, kCommands[command].name)) ++command;
  if (command < kCommandCount) {
    kCommands[command].show();
  } else if (*name != '\0') {
    print("no command '%s'; 'help' lists them", name);
  }
  length_ = 0;
  uart_write(kPrompt, sizeof kPrompt - 1);
}

static void erase(size_t characters) {
  for (; characters > 0 && length_ > 0; --characters, --length_) uart_write("\b \b", 3);
}

static void take(char character) {
  switch (character) {
    case '\r':
    case '\n':
      run_line();
      return;
    case kBackspace:
    case kDelete:
      erase(1);
      return;
    case kKillLine:
      erase(length_);
      return;
    case kInterrupt:
      length_ = 0;
      run_line();
      return;
    default:
      break;
  }
  if (character < ' ' || character > '~') return;
  if (length_ == kLineBytes - 1) {
    uart_write("\a", 1);
    return;
  }
  line_[length_++] = character;
  uart_write(&character, 1);
}

void console_init(const struct board* board) {
  const struct npu_boot_record* record = boot_record();
  board_ = board;
  open_ = record == NULL || record->debug_allowed != 0;
  length_ = 0;
  uart_enable_receive();
}

void console_serve(void) {
  int character;
  while ((character = uart_read()) >= 0) {
    if (open_) take((char)character);
  }
}
