// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/trap.h"

#include "firmware/lib/aclint.h"
#include "firmware/lib/boot_trial.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mailbox.h"
#include "firmware/lib/system_controller.h"
#include "npu/registers/mailbox.h"

static_assert(sizeof(struct trap_frame) == 8 * 35, "trap_entry.S stores 35 double words");

/* Scratch register 0 holds kCrashMagic with the cause in the low byte; the others have no tag of their own. */
enum { kScratchCause, kScratchPc, kScratchValue, kScratchTimeMs };
static const uint32_t kCrashMagic = 0x43525300u;
/* Set in the low byte for an interrupt. */
static const uint64_t kInterruptMark = 0x80;
static const uint64_t kSoftwareInterrupt = 3;

static const char* cause_name(uint64_t cause) {
  /* RISC-V privileged 1.12, table 3.6. */
  static const char* const names[] = {
      "instruction address misaligned", "instruction access fault", "illegal instruction",  "breakpoint",
      "load address misaligned",        "load access fault",        "store misaligned",     "store access fault",
      "environment call from U-mode",   "environment call",         "environment call (2)", "environment call",
  };
  if (cause >> 63 || (cause & kInterruptMark)) {
    return (cause & ~kInterruptMark & 0xffu) == kSoftwareInterrupt ? "watchdog, the main loop hangs"
                                                                   : "unexpected interrupt";
  }
  return cause < sizeof(names) / sizeof(names[0]) ? names[cause] : "unknown cause";
}

static void dump(const struct trap_frame* frame) {
  static const char names[TRAP_REGISTERS][4] = {"ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0", "a1",
                                                "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5", "s6",
                                                "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
  for (unsigned i = 0; i + 2 < TRAP_REGISTERS; i += 3) {
    log_line("  %3s %016lx  %3s %016lx  %3s %016lx", names[i], (unsigned long)frame->x[i], names[i + 1],
             (unsigned long)frame->x[i + 1], names[i + 2], (unsigned long)frame->x[i + 2]);
  }
  log_line("  %3s %016lx", names[TRAP_REGISTERS - 1], (unsigned long)frame->x[TRAP_REGISTERS - 1]);
}

static void keep_record(const struct trap_frame* frame) {
  system_controller_set_scratch(kScratchPc, (uint32_t)frame->mepc);
  system_controller_set_scratch(kScratchValue, (uint32_t)frame->mtval);
  system_controller_set_scratch(kScratchTimeMs, (uint32_t)(aclint_time_ns() / ACLINT_NS_PER_MS));
  uint64_t mark = frame->mcause >> 63 ? kInterruptMark : 0;
  system_controller_set_scratch(kScratchCause, (uint32_t)(kCrashMagic | mark | (frame->mcause & 0x7fu)));
  /* The console takes milliseconds, in which no host shall take the card for ready. */
  if (boot_trial_running()) mailbox_set_card_state(MAILBOX_HOST_CARD_STATE_STATE_LOADING);
}

static void print(const struct trap_frame* frame) {
  log_line("TRAP %s: pc %lx value %lx cause %lx mstatus %lx", cause_name(frame->mcause), (unsigned long)frame->mepc,
           (unsigned long)frame->mtval, (unsigned long)frame->mcause, (unsigned long)frame->mstatus);
  dump(frame);
}

static void end(const struct trap_frame* frame) {
  (void)frame;
  if (boot_trial_running()) {
    log_line("on trial: the watchdog restarts the card");
    return;
  }
  mailbox_set_card_state(MAILBOX_HOST_CARD_STATE_STATE_FAULT);
  log_line("halted; reset the card to restart");
}

/* What is left to do. Both change before a step is taken, so that an exception in it is followed by the next one. */
static const struct trap_frame* frame_;
static volatile unsigned step_;
static volatile unsigned part_;

enum { kKeep, kPrint, kRecord, kEnd, kSteps };

static void go_on(void) {
  while (step_ < kSteps) {
    switch (step_) {
      case kKeep:
        ++step_;
        keep_record(frame_);
        break;
      case kPrint:
        ++step_;
        print(frame_);
        break;
      case kRecord:
        if (!trap_record(frame_, part_++)) ++step_;
        break;
      default:
        ++step_;
        end(frame_);
        break;
    }
  }
}

void trap_report(const struct trap_frame* frame) {
  frame_ = frame;
  step_ = kKeep;
  part_ = 0;
  go_on();
}

void trap_report_again(void) {
  go_on();
}

__attribute__((weak)) bool trap_record(const struct trap_frame* frame, unsigned part) {
  (void)frame;
  (void)part;
  return false;
}

uint32_t trap_last_cause(uint32_t none) {
  uint32_t cause = system_controller_scratch(kScratchCause);
  return (cause & ~0xffu) == kCrashMagic ? cause & 0xffu : none;
}

bool trap_report_last_crash(void) {
  uint32_t cause = system_controller_scratch(kScratchCause);
  if ((cause & ~0xffu) != kCrashMagic) return false;
  log_line("last run ended at %u ms by a trap: %s, pc %x value %x", system_controller_scratch(kScratchTimeMs),
           cause_name(cause & 0xffu), system_controller_scratch(kScratchPc), system_controller_scratch(kScratchValue));
  system_controller_set_scratch(kScratchCause, 0);
  return true;
}
