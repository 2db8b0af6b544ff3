// SPDX-License-Identifier: Apache-2.0
#include "tests/firmware/fake_card.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdio>
#include <cstdlib>

#include "npu/registers/aclint.h"
#include "npu/registers/aperture.h"
#include "npu/registers/dma.h"
#include "npu/registers/ecc.h"
#include "npu/registers/mailbox.h"
#include "npu/registers/mmu.h"
#include "npu/registers/ne.h"
#include "npu/registers/plic.h"
#include "npu/registers/system_controller.h"
#include "npu/registers/task_manager.h"
#include "npu/registers/uart.h"
#include "tests/firmware/fake_access.h"

namespace npuvp::firmware_test {
namespace {

constexpr uint64_t kAccessNs = 10;
constexpr uint64_t kMailboxBytes = 17 * NPU_MAP_BLOCK_BYTES;

FakeCard* current_card = nullptr;

uint32_t function_of(uint64_t mailbox_address) {
  return static_cast<uint32_t>((mailbox_address - NPU_MAP_MAILBOX) / NPU_MAP_BLOCK_BYTES);
}

constexpr uint64_t kMostDramBytes = 1ull << 36;

bool is_memory(uint64_t address) {
  return inside(address, NPU_MAP_TCM, NPU_MAP_TCM_BYTES) || inside(address, NPU_MAP_DRAM, kMostDramBytes);
}

bool is_error_register(uint64_t address) {
  return inside(address, NPU_MAP_ECC, NPU_MAP_BLOCK_BYTES) || inside(address, NPU_MAP_MMU, NPU_MAP_BLOCK_BYTES);
}

/// A register about the commands of an engine: NE_STATUS, NE_COMMAND, NE_CONTROL and their like in DMA channels.
struct EngineRegister {
  npu_command_kind kind;
  uint32_t number;
  bool command = false;
  bool reset = false;
};

std::optional<EngineRegister> engine_register(uint64_t address, uint32_t value = 0) {
  const auto offset = static_cast<uint32_t>(address & 0xfff);
  const auto block = address - offset;
  if (block >= NPU_MAP_NEURAL_ENGINE && block < NPU_MAP_NEURAL_ENGINE + 8 * NPU_MAP_NEURAL_ENGINE_STRIDE) {
    const auto number = static_cast<uint32_t>((block - NPU_MAP_NEURAL_ENGINE) / NPU_MAP_NEURAL_ENGINE_STRIDE);
    if (offset == NE_STATUS) return EngineRegister{NPU_COMMAND_NEURAL_ENGINE, number};
    if (offset == NE_COMMAND) return EngineRegister{NPU_COMMAND_NEURAL_ENGINE, number, true};
    if (offset == NE_CONTROL && value == 1) return EngineRegister{NPU_COMMAND_NEURAL_ENGINE, number, false, true};
    return std::nullopt;
  }
  static const std::map<uint64_t, npu_command_kind> kBlocks{{NPU_MAP_NEURAL_DMA, NPU_COMMAND_NEURAL_DMA},
                                                            {NPU_MAP_TASK_DMA, NPU_COMMAND_TASK_DMA},
                                                            {NPU_MAP_EXTERNAL_HDMA, NPU_COMMAND_EXTERNAL_HDMA},
                                                            {NPU_MAP_DEVICE_HDMA, NPU_COMMAND_DEVICE_HDMA}};
  const auto found = kBlocks.find(block);
  if (found == kBlocks.end()) return std::nullopt;
  if (offset == DMA_CHANNEL_RESET && std::has_single_bit(value)) {
    return EngineRegister{found->second, static_cast<uint32_t>(std::countr_zero(value)), false, true};
  }
  if (offset < DMA_CHANNEL_STATUS(0) || offset >= DMA_CHANNEL_STATUS(32)) return std::nullopt;
  const uint32_t channel = offset - DMA_CHANNEL_STATUS(0);
  return EngineRegister{found->second, channel / 8, channel % 8 != 0};
}

bool is_wide_task_manager_input(uint32_t offset) {
  return offset == TASK_MANAGER_COMMANDS || offset == TASK_MANAGER_SEGMENTS;
}

bool is_wide_task_manager_output(uint32_t offset) {
  return offset == TASK_MANAGER_FAULT_ADDRESS || offset == TASK_MANAGER_FAULT_POSITION ||
         offset == TASK_MANAGER_BLOCKED_NS || offset == TASK_MANAGER_START_NS || offset == TASK_MANAGER_END_NS;
}

}  // namespace

FakeCard::FakeCard() {
  if (current_card != nullptr) std::abort();
  current_card = this;
}

FakeCard::~FakeCard() {
  current_card = nullptr;
}

FakeCard& FakeCard::current() {
  if (current_card == nullptr) std::abort();
  return *current_card;
}

uint64_t FakeCard::read(uint64_t address, unsigned size_bytes) {
  ++accesses;
  advance_ns(kAccessNs);
  auto offset = static_cast<uint32_t>(address & 0xfff);
  bool wide = size_bytes == 8;
  if (address == NPU_MAP_ACLINT + ACLINT_MTIME && wide) return now_ns;
  if (FakeSecurity::covers(address)) {
    if (const auto value = security.read(address, size_bytes)) return *value;
  }
  if (is_error_register(address)) return error_registers[address];
  if (inside(address, NPU_MAP_UART, NPU_MAP_BLOCK_BYTES) && size_bytes == 1) return read_uart(offset);
  if (management.handles(address)) return management.read(address);
  if (is_memory(address)) return access_memory(address, size_bytes, 0, false);
  if (const auto engine = engine_register(address); engine && size_bytes == 4 && !engine->reset) {
    return read_engine(engine->kind, engine->number, engine->command);
  }
  if (inside(address, NPU_MAP_EXTERNAL_HDMA, NPU_MAP_BLOCK_BYTES)) {
    if (wide == (offset == DMA_ERROR_ADDRESS)) return read_dma(offset);
  } else if (inside(address, NPU_MAP_TASK_MANAGER, NPU_MAP_BLOCK_BYTES)) {
    const uint32_t of_slot = offset % TASK_MANAGER_MAP_BYTES;
    if (wide == is_wide_task_manager_output(of_slot)) {
      return read_task_manager(offset / TASK_MANAGER_MAP_BYTES, of_slot);
    }
  } else if (size_bytes == 4) {
    if (inside(address, NPU_MAP_PLIC, NPU_MAP_PLIC_BYTES))
      return read_plic(static_cast<uint32_t>(address - NPU_MAP_PLIC));
    if (inside(address, NPU_MAP_MAILBOX, kMailboxBytes)) return read_mailbox(function_of(address), offset);
    if (inside(address, NPU_MAP_SYSTEM_CONTROLLER, NPU_MAP_BLOCK_BYTES)) return read_system_controller(offset);
  }
  fail_access("unexpected read", address);
  return 0;
}

void FakeCard::write(uint64_t address, unsigned size_bytes, uint64_t value) {
  ++accesses;
  advance_ns(kAccessNs);
  auto offset = static_cast<uint32_t>(address & 0xfff);
  auto narrow = static_cast<uint32_t>(value);
  bool wide = size_bytes == 8;
  if (address == NPU_MAP_ACLINT + ACLINT_MTIMECMP(0) && wide) {
    timer_compare_ = value;
  } else if (is_error_register(address)) {
    write_error_register(address, value);
  } else if (inside(address, NPU_MAP_UART, NPU_MAP_BLOCK_BYTES) && size_bytes == 1) {
    write_uart(offset, static_cast<uint8_t>(value));
  } else if (management.handles(address)) {
    management.write(address, value);
  } else if (is_memory(address)) {
    access_memory(address, size_bytes, value, true);
  } else if (const auto engine = engine_register(address, narrow); engine && size_bytes == 4 && engine->reset) {
    reset_engine(engine->kind, engine->number);
  } else if (inside(address, NPU_MAP_EXTERNAL_HDMA, NPU_MAP_BLOCK_BYTES) &&
             wide == (offset == DMA_SOURCE || offset == DMA_DESTINATION)) {
    write_dma(offset, value);
  } else if (inside(address, NPU_MAP_TASK_MANAGER, NPU_MAP_BLOCK_BYTES) &&
             wide == is_wide_task_manager_input(offset % TASK_MANAGER_MAP_BYTES)) {
    write_task_manager(offset / TASK_MANAGER_MAP_BYTES, offset % TASK_MANAGER_MAP_BYTES, value);
  } else if (inside(address, NPU_MAP_PLIC, NPU_MAP_PLIC_BYTES) && size_bytes == 4) {
    write_plic(static_cast<uint32_t>(address - NPU_MAP_PLIC), narrow);
  } else if (inside(address, NPU_MAP_MAILBOX, kMailboxBytes) && size_bytes == 4) {
    write_mailbox(function_of(address), offset, narrow);
  } else if (inside(address, NPU_MAP_APERTURE, NPU_MAP_BLOCK_BYTES) && wide) {
    write_aperture(offset, value);
  } else if (inside(address, NPU_MAP_SYSTEM_CONTROLLER + SYSTEM_CONTROLLER_SCRATCH(0), 16) && size_bytes == 4) {
    scratch[(offset - SYSTEM_CONTROLLER_SCRATCH(0)) / 4] = narrow;
  } else if (!FakeSecurity::covers(address) || !security.write(address, size_bytes, value)) {
    fail_access("unexpected write", address, value);
  }
  update();
}

void FakeCard::write_error_register(uint64_t address, uint64_t value) {
  auto& stored = error_registers[address];
  if (address == NPU_MAP_ECC + ECC_CORRECTED_PENDING || address == NPU_MAP_ECC + ECC_UNCORRECTED_PENDING) {
    stored &= ~value;
  } else if (address == NPU_MAP_ECC + ECC_INIT) {
    EXPECT_NE(error_registers[NPU_MAP_ECC + ECC_CHECK] & value, 0u) << "without its code it would be of no use";
  } else if (address == NPU_MAP_MMU + MMU_FAULT_POP) {
    auto& count = error_registers[NPU_MAP_MMU + MMU_FAULT_STATUS];
    if ((count & MMU_FAULT_STATUS_COUNT_MASK) != 0) --count;
  } else if (address == NPU_MAP_MMU + MMU_FAULT_STATUS) {
    stored &= ~(value & MMU_FAULT_STATUS_OVERFLOW_MASK);
  } else {
    stored = value;
  }
}

void FakeCard::wait_for_interrupt() {
  if (external_pending() || timer_pending()) return;
  uint64_t next = next_event_ns();
  if (next == UINT64_MAX) {
    std::fprintf(stderr, "WFI that nothing wakes up; console:\n%s", console.c_str());
    std::abort();
  }
  advance_ns(next - now_ns);
}

void FakeCard::advance_ns(uint64_t ns) {
  now_ns += ns;
  if (now_ns >= dma_end_ns_) finish_dma();
  for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
    if (now_ns >= slots_[slot].end_ns) end_job({}, slot);
  }
  update();
}

