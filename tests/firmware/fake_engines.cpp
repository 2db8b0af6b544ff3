// SPDX-License-Identifier: Apache-2.0
// What works for jobs in the fake card: the firmware's DMA channel, engines, the Task Manager.
#include "npu/registers/dma.h"
#include "npu/registers/task_manager.h"
#include "tests/firmware/fake_access.h"
#include "tests/firmware/fake_card.h"

namespace npuvp::firmware_test {

uint64_t FakeCard::read_dma(uint32_t offset) const {
  if (offset == DMA_STATUS) return dma_status_;
  if (offset == DMA_ERROR_ADDRESS) return dma_.at(DMA_SOURCE);
  fail_access("unexpected DMA read", offset);
  return 0;
}

void FakeCard::write_dma(uint32_t offset, uint64_t value) {
  if (offset == DMA_STATUS) {
    dma_status_ &= ~static_cast<uint32_t>(value) | kBusy;
  } else if (offset == DMA_CONTROL) {
    start_dma(static_cast<uint32_t>(value));
  } else {
    dma_[offset] = value;
  }
}

void FakeCard::start_dma(uint32_t control) {
  if (dma_status_ & kBusy) {
    fail_access("DMA START while BUSY", DMA_CONTROL);
    return;
  }
  dma_fills_ = control == DMA_CONTROL_FILL_MASK;
  dma_status_ |= kBusy;
  dma_end_ns_ = dma_stuck ? UINT64_MAX : now_ns + dma_duration_ns;
}

void FakeCard::finish_dma() {
  dma_end_ns_ = UINT64_MAX;
  bool done = false;
  if (dma_fills_) {
    done = fill(dma_[DMA_DESTINATION], dma_[DMA_BYTES]);
  } else {
    std::vector<uint8_t> data(dma_[DMA_BYTES]);
    done = copy_in(dma_[DMA_FUNCTION], dma_[DMA_SOURCE], data) &&
           copy_out(dma_[DMA_FUNCTION], dma_[DMA_DESTINATION], data);
  }
  dma_status_ = done ? kDone : kDone | kError;
  ++dma_copies;
  if (after_dma) after_dma(dma_copies);
}

uint32_t FakeCard::read_engine(npu_command_kind kind, uint32_t engine, bool command) const {
  for (const BusyEngine& each : busy_engines) {
    if (each.kind == kind && each.engine == engine) return command ? each.command : each.asid << 16 | 1;
  }
  return 0;
}

void FakeCard::reset_engine(npu_command_kind kind, uint32_t engine) {
  for (auto each = busy_engines.begin(); each != busy_engines.end(); ++each) {
    if (each->kind != kind || each->engine != engine) continue;
    const BusyEngine was = *each;
    reset_engines.push_back(was);
    if (!was.reset_frees) return;
    busy_engines.erase(each);
    for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (!slots_[slot].running || slots_[slot].registers[TASK_MANAGER_CONTEXT] != was.asid) continue;
      end_job({.error = true, .fault = NPU_FAULT_BUS, .fault_command = was.command, .retired = retired}, slot);
    }
    return;
  }
}

uint64_t FakeCard::job_end_ns() const {
  uint64_t first = UINT64_MAX;
  for (const Slot& slot : slots_) first = std::min(first, slot.end_ns);
  return first;
}

uint64_t FakeCard::read_task_manager(uint32_t number, uint32_t offset) const {
  if (number >= slots_.size()) {
    fail_access("no such Task Manager slot", number);
    return 0;
  }
  const Slot& slot = slots_[number];
  if (offset == TASK_MANAGER_SLOTS) return slots_.size();
  if (offset == TASK_MANAGER_STATUS) return slot.status;
  if (offset == TASK_MANAGER_RETIRED && slot.running) return retired;
  auto found = slot.registers.find(offset);
  return found == slot.registers.end() ? 0 : found->second;
}

void FakeCard::write_task_manager(uint32_t number, uint32_t offset, uint64_t value) {
  if (number >= slots_.size()) {
    fail_access("no such Task Manager slot", number);
    return;
  }
  Slot& slot = slots_[number];
  if (offset == TASK_MANAGER_STATUS) {
    slot.status &= ~static_cast<uint32_t>(value) | kBusy;
  } else if (offset == TASK_MANAGER_CONTROL && value == TASK_MANAGER_CONTROL_START_MASK) {
    start_job(number);
  } else if (offset == TASK_MANAGER_CONTROL && value == TASK_MANAGER_CONTROL_ABORT_MASK) {
    ++aborts;
    if (slot.running && task_manager_obeys_abort) end_job({.error = true}, number);
  } else if (offset == TASK_MANAGER_CONTROL && value == TASK_MANAGER_CONTROL_CLEAR_MEMORIES_MASK) {
    clear_memories_ = true;
  } else {
    slot.registers[offset] = value;
  }
}

