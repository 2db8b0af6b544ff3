// SPDX-License-Identifier: Apache-2.0
// firmware/lib/mmio.h and cpu.h on the development machine: everything goes to the fake card.
#include "tests/firmware/fake_card.h"

extern "C" {
#include "firmware/lib/cpu.h"
#include "firmware/lib/mmio.h"
}

using npuvp::firmware_test::FakeCard;

uint8_t mmio_read8(uint64_t address) {
  return static_cast<uint8_t>(FakeCard::current().read(address, 1));
}
uint32_t mmio_read32(uint64_t address) {
  return static_cast<uint32_t>(FakeCard::current().read(address, 4));
}
uint64_t mmio_read64(uint64_t address) {
  return FakeCard::current().read(address, 8);
}
void mmio_write8(uint64_t address, uint8_t value) {
  FakeCard::current().write(address, 1, value);
}
void mmio_write32(uint64_t address, uint32_t value) {
  FakeCard::current().write(address, 4, value);
}
void mmio_write64(uint64_t address, uint64_t value) {
  FakeCard::current().write(address, 8, value);
}

uint8_t* mmio_tcm(uint64_t address) {
  return FakeCard::current().tcm.data() + (address - NPU_MAP_TCM);
}

void cpu_wait_for_interrupt() {
  FakeCard::current().wait_for_interrupt();
}
void cpu_fence() {}
void cpu_take_watchdog() {}
void cpu_rewrite(uint64_t address) {
  FakeCard::current().rewritten.push_back(address);
}
void cpu_trap() {
  ++FakeCard::current().traps;
}