uint64_t FakeCard::access_memory(uint64_t address, unsigned size_bytes, uint64_t value, bool write) {
  std::array<uint8_t, 8> bytes{};
  std::memcpy(bytes.data(), &value, sizeof(value));
  const std::span<uint8_t> data(bytes.data(), size_bytes);
  if (inside(address, NPU_MAP_DRAM, kMostDramBytes)) {
    dram.map(address - NPU_MAP_DRAM, size_bytes);
    (void)(write ? dram.write(address - NPU_MAP_DRAM, data) : dram.read(address - NPU_MAP_DRAM, data));
  } else {
    (void)(write ? copy_out(0, address, data) : copy_in(0, address, data));
  }
  if (write) return value;
  value = 0;
  std::memcpy(&value, bytes.data(), size_bytes);
  return value;
}

uint64_t FakeCard::read_uart(uint32_t offset) {
  const bool divisor = (uart_lcr_ & UART_LCR_DLAB_MASK) != 0;
  if (offset == UART_LSR) {
    return (uart_stuck ? 0 : UART_LSR_THRE_MASK | UART_LSR_TEMT_MASK) | (typed_.empty() ? 0 : UART_LSR_DR_MASK);
  }
  if (offset == UART_RBR_THR_DLL && !divisor && !typed_.empty()) {
    const char character = typed_.front();
    typed_.pop_front();
    update();
    return static_cast<uint8_t>(character);
  }
  fail_access("unexpected UART read", offset);
  return 0;
}

