// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/flash.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/cpu.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/flash.h"

/* JEDEC commands. */
enum { kPageProgram = 0x02, kRead = 0x03, kReadStatus = 0x05, kWriteEnable = 0x06, kErase4K = 0x20, kReadId = 0x9f };
enum { kStatusWriting = 1, kNoFlash = 0xff };

static const uint64_t kPollNs = 50 * ACLINT_NS_PER_US;

static void write_register(uint32_t offset, uint32_t value) {
  mmio_write32(NPU_MAP_FLASH + offset, value);
}

/* The controller holds the next access until the transfer has ended. */
static void send(uint32_t opcode, uint32_t flags, uint32_t bytes) {
  write_register(FLASH_COMMAND, opcode | flags | bytes << FLASH_COMMAND_BYTES_SHIFT);
  write_register(FLASH_CONTROL, FLASH_CONTROL_START_MASK);
}

static uint32_t data_word(uint32_t index) {
  return mmio_read32(NPU_MAP_FLASH + FLASH_DATA(index));
}

bool flash_present(void) {
  send(kReadId, 0, 3);
  uint32_t capacity = data_word(0) >> 16 & 0xffu; /* log2 of its bytes */
  return capacity < 32 && 1u << capacity >= NPU_FLASH_LEAST_BYTES;
}

static void read_piece(uint32_t address, uint8_t* data, uint32_t bytes) {
  write_register(FLASH_ADDRESS, address);
  send(kRead, FLASH_COMMAND_ADDRESSED_MASK, bytes);
  uint32_t word = 0;
  for (uint32_t i = 0; i < bytes; ++i) {
    if (i % 4 == 0) word = data_word(i / 4);
    data[i] = (uint8_t)(word >> (i % 4 * 8));
  }
}

void flash_read(uint32_t address, void* data, uint32_t bytes) {
  uint8_t* out = data;
  while (bytes > 0) {
    uint32_t piece = bytes < NPU_FLASH_PAGE_BYTES ? bytes : NPU_FLASH_PAGE_BYTES;
    read_piece(address, out, piece);
    address += piece;
    out += piece;
    bytes -= piece;
  }
}

void flash_start_erase(uint32_t sector_address) {
  send(kWriteEnable, 0, 0);
  write_register(FLASH_ADDRESS, sector_address);
  send(kErase4K, FLASH_COMMAND_ADDRESSED_MASK, 0);
}

void flash_start_program(uint32_t address, const void* data, uint32_t bytes) {
  const uint8_t* in = data;
  send(kWriteEnable, 0, 0);
  for (uint32_t i = 0; i < bytes; i += 4) {
    uint32_t word = 0;
    for (uint32_t j = 0; j < 4 && i + j < bytes; ++j) word |= (uint32_t)in[i + j] << (j * 8);
    write_register(FLASH_DATA(i / 4), word);
  }
  write_register(FLASH_ADDRESS, address);
  send(kPageProgram, FLASH_COMMAND_ADDRESSED_MASK | FLASH_COMMAND_WRITES_MASK, bytes);
}

static uint32_t flash_status(void) {
  send(kReadStatus, 0, 1);
  return data_word(0) & 0xffu;
}

bool flash_busy(void) {
  return flash_status() & kStatusWriting;
}

bool flash_settle(uint64_t deadline_ns) {
  uint32_t status;
  while ((status = flash_status()) & kStatusWriting) {
    /* A flash that writes has not all of its protection bits set: none answers. */
    if (status == kNoFlash || aclint_time_ns() >= deadline_ns) return false;
  }
  return true;
}

static bool wait_ready(void) {
  uint64_t deadline = aclint_time_ns() + FLASH_TIMEOUT_NS;
  while (flash_busy()) {
    uint64_t now = aclint_time_ns();
    if (now >= deadline) return false;
    aclint_set_deadline(now + kPollNs);
    cpu_wait_for_interrupt();
  }
  return true;
}

bool flash_erase(uint32_t sector_address) {
  flash_start_erase(sector_address);
  return wait_ready();
}

bool flash_program(uint32_t address, const void* data, uint32_t bytes) {
  flash_start_program(address, data, bytes);
  return wait_ready();
}
