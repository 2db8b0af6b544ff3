// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/pmp.h"

#include "firmware/abi/memory_map.h"

/* Fields of a configuration byte, RISC-V privileged 1.12, figure 3.31. */
enum { kRead = 1, kWrite = 2, kExecute = 4, kTor = 1 << 3, kNapot = 3 << 3, kLocked = 1 << 7 };

enum { kPageBytes = 4096 };

/* Defined by cp.ld. */
extern char cp_text_start[], cp_text_end[], cp_rodata_end[], cp_stack_guard[];

#define WRITE_CSR(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"((uint64_t)(value)))

/* The entry with the lowest number that matches decides. Entry 1 is only the base of entry 2; 3 starts where 2 ends. */
void pmp_protect(void) {
  WRITE_CSR(pmpaddr0, pmp_napot(NPU_MAP_ROM, NPU_MAP_ROM_BYTES));
  WRITE_CSR(pmpaddr1, (uint64_t)cp_text_start >> 2);
  WRITE_CSR(pmpaddr2, (uint64_t)cp_text_end >> 2);
  WRITE_CSR(pmpaddr3, (uint64_t)cp_rodata_end >> 2);
  WRITE_CSR(pmpaddr4, pmp_napot((uint64_t)cp_stack_guard, kPageBytes));
  WRITE_CSR(pmpaddr5, UINT64_MAX >> 10); /* NAPOT of the whole 56-bit address space */
  const uint64_t configuration[] = {
      kLocked | kNapot,                  /* ROM, null pointers: nothing */
      kLocked,                           /* off */
      kLocked | kTor | kRead | kExecute, /* code */
      kLocked | kTor | kRead,            /* constants */
      kLocked | kNapot,                  /* stack guard: nothing */
      kLocked | kNapot | kRead | kWrite, /* everything else: no code */
  };
  WRITE_CSR(pmpcfg0, configuration[0] | configuration[1] << 8 | configuration[2] << 16 | configuration[3] << 24 |
                         configuration[4] << 32 | configuration[5] << 40);
}
