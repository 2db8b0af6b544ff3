// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/crypto.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/cpu.h"
#include "firmware/lib/mmio.h"
#include "firmware/lib/plic.h"
#include "npu/registers/crypto.h"

/* Longer than any operation firmware starts. */
static const uint64_t kTimeoutNs = 100 * ACLINT_NS_PER_MS;

static uint32_t status(void) {
  return mmio_read32(NPU_MAP_CRYPTO + CRYPTO_STATUS);
}

static void write_register(uint32_t offset, uint32_t value) {
  mmio_write32(NPU_MAP_CRYPTO + offset, value);
}

/* Last status; BUSY still set: it did not end in time. */
static uint32_t wait_idle(void) {
  uint64_t deadline = aclint_time_ns() + kTimeoutNs;
  uint32_t last;
  while ((last = status()) & CRYPTO_STATUS_BUSY_MASK) {
    if (aclint_time_ns() >= deadline) break;
    aclint_set_deadline(deadline);
    cpu_wait_for_interrupt();
  }
  return last;
}

static uint32_t run(uint32_t command) {
  uint32_t enabled = plic_enabled();
  plic_enable(PLIC_SOURCE(NPU_IRQ_CRYPTO));
  write_register(CRYPTO_IRQ_ENABLE, CRYPTO_IRQ_ENABLE_DONE_MASK);
  write_register(CRYPTO_COMMAND, command);
  cpu_fence();
  write_register(CRYPTO_CONTROL, CRYPTO_CONTROL_START_MASK);
  uint32_t result = wait_idle();
  write_register(CRYPTO_STATUS, CRYPTO_STATUS_DONE_MASK);
  cpu_fence();
  uint32_t claimed = plic_claim(); /* the PLIC latched the request */
  if (claimed != 0) plic_complete(claimed);
  plic_enable(enabled);
  return result;
}

static bool succeeded(uint32_t result) {
  return (result & (CRYPTO_STATUS_BUSY_MASK | CRYPTO_STATUS_ERROR_MASK)) == 0;
}

bool crypto_hash(enum crypto_hash hash, uint32_t parts, uint64_t source, uint32_t bytes) {
  uint32_t command = hash == CRYPTO_SHA256 ? CRYPTO_COMMAND_OPERATION_SHA256 : CRYPTO_COMMAND_OPERATION_SHA384;
  if (parts & CRYPTO_FIRST) command |= CRYPTO_COMMAND_FIRST_MASK;
  if (parts & CRYPTO_LAST) command |= CRYPTO_COMMAND_LAST_MASK;
  mmio_write64(NPU_MAP_CRYPTO + CRYPTO_SOURCE, source);
  write_register(CRYPTO_BYTES, bytes);
  return succeeded(run(command));
}

static uint32_t scalar_bytes(enum crypto_hash hash) {
  return hash == CRYPTO_SHA256 ? CRYPTO_SHA256_BYTES : CRYPTO_SHA384_BYTES;
}

void crypto_digest(enum crypto_hash hash, uint8_t* digest) {
  for (uint32_t i = 0; i < scalar_bytes(hash); ++i) {
    digest[i] = (uint8_t)(mmio_read32(NPU_MAP_CRYPTO + CRYPTO_DIGEST(i / 4)) >> (i % 4 * 8));
  }
}

static void put_bytes(uint32_t offset, const uint8_t* bytes, uint32_t count) {
  for (uint32_t i = 0; i < count; i += 4) {
    write_register(offset + i, (uint32_t)bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16 |
                                   (uint32_t)bytes[i + 3] << 24);
  }
}

enum crypto_verdict crypto_verify(enum crypto_hash hash, const uint8_t* point, const uint8_t* signature) {
  put_bytes(CRYPTO_PUBLIC_KEY(0), point, 2 * scalar_bytes(hash));
  put_bytes(CRYPTO_SIGNATURE(0), signature, 2 * scalar_bytes(hash));
  uint32_t result =
      run(hash == CRYPTO_SHA256 ? CRYPTO_COMMAND_OPERATION_VERIFY_P256 : CRYPTO_COMMAND_OPERATION_VERIFY_P384);
  if (!succeeded(result)) return CRYPTO_FAILED;
  return result & CRYPTO_STATUS_PASSED_MASK ? CRYPTO_VALID : CRYPTO_INVALID;
}
