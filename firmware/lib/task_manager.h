// SPDX-License-Identifier: Apache-2.0
/* The Task Manager runs one command stream at a time and interrupts (NPU_IRQ_TASK_MANAGER) at its end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct task_manager_job {
  uint64_t commands; /* card physical address, 128-byte aligned, in device memory */
  uint32_t command_bytes;
  uint32_t context;
  uint32_t function; /* PCIe function in whose name the job reaches the host */
  uint64_t segments; /* card physical address of struct npu_segment[segment_count], in device memory */
  uint32_t segment_count;
};

/* How a job ended. */
struct task_manager_end {
  bool error;
  uint32_t fault; /* enum npu_fault; NPU_FAULT_NONE with `error`: aborted */
  uint32_t fault_command;
  uint64_t fault_address;
  uint32_t retired;
  uint64_t start_ns, end_ns;
};

/* Starts `job`, which was validated; false (nothing started) if a job still runs. */
bool task_manager_start(const struct task_manager_job* job);

/* Dispatch nothing more. The job ends later, when its running commands have finished. */
void task_manager_abort(void);

/* The next job finds the memories on the card cleared, even if it is of the same function as the last one. */
void task_manager_clear_memories(void);

/* If the job has ended: fills `end`, clears the interrupt and returns true. */
bool task_manager_take_end(struct task_manager_end* end);
