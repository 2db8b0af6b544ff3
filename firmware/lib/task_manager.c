// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/task_manager.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/cpu.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/task_manager.h"

static uint64_t place(uint32_t slot, uint32_t offset) {
  return NPU_MAP_TASK_MANAGER + slot * TASK_MANAGER_MAP_BYTES + offset;
}
static uint32_t read_register(uint32_t slot, uint32_t offset) {
  return mmio_read32(place(slot, offset));
}
static uint64_t read_register64(uint32_t slot, uint32_t offset) {
  return mmio_read64(place(slot, offset));
}
static void write_register(uint32_t slot, uint32_t offset, uint32_t value) {
  mmio_write32(place(slot, offset), value);
}
static void write_register64(uint32_t slot, uint32_t offset, uint64_t value) {
  mmio_write64(place(slot, offset), value);
}

uint32_t task_manager_slots(void) {
  uint32_t slots = read_register(0, TASK_MANAGER_SLOTS);
  return slots < TASK_MANAGER_MAX_SLOTS ? slots : TASK_MANAGER_MAX_SLOTS;
}

void task_manager_set_share(uint32_t slot, const struct task_manager_share* share) {
  write_register(slot, TASK_MANAGER_ENGINES, share->engines);
  write_register(slot, TASK_MANAGER_FIRST_ENGINE, share->first_engine);
  write_register(slot, TASK_MANAGER_SHARED_BASE, share->shared_base);
  write_register(slot, TASK_MANAGER_SHARED_BYTES, share->shared_bytes);
  write_register(slot, TASK_MANAGER_GROUP, share->group);
  write_register(slot, TASK_MANAGER_PRIORITY, share->priority);
  write_register(slot, TASK_MANAGER_OPTIONS, share->continue_after_fault ? TASK_MANAGER_OPTIONS_CONTINUE_MASK : 0);
}

bool task_manager_start(uint32_t slot, const struct task_manager_job* job) {
  if (read_register(slot, TASK_MANAGER_STATUS) & TASK_MANAGER_STATUS_BUSY_MASK) return false;
  write_register(slot, TASK_MANAGER_STATUS, TASK_MANAGER_STATUS_DONE_MASK | TASK_MANAGER_STATUS_ERROR_MASK);
  write_register64(slot, TASK_MANAGER_COMMANDS, job->commands);
  write_register(slot, TASK_MANAGER_COMMAND_BYTES, job->command_bytes);
  write_register(slot, TASK_MANAGER_SEGMENT_COUNT, job->segment_count);
  write_register64(slot, TASK_MANAGER_SEGMENTS, job->segments);
  write_register(slot, TASK_MANAGER_CONTEXT, job->asid);
  write_register(slot, TASK_MANAGER_ADDRESS_SPACE, job->address_space);
  write_register(slot, TASK_MANAGER_FUNCTION, job->function);
  cpu_fence();
  write_register(slot, TASK_MANAGER_CONTROL, TASK_MANAGER_CONTROL_START_MASK);
  return true;
}

void task_manager_abort(uint32_t slot) {
  write_register(slot, TASK_MANAGER_CONTROL, TASK_MANAGER_CONTROL_ABORT_MASK);
}

uint32_t task_manager_retired(uint32_t slot) {
  return read_register(slot, TASK_MANAGER_RETIRED);
}

void task_manager_set_priority(uint32_t slot, uint32_t priority) {
  write_register(slot, TASK_MANAGER_PRIORITY, priority);
}

uint64_t task_manager_blocked_ns(uint32_t slot) {
  return read_register64(slot, TASK_MANAGER_BLOCKED_NS);
}

void task_manager_clear_memories(void) {
  write_register(0, TASK_MANAGER_CONTROL, TASK_MANAGER_CONTROL_CLEAR_MEMORIES_MASK);
}

bool task_manager_take_end(uint32_t slot, struct task_manager_end* end) {
  uint32_t status = read_register(slot, TASK_MANAGER_STATUS);
  if (!(status & TASK_MANAGER_STATUS_DONE_MASK)) return false;
  *end = (struct task_manager_end){
      .error = status & TASK_MANAGER_STATUS_ERROR_MASK,
      .retired = read_register(slot, TASK_MANAGER_RETIRED),
      .start_ns = read_register64(slot, TASK_MANAGER_START_NS),
      .end_ns = read_register64(slot, TASK_MANAGER_END_NS),
  };
  if (end->error) {
    end->fault = read_register(slot, TASK_MANAGER_FAULT_CODE);
    end->fault_command = read_register(slot, TASK_MANAGER_FAULT_COMMAND);
    end->fault_address = read_register64(slot, TASK_MANAGER_FAULT_ADDRESS);
    end->fault_position = read_register64(slot, TASK_MANAGER_FAULT_POSITION);
    end->cancelled = read_register(slot, TASK_MANAGER_CANCELLED);
  }
  write_register(slot, TASK_MANAGER_STATUS, TASK_MANAGER_STATUS_DONE_MASK | TASK_MANAGER_STATUS_ERROR_MASK);
  return true;
}