void FakeCard::write_uart(uint32_t offset, uint8_t value) {
  if (offset == UART_LCR) uart_lcr_ = value;
  bool divisor = (uart_lcr_ & UART_LCR_DLAB_MASK) != 0;
  if (offset == UART_IER_DLM && !divisor) uart_interrupts_ = (value & UART_IER_DLM_ERBFI_MASK) != 0;
  if (offset == UART_RBR_THR_DLL && !divisor) console += static_cast<char>(value);
}

void FakeCard::set_level(uint32_t source, bool level) {
  uint32_t bit = 1u << source;
  level_ = level ? level_ | bit : level_ & ~bit;
}

/// Lines, and the gateways: a request is latched until it is claimed, and again only after its completion.
void FakeCard::update() {
  bool message = false, doorbell = false;
  bool ready = card_state >= MAILBOX_HOST_CARD_STATE_STATE_READY;
  for (uint32_t function = 0; function < (ready ? banks_.size() : 1); ++function) {
    message |= banks_[function].message_pending || banks_[function].reset_pending;
    doorbell |= banks_[function].doorbells != 0;
  }
  set_level(NPU_IRQ_MAILBOX, message);
  set_level(NPU_IRQ_TIMER, management.timer_line());
  set_level(NPU_IRQ_SENSORS, management.sensors_line());
  set_level(NPU_IRQ_DOORBELL, doorbell);
  set_level(NPU_IRQ_UART, uart_interrupts_ && !typed_.empty());
  set_level(NPU_IRQ_TASK_MANAGER,
            std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return (slot.status & kDone) != 0; }));
  set_level(NPU_IRQ_EXTERNAL_HDMA, (dma_status_ & kDone) != 0 && (dma_[DMA_IRQ_ENABLE] & 1) != 0);
  auto& errors = error_registers;
  set_level(NPU_IRQ_ECC,
            (errors[NPU_MAP_ECC + ECC_CORRECTED_PENDING] | errors[NPU_MAP_ECC + ECC_UNCORRECTED_PENDING]) != 0);
  set_level(NPU_IRQ_MMU, (errors[NPU_MAP_MMU + MMU_FAULT_STATUS] & MMU_FAULT_STATUS_COUNT_MASK) != 0);
  pending_ |= level_ & ~claimed_;
  if (security.crypto_interrupt() && !(claimed_ >> NPU_IRQ_CRYPTO & 1)) pending_ |= 1u << NPU_IRQ_CRYPTO;
}

