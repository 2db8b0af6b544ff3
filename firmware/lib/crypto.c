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

static void get_bytes(uint32_t offset, uint8_t* bytes, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    bytes[i] = (uint8_t)(mmio_read32(NPU_MAP_CRYPTO + offset + i / 4 * 4) >> (i % 4 * 8));
  }
}

void crypto_digest(enum crypto_hash hash, uint8_t* digest) {
  get_bytes(CRYPTO_DIGEST(0), digest, scalar_bytes(hash));
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

static uint32_t run_gcm(uint32_t operation, const struct crypto_gcm* message) {
  static const uint8_t zeros[32];
  put_bytes(CRYPTO_KEY(0), message->key, message->key_bytes);
  put_bytes(CRYPTO_IV(0), message->iv, CRYPTO_GCM_IV_BYTES);
  mmio_write64(NPU_MAP_CRYPTO + CRYPTO_AAD, message->aad);
  write_register(CRYPTO_AAD_BYTES, message->aad_bytes);
  mmio_write64(NPU_MAP_CRYPTO + CRYPTO_SOURCE, message->source);
  mmio_write64(NPU_MAP_CRYPTO + CRYPTO_DESTINATION, message->destination);
  write_register(CRYPTO_BYTES, message->bytes);
  uint32_t result = run(operation | (message->key_bytes == 32 ? CRYPTO_COMMAND_KEY_256_MASK : 0));
  put_bytes(CRYPTO_KEY(0), zeros, sizeof(zeros));
  return result;
}

static bool gcm_allowed(const struct crypto_gcm* message) {
  return (message->key_bytes == 16 || message->key_bytes == 32) && message->bytes <= CRYPTO_GCM_MOST_BYTES &&
         message->aad_bytes <= CRYPTO_GCM_MOST_AAD_BYTES;
}

bool crypto_gcm_encrypt(const struct crypto_gcm* message, uint8_t tag[CRYPTO_GCM_TAG_BYTES]) {
  if (!gcm_allowed(message) || !succeeded(run_gcm(CRYPTO_COMMAND_OPERATION_GCM_ENCRYPT, message))) return false;
  get_bytes(CRYPTO_TAG(0), tag, CRYPTO_GCM_TAG_BYTES);
  return true;
}

enum crypto_verdict crypto_gcm_decrypt(const struct crypto_gcm* message, const uint8_t tag[CRYPTO_GCM_TAG_BYTES]) {
  if (!gcm_allowed(message)) return CRYPTO_FAILED;
  put_bytes(CRYPTO_TAG(0), tag, CRYPTO_GCM_TAG_BYTES);
  uint32_t result = run_gcm(CRYPTO_COMMAND_OPERATION_GCM_DECRYPT, message);
  if (!succeeded(result)) return CRYPTO_FAILED;
  return result & CRYPTO_STATUS_PASSED_MASK ? CRYPTO_VALID : CRYPTO_INVALID;
}
