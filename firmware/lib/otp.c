// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/otp.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/otp.h"

/* Longer than all fuses of a word take. */
static const uint64_t kTimeoutNs = 10 * ACLINT_NS_PER_MS;

static uint32_t read_register(uint32_t offset) {
  return mmio_read32(NPU_MAP_OTP + offset);
}

static void write_register(uint32_t offset, uint32_t value) {
  mmio_write32(NPU_MAP_OTP + offset, value);
}

uint32_t otp_word(uint32_t index) {
  return read_register(OTP_FUSE(index));
}

enum npu_lifecycle otp_lifecycle(void) {
  return (enum npu_lifecycle)((read_register(OTP_LIFECYCLE) & OTP_LIFECYCLE_STATE_MASK) >> OTP_LIFECYCLE_STATE_SHIFT);
}

bool otp_debug_allowed(void) {
  return read_register(OTP_LIFECYCLE) & OTP_LIFECYCLE_DEBUG_ALLOWED_MASK;
}

uint32_t otp_rollback(void) {
  return read_register(OTP_ROLLBACK);
}

bool otp_key_revoked(uint32_t slot) {
  return otp_word(NPU_OTP_KEY_REVOKED) >> slot & 1u;
}

bool otp_key_hash(uint32_t slot, uint32_t hash[NPU_OTP_KEY_HASH_WORDS]) {
  uint32_t any = 0;
  for (uint32_t i = 0; i < NPU_OTP_KEY_HASH_WORDS; ++i) any |= hash[i] = otp_word(NPU_OTP_KEY_HASH(slot) + i);
  return any != 0;
}

void otp_lock(uint32_t regions) {
  write_register(OTP_LOCK, regions);
}

bool otp_program(uint32_t word, uint32_t bits) {
  write_register(OTP_STATUS, OTP_STATUS_DONE_MASK);
  write_register(OTP_WORD, word);
  write_register(OTP_BITS, bits);
  write_register(OTP_CONTROL, OTP_CONTROL_PROGRAM_MASK | (uint32_t)OTP_CONTROL_KEY_PROGRAM << OTP_CONTROL_KEY_SHIFT);
  uint64_t deadline = aclint_time_ns() + kTimeoutNs;
  uint32_t status;
  while ((status = read_register(OTP_STATUS)) & OTP_STATUS_BUSY_MASK) {
    if (aclint_time_ns() >= deadline) return false;
  }
  return (status & OTP_STATUS_ERROR_MASK) == 0 && (otp_word(word) & bits) == bits;
}

bool otp_raise_rollback(uint32_t version) {
  if (version > NPU_OTP_ROLLBACK_MOST) return false;
  for (uint32_t word = 0; word < NPU_OTP_ROLLBACK_WORDS && version > word * 32; ++word) {
    uint32_t count = version - word * 32;
    uint32_t bits = count >= 32 ? UINT32_MAX : (1u << count) - 1u;
    uint32_t missing = bits & ~otp_word(NPU_OTP_ROLLBACK + word);
    if (missing != 0 && !otp_program(NPU_OTP_ROLLBACK + word, missing)) return false;
  }
  return otp_rollback() >= version;
}
