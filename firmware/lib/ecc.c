// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/ecc.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/ecc.h"

static uint32_t read_register(uint32_t offset) {
  return mmio_read32(NPU_MAP_ECC + offset);
}
static uint64_t read_register64(uint32_t offset) {
  return mmio_read64(NPU_MAP_ECC + offset);
}
static void write_register(uint32_t offset, uint32_t value) {
  mmio_write32(NPU_MAP_ECC + offset, value);
}

void ecc_init(void) {
  uint32_t all = read_register(ECC_SOURCES);
  ecc_set_threshold(1);
  write_register(ECC_CLEAR, all);
  write_register(ECC_CORRECTED_PENDING, all);
  write_register(ECC_UNCORRECTED_PENDING, all);
  write_register(ECC_IRQ_ENABLE, ECC_IRQ_ENABLE_CORRECTED_MASK | ECC_IRQ_ENABLE_UNCORRECTED_MASK);
}

void ecc_set_threshold(uint32_t errors) {
  write_register(ECC_THRESHOLD, errors);
}

struct ecc_record ecc_read(uint32_t source) {
  return (struct ecc_record){
      .corrected = read_register(ECC_CORRECTED(source)),
      .uncorrected = read_register(ECC_UNCORRECTED(source)),
      .first_corrected = read_register64(ECC_FIRST_CORRECTED(source)),
      .last_corrected = read_register64(ECC_LAST_CORRECTED(source)),
      .first_uncorrected = read_register64(ECC_FIRST_UNCORRECTED(source)),
      .last_uncorrected = read_register64(ECC_LAST_UNCORRECTED(source)),
  };
}

bool ecc_take_event(struct ecc_event* event) {
  uint32_t uncorrected = read_register(ECC_UNCORRECTED_PENDING);
  uint32_t pending = uncorrected != 0 ? uncorrected : read_register(ECC_CORRECTED_PENDING);
  for (uint32_t source = 0; source < NPU_ECC_SOURCES; ++source) {
    if (!(pending >> source & 1u)) continue;
    write_register(uncorrected != 0 ? ECC_UNCORRECTED_PENDING : ECC_CORRECTED_PENDING, 1u << source);
    *event = (struct ecc_event){.source = source, .uncorrected = uncorrected != 0, .record = ecc_read(source)};
    return true;
  }
  return false;
}

void ecc_inject(uint64_t address, uint32_t bit, uint32_t second) {
  mmio_write64(NPU_MAP_ECC + ECC_INJECT_ADDRESS, address);
  uint32_t flips = bit << ECC_INJECT_BIT0_SHIFT;
  if (second != ECC_NO_BIT) flips |= ECC_INJECT_DOUBLE_MASK | second << ECC_INJECT_BIT1_SHIFT;
  write_register(ECC_INJECT, flips);
}

const char* ecc_source_name(uint32_t source) {
  if (source == NPU_ECC_DRAM) return "DRAM";
  if (source == NPU_ECC_TCM) return "TCM";
  if (source == NPU_ECC_SHARED) return "shared memory";
  if (source >= NPU_ECC_SCRATCHPAD && source < NPU_ECC_SOURCES) return "scratchpad";
  return "unknown memory";
}