uint64_t FakeCard::read_plic(uint32_t offset) {
  if (offset == PLIC_ENABLE(0)) return plic_enable_;
  if (offset != PLIC_CLAIM(0)) {
    fail_access("unexpected PLIC read", offset);
    return 0;
  }
  for (uint32_t source = 1; source < 32; ++source) {
    if (!((pending_ & plic_enable_) >> source & 1) || priority_[source] == 0) continue;
    pending_ &= ~(1u << source);
    claimed_ |= 1u << source;
    return source;
  }
  return 0;
}

void FakeCard::write_plic(uint32_t offset, uint32_t value) {
  if (offset >= PLIC_PRIORITY(1) && offset <= PLIC_PRIORITY(31)) {
    priority_[offset / 4] = value;
  } else if (offset == PLIC_ENABLE(0)) {
    plic_enable_ = value & ~1u;
  } else if (offset == PLIC_CLAIM(0) && value < 32 && (claimed_ >> value & 1)) {
    claimed_ &= ~(1u << value);
  } else if (offset != PLIC_THRESHOLD(0) || value != 0) {
    fail_access("unexpected PLIC write", offset, value);
  }
}

uint64_t FakeCard::read_system_controller(uint32_t offset) const {
  switch (offset) {
    case SYSTEM_CONTROLLER_NEURAL_ENGINES:
      return 8;
    case SYSTEM_CONTROLLER_DRAM_MIB:
      return dram_mib;
    case SYSTEM_CONTROLLER_SHARED_BYTES:
      return 32u << 20;
    case SYSTEM_CONTROLLER_SCRATCHPAD_BYTES:
      return 4u << 20;
    case SYSTEM_CONTROLLER_CP_MHZ:
      return 1000;
    case SYSTEM_CONTROLLER_CARD:
      return 3;
    case SYSTEM_CONTROLLER_RESET_CAUSE:
      return SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_HOST;
    default:
      break;
  }
  if (inside(offset, SYSTEM_CONTROLLER_SCRATCH(0), 16)) return scratch[(offset - SYSTEM_CONTROLLER_SCRATCH(0)) / 4];
  fail_access("unexpected system controller read", offset);
  return 0;
}

