// SPDX-License-Identifier: Apache-2.0
/*
 * The only way firmware touches the card outside its own variables. On the card these are single loads and stores; in
 * tests on the development machine (NPU_FIRMWARE_NATIVE) a fake card implements them, so every driver runs unchanged.
 */
#pragma once

#include <stdint.h>

#ifdef NPU_FIRMWARE_NATIVE

uint8_t mmio_read8(uint64_t address);
uint32_t mmio_read32(uint64_t address);
uint64_t mmio_read64(uint64_t address);
void mmio_write8(uint64_t address, uint8_t value);
void mmio_write32(uint64_t address, uint32_t value);
void mmio_write64(uint64_t address, uint64_t value);

/* The memory at card physical address `address` in the TCM, for plain accesses. The caller has checked the range. */
uint8_t* mmio_tcm(uint64_t address);

#else

static inline uint8_t mmio_read8(uint64_t address) {
  return *(volatile uint8_t*)(uintptr_t)address;
}
static inline uint32_t mmio_read32(uint64_t address) {
  return *(volatile uint32_t*)(uintptr_t)address;
}
static inline uint64_t mmio_read64(uint64_t address) {
  return *(volatile uint64_t*)(uintptr_t)address;
}
static inline void mmio_write8(uint64_t address, uint8_t value) {
  *(volatile uint8_t*)(uintptr_t)address = value;
}
static inline void mmio_write32(uint64_t address, uint32_t value) {
  *(volatile uint32_t*)(uintptr_t)address = value;
}
static inline void mmio_write64(uint64_t address, uint64_t value) {
  *(volatile uint64_t*)(uintptr_t)address = value;
}

static inline uint8_t* mmio_tcm(uint64_t address) {
  return (uint8_t*)(uintptr_t)address;
}

#endif