/// Jobs that run together overlap nowhere in the on-chip memories, and no two have one ASID.
void FakeCard::expect_alone(uint32_t number) {
  const auto value = [](Slot& slot, uint32_t offset) { return slot.registers[offset]; };
  Slot& slot = slots_[number];
  const uint64_t base = value(slot, TASK_MANAGER_SHARED_BASE), bytes = value(slot, TASK_MANAGER_SHARED_BYTES);
  for (Slot& other : slots_) {
    if (&other == &slot || !other.running) continue;
    EXPECT_NE(value(other, TASK_MANAGER_CONTEXT), value(slot, TASK_MANAGER_CONTEXT));
    EXPECT_EQ(value(other, TASK_MANAGER_ENGINES) & value(slot, TASK_MANAGER_ENGINES), 0u);
    const uint64_t others = value(other, TASK_MANAGER_SHARED_BASE);
    EXPECT_TRUE(base + bytes <= others || others + value(other, TASK_MANAGER_SHARED_BYTES) <= base);
  }
}

void FakeCard::start_job(uint32_t number) {
  Slot& slot = slots_[number];
  if (slot.status & kBusy) {
    fail_access("Task Manager START while BUSY", TASK_MANAGER_CONTROL);
    return;
  }
  StartedJob job;
  job.slot = number;
  job.commands.resize(slot.registers[TASK_MANAGER_COMMAND_BYTES]);
  job.segments.resize(slot.registers[TASK_MANAGER_SEGMENT_COUNT]);
  job.asid = static_cast<uint32_t>(slot.registers[TASK_MANAGER_CONTEXT]);
  job.address_space = static_cast<uint32_t>(slot.registers[TASK_MANAGER_ADDRESS_SPACE]);
  job.function = static_cast<uint32_t>(slot.registers[TASK_MANAGER_FUNCTION]);
  job.engines = static_cast<uint32_t>(slot.registers[TASK_MANAGER_ENGINES]);
  job.first_engine = static_cast<uint32_t>(slot.registers[TASK_MANAGER_FIRST_ENGINE]);
  job.shared = {slot.registers[TASK_MANAGER_SHARED_BASE], slot.registers[TASK_MANAGER_SHARED_BYTES]};
  job.priority = static_cast<uint32_t>(slot.registers[TASK_MANAGER_PRIORITY]);
  job.memories_cleared = clear_memories_;
  clear_memories_ = false;
  std::span<uint8_t> table(reinterpret_cast<uint8_t*>(job.segments.data()), job.segments.size() * sizeof(npu_segment));
  if (!copy_in(0, slot.registers[TASK_MANAGER_COMMANDS], job.commands) ||
      !copy_in(0, slot.registers[TASK_MANAGER_SEGMENTS], table)) {
    fail_access("Task Manager cannot read", slot.registers[TASK_MANAGER_COMMANDS]);
  }
  started_jobs.push_back(job);
  expect_alone(number);
  slot.registers[TASK_MANAGER_START_NS] = now_ns;
  slot.registers[TASK_MANAGER_BLOCKED_NS] = 0;
  slot.status = kBusy;
  slot.running = true;
  retired = 0;
  if (task_manager_duration_ns != UINT64_MAX) slot.end_ns = now_ns + task_manager_duration_ns;
}

void FakeCard::end_job(const JobEnd& end, uint32_t number) {
  Slot& slot = slots_.at(number);
  slot.running = false;
  slot.end_ns = UINT64_MAX;
  slot.status = end.error ? kDone | kError : kDone;
  slot.registers[TASK_MANAGER_FAULT_CODE] = end.fault;
  slot.registers[TASK_MANAGER_FAULT_COMMAND] = end.fault_command;
  slot.registers[TASK_MANAGER_FAULT_ADDRESS] = end.fault_address;
  slot.registers[TASK_MANAGER_FAULT_POSITION] = end.fault_position;
  slot.registers[TASK_MANAGER_RETIRED] = end.retired;
  slot.registers[TASK_MANAGER_CANCELLED] = end.cancelled;
  slot.registers[TASK_MANAGER_END_NS] = now_ns;
  update();
}

void FakeCard::set_blocked_ns(uint64_t ns, uint32_t slot) {
  slots_.at(slot).registers[TASK_MANAGER_BLOCKED_NS] = ns;
}

uint32_t FakeCard::priority(uint32_t slot) const {
  return static_cast<uint32_t>(slots_.at(slot).registers.at(TASK_MANAGER_PRIORITY));
}

}  // namespace npuvp::firmware_test