bool FakeCard::copy_in(uint64_t function, uint64_t address, std::span<uint8_t> out) {
  if (address & NPU_MAP_HOST) return host_of(function).read(address & ~NPU_MAP_HOST, out);
  if (inside(address, NPU_MAP_DRAM, uint64_t{dram_mib} << 20)) return dram.read(address - NPU_MAP_DRAM, out);
  if (inside(address, NPU_MAP_TCM, NPU_MAP_TCM_BYTES)) {
    std::memcpy(out.data(), tcm.data() + (address - NPU_MAP_TCM), out.size());
    return true;
  }
  if (!addresses_may_be_pointers) return false;
  std::memcpy(out.data(), reinterpret_cast<const void*>(address), out.size());
  return true;
}

bool FakeCard::engine_read(uint64_t address, std::span<uint8_t> out) {
  if (inside(address, NPU_MAP_ROM, NPU_MAP_ROM_BYTES)) {
    std::fill(out.begin(), out.end(), uint8_t{0});
    return true;
  }
  return copy_in(0, address, out);
}

bool FakeCard::copy_out(uint64_t function, uint64_t address, std::span<const uint8_t> in) {
  if (address & NPU_MAP_HOST) return host_of(function).write(address & ~NPU_MAP_HOST, in);
  if (inside(address, NPU_MAP_DRAM, uint64_t{dram_mib} << 20)) {
    dram.map(address - NPU_MAP_DRAM, in.size());
    return dram.write(address - NPU_MAP_DRAM, in);
  }
  if (inside(address, NPU_MAP_TCM, NPU_MAP_TCM_BYTES)) {
    if (in.size() > NPU_MAP_TCM_BYTES - (address - NPU_MAP_TCM)) return false;
    std::memcpy(tcm.data() + (address - NPU_MAP_TCM), in.data(), in.size());
    return true;
  }
  if (!addresses_may_be_pointers) return false;
  std::memcpy(reinterpret_cast<void*>(address), in.data(), in.size());
  return true;
}

bool FakeCard::fill(uint64_t address, uint64_t bytes) {
  if (fill_fails || !inside(address, NPU_MAP_DRAM, uint64_t{dram_mib} << 20)) return false;
  fills.push_back({address, bytes});
  dram.clear(address - NPU_MAP_DRAM, bytes);
  return true;
}

}  // namespace npuvp::firmware_test
