// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/memory_faults.h"

#include <stddef.h>

#include "firmware/abi/memory_map.h"
#include "firmware/lib/cp_dma.h"
#include "firmware/lib/cpu.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/ecc.h"
#include "firmware/lib/log.h"

/* A bad word in a loop must not keep the firmware busy: after each report of corrected errors the next takes twice as
 * many. */
enum { kMostThreshold = 1 << 16 };

#ifdef NPU_FIRMWARE_NATIVE
/* A test's memory has no code of ours: half of it stands for that. */
static uint64_t writable_begin(void) {
  return NPU_MAP_TCM + NPU_MAP_TCM_BYTES / 2;
}
#else
extern char cp_rodata_end[]; /* cp.ld */
static uint64_t writable_begin(void) {
  return (uint64_t)cp_rodata_end;
}
#endif

static struct memory_fault_counts counts_;
static struct mmu_fault last_;
static uint32_t threshold_;

void memory_faults_init(void) {
  counts_ = (struct memory_fault_counts){0};
  threshold_ = 1;
  ecc_init();
  mmu_init();
}

static void report(const struct ecc_event* event) {
  const struct ecc_record* record = &event->record;
  char engine[] = {' ', '0', '\0'}; /* of a scratchpad */
  engine[1] = (char)('0' + event->source % NPU_ECC_SCRATCHPAD);
  log_line("ecc: %s%s%s: %u corrected, %u uncorrectable, last at %lx", event->uncorrected ? "UNCORRECTABLE " : "",
           ecc_source_name(event->source), event->source >= NPU_ECC_SCRATCHPAD ? engine : "", record->corrected,
           record->uncorrected,
           (unsigned long)(event->uncorrected ? record->last_uncorrected : record->last_corrected));
}

/* Writes the corrected word back, before a second error joins the first. Nobody writes to code and constants, and the
 * hart may not: there the DMA does it, a line at a time. Other memories are scrubbed by their own hardware, or written
 * by the next job. */
static void scrub_tcm(uint64_t address) {
  static _Alignas(NPU_CP_DMA_ALIGNMENT) struct npu_cp_dma_descriptor line;
  if (address < NPU_MAP_TCM || address - NPU_MAP_TCM >= NPU_MAP_TCM_BYTES) return;
  if (address >= writable_begin()) {
    cpu_rewrite(address & ~7ull);
    return;
  }
  uint64_t begin = address & ~(uint64_t)(NPU_CP_DMA_ALIGNMENT - 1);
  line = (struct npu_cp_dma_descriptor){.source = begin, .destination = begin, .bytes = NPU_CP_DMA_ALIGNMENT};
  if (!cp_dma_start(dma_address(&line)) || !cp_dma_finish()) log_line("ecc: %lx not scrubbed", (unsigned long)address);
}

static void act(const struct ecc_event* event) {
  if (event->source != NPU_ECC_TCM) return;
  if (event->uncorrected) {
    /* A DMA engine has met it. What the firmware holds is not what it has stored: it must not go on. */
    log_line("ecc: the firmware's own memory is lost at %lx", (unsigned long)event->record.last_uncorrected);
    cpu_trap();
    return;
  }
  scrub_tcm(event->record.first_corrected);
  if (event->record.last_corrected != event->record.first_corrected) scrub_tcm(event->record.last_corrected);
}

void memory_faults_serve_ecc(void) {
  struct ecc_event event;
  /* Each source at most twice, so that one that never rests keeps the firmware from nothing else. */
  for (unsigned left = 2 * NPU_ECC_SOURCES; left > 0 && ecc_take_event(&event); --left) {
    report(&event);
    act(&event);
    ++*(event.uncorrected ? &counts_.uncorrected : &counts_.corrected);
    if (event.uncorrected || threshold_ == kMostThreshold) continue;
    threshold_ *= 2;
    ecc_set_threshold(threshold_);
  }
}

void memory_faults_serve_mmu(void) {
  struct mmu_fault fault;
  for (unsigned left = NPU_MMU_FAULTS; left > 0 && mmu_take_fault(&fault); --left) {
    ++counts_.translation;
    last_ = fault;
    log_line("mmu: %s channel %u, context %u of function %u: %s of %lx in address space %u: %s",
             mmu_initiator_name(fault.initiator), fault.engine, fault.context, fault.function,
             fault.write ? "write" : "read", (unsigned long)fault.address, fault.asid, mmu_reason_name(fault.reason));
  }
  if (mmu_take_overflow()) log_line("mmu: more faults than could be recorded");
}

const struct memory_fault_counts* memory_faults_counts(void) {
  return &counts_;
}

const struct mmu_fault* memory_faults_last_translation(void) {
  return counts_.translation != 0 ? &last_ : NULL;
}
