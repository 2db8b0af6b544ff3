// SPDX-License-Identifier: Apache-2.0
#include "firmware/rom/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "firmware/abi/memory_map.h"
#include "firmware/lib/crypto.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mmio.h"
#include "firmware/lib/otp.h"

static const uint32_t kPolicyBytes =
    offsetof(struct npu_boot_record, measurements) - offsetof(struct npu_boot_record, lifecycle);

/* What the next value of the chain is the hash of. */
struct link {
  uint8_t chain[32];
  uint8_t measurement[32];
};

static struct npu_boot_record* record(void) {
  return (struct npu_boot_record*)(void*)mmio_tcm(NPU_MAP_BOOT_RECORD);
}

void record_init(void) {
  struct npu_boot_record* fresh = record();
  memset(fresh, 0, sizeof(*fresh));
  fresh->magic = NPU_BOOT_RECORD_MAGIC;
  fresh->version = NPU_BOOT_RECORD_VERSION;
  fresh->lifecycle = otp_lifecycle();
  fresh->debug_allowed = otp_debug_allowed();
  fresh->rollback = otp_rollback();
  fresh->trial_end = NPU_BOOT_END_UNKNOWN;
}

void record_trial(const struct boot_trial* trial) {
  record()->trial = trial->state | trial->attempts << 8;
  record()->trial_end = trial->last_end;
}

void record_code(enum npu_boot_source source, enum npu_boot_code code) {
  if (source == NPU_BOOT_SOURCE_HOST) {
    record()->host_code = code;
  } else {
    record()->slot_code[source - NPU_BOOT_SOURCE_SLOT_A] = code;
  }
}

static bool extend(struct npu_boot_record* to, enum npu_measurement which, uint64_t address, uint32_t bytes) {
  static struct link link; /* static: the crypto block reads it */
  if (!crypto_hash(CRYPTO_SHA256, CRYPTO_FIRST | CRYPTO_LAST, address, bytes)) return false;
  crypto_digest(CRYPTO_SHA256, to->measurement[which]);
  memcpy(link.chain, to->chain, sizeof(link.chain));
  memcpy(link.measurement, to->measurement[which], sizeof(link.measurement));
  if (!crypto_hash(CRYPTO_SHA256, CRYPTO_FIRST | CRYPTO_LAST, dma_address(&link), sizeof(link))) return false;
  crypto_digest(CRYPTO_SHA256, to->chain);
  ++to->measurements;
  return true;
}

void record_boot(enum npu_boot_source source, const struct npu_image_header* header) {
  struct npu_boot_record* to = record();
  to->source = source;
  to->image_version = header->image_version;
  to->security_version = header->security_version;
  to->key_slot = header->key_slot;
  uint64_t policy = NPU_MAP_BOOT_RECORD + offsetof(struct npu_boot_record, lifecycle);
  bool measured = extend(to, NPU_MEASURE_ROM, NPU_MAP_ROM, NPU_MAP_ROM_BYTES) &&
                  extend(to, NPU_MEASURE_POLICY, policy, kPolicyBytes) &&
                  extend(to, NPU_MEASURE_HEADER, dma_address(header), sizeof(*header)) &&
                  extend(to, NPU_MEASURE_PAYLOAD, header->load_address, header->payload_bytes);
  if (!measured) log_line("boot record incomplete: the crypto block failed");
}
