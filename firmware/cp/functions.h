// SPDX-License-Identifier: Apache-2.0
/*
 * The PCIe functions that share the card, 0 the physical one, n virtual function n, and what each has of it. At the
 * start all of the DRAM for jobs belongs to the physical function; PARTITION divides it. Memory is cleared before its
 * owner may be another one: while that goes on, the function's window (BAR2) is closed and its messages wait.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/memory_map.h"
#include "firmware/lib/system_controller.h"

#define FUNCTIONS_MAX (1u + NPU_MAX_VFS)

/* DRAM that a function's jobs may use; nothing if `bytes` is 0. */
struct share {
  uint64_t base; /* card physical address */
  uint64_t bytes;
};

/* The physical function has everything; its window is open. */
void functions_init(const struct board* board);

/*
 * Divides the DRAM for jobs: `vfs` (at most NPU_MAX_VFS) equal parts of whole 2 MiB at its end, what is left at its
 * start for the physical function. Starts clearing all of it. False, with nothing changed, if a part would be empty.
 */
bool functions_partition(uint32_t vfs);

/* Virtual function `function` was reset: starts clearing what it had. */
void function_reset(uint32_t function);

const struct share* function_share(uint32_t function);
uint32_t function_queues(uint32_t function);
uint32_t function_vectors(uint32_t function);

/* Whether the function's share, or that of any function, is being cleared. */
bool function_clearing(uint32_t function);
bool functions_clearing(void);

/* Clears a piece, of each function in turn; false if there is nothing to clear. Nothing may write those shares any
 * more. */
bool functions_serve_clearing(void);

/*
 * Clears the first piece of [*base, *base + *bytes) of the function's share, which becomes what is left. False if it
 * cannot be written; the console says so.
 */
bool function_clear_piece(uint32_t function, uint64_t* base, uint64_t* bytes);

/*
 * A console line about what the host did through `function`, named in front unless it is the physical one. A function
 * that makes mistakes faster than kLogLineNs gets only some of them printed, and the number of the others.
 */
__attribute__((format(printf, 2, 3))) void function_log(uint32_t function, const char* format, ...);
