// SPDX-License-Identifier: Apache-2.0
/*
 * The Task Manager runs command streams, one in each of its job slots, and interrupts (NPU_IRQ_TASK_MANAGER) when one
 * ends. After reset the jobs of every slot have the whole card, which keeps them one after the other.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TASK_MANAGER_MAX_SLOTS 8u

struct task_manager_job {
  uint64_t commands; /* card physical address, 128-byte aligned, in device memory */
  uint32_t command_bytes;
  uint32_t asid;          /* that its accesses carry */
  uint32_t address_space; /* of the device MMU that they go through; 0: not translated */
  uint32_t function;      /* PCIe function in whose name the job reaches the host */
  uint64_t segments;      /* card physical address of struct npu_segment[segment_count], in device memory */
  uint32_t segment_count;
};

/* How a job ended. */
struct task_manager_end {
  bool error;
  uint32_t fault; /* enum npu_fault; NPU_FAULT_NONE with `error`: aborted */
  uint32_t fault_command;
  uint64_t fault_address;
  uint64_t fault_position; /* NPU_DMA_POSITION of a DMA command */
  uint32_t cancelled;      /* commands that did not run because they depend on the failed one, or were stopped */
  uint32_t retired;
  uint64_t start_ns, end_ns;
};

/* A slot's part of the card. Jobs whose parts overlap run one after the other. */
struct task_manager_share {
  uint32_t engines;          /* bit n: Neural Engine n with its scratchpad */
  uint32_t first_engine;     /* what the job calls the lowest of them; the others follow it */
  uint32_t shared_base;      /* of its part of the shared memory, multiple of 64 KiB */
  uint32_t shared_bytes;     /* the same; 0: all from the base on */
  uint32_t group;            /* not 0: jobs of this group, ASID and function may overlap */
  uint32_t priority;         /* among jobs of its function: the larger one is served first */
  bool continue_after_fault; /* cancel only what depends on a failed command */
};

/* How many jobs it holds at a time, 1 to TASK_MANAGER_MAX_SLOTS. */
uint32_t task_manager_slots(void);

/* For the jobs that start in `slot` from now on. */
void task_manager_set_share(uint32_t slot, const struct task_manager_share* share);

/* Starts `job`, which was validated, in `slot`; false (nothing started) if a job still runs there. */
bool task_manager_start(uint32_t slot, const struct task_manager_job* job);

/* Dispatch nothing more of the slot's job, which ends later, when its running commands have finished. */
void task_manager_abort(uint32_t slot);

/* Commands of the slot's job that have finished. */
uint32_t task_manager_retired(uint32_t slot);

/* Changes the priority of the slot's job while it runs. */
void task_manager_set_priority(uint32_t slot, uint32_t priority);

/* Time for which the slot's job has stood still because other jobs had the engines it needed. */
uint64_t task_manager_blocked_ns(uint32_t slot);

/* The next job finds the memories on the card cleared, even if it is of the same function as the last one. */
void task_manager_clear_memories(void);

/* If the slot's job has ended: fills `end`, clears the slot's interrupt and returns true. */
bool task_manager_take_end(uint32_t slot, struct task_manager_end* end);
