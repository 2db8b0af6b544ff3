// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/image_authority.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "firmware/lib/dma.h"
#include "firmware/lib/otp.h"

static struct image_verdict refuse(enum npu_boot_code code, const char* reason) {
  return (struct image_verdict){code, reason};
}

static bool all_zero(const uint8_t* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

enum crypto_hash image_hash(const struct npu_image_header* header) {
  return header->key.type == NPU_KEY_TYPE_P384 ? CRYPTO_SHA384 : CRYPTO_SHA256;
}

static uint32_t digest_bytes(const struct npu_image_header* header) {
  return image_hash(header) == CRYPTO_SHA384 ? CRYPTO_SHA384_BYTES : CRYPTO_SHA256_BYTES;
}

/* The key in the header is the one whose hash the fuses hold. */
static struct image_verdict check_key(const struct npu_image_header* header) {
  uint32_t known[NPU_OTP_KEY_HASH_WORDS];
  uint8_t hash[CRYPTO_SHA256_BYTES];
  if (header->key.type != NPU_KEY_TYPE_P256 && header->key.type != NPU_KEY_TYPE_P384) {
    return refuse(NPU_BOOT_BAD_KEY, "unknown kind of key");
  }
  if (header->key_slot >= NPU_OTP_KEY_SLOTS || !otp_key_hash(header->key_slot, known)) {
    return refuse(NPU_BOOT_BAD_KEY, "the card has no key in that slot");
  }
  uint64_t key = dma_address(&header->key);
  if (!crypto_hash(CRYPTO_SHA256, CRYPTO_FIRST | CRYPTO_LAST, key, sizeof(header->key))) {
    return refuse(NPU_BOOT_CRYPTO_ERROR, "the key could not be hashed");
  }
  crypto_digest(CRYPTO_SHA256, hash);
  if (memcmp(hash, known, sizeof(hash)) != 0) return refuse(NPU_BOOT_BAD_KEY, "not the key of that slot");
  if (otp_key_revoked(header->key_slot)) return refuse(NPU_BOOT_KEY_REVOKED, "its key is revoked");
  return refuse(NPU_BOOT_NONE, NULL);
}

static struct image_verdict check_signature(const struct npu_image_header* header) {
  uint32_t used = 2 * digest_bytes(header);
  if (!all_zero(header->signature + used, sizeof(header->signature) - used)) {
    return refuse(NPU_BOOT_BAD_SIGNATURE, "bytes behind the signature are not zero");
  }
  uint64_t signed_part = dma_address(header);
  if (!crypto_hash(image_hash(header), CRYPTO_FIRST | CRYPTO_LAST, signed_part, NPU_IMAGE_SIGNED_BYTES)) {
    return refuse(NPU_BOOT_CRYPTO_ERROR, "the header could not be hashed");
  }
  switch (crypto_verify(image_hash(header), header->key.point, header->signature)) {
    case CRYPTO_VALID:
      return refuse(NPU_BOOT_NONE, NULL);
    case CRYPTO_INVALID:
      return refuse(NPU_BOOT_BAD_SIGNATURE, "the signature is not valid");
    default:
      return refuse(NPU_BOOT_CRYPTO_ERROR, "the signature could not be checked");
  }
}

struct image_verdict image_check_authority(const struct npu_image_header* header) {
  struct image_verdict verdict = check_key(header);
  if (verdict.code == NPU_BOOT_NONE) verdict = check_signature(header);
  if (verdict.code != NPU_BOOT_NONE) return verdict;
  if (header->security_version < otp_rollback()) {
    return refuse(NPU_BOOT_ROLLED_BACK, "its security version is below the rollback counter");
  }
  if ((header->flags & NPU_IMAGE_FLAG_DEBUG) && !otp_debug_allowed()) {
    return refuse(NPU_BOOT_DEBUG_LOCKED, "a debug image, and debug access is closed");
  }
  return verdict;
}

struct image_verdict image_check_digest(const struct npu_image_header* header) {
  uint8_t digest[NPU_IMAGE_DIGEST_BYTES];
  crypto_digest(image_hash(header), digest);
  if (memcmp(digest, header->payload_digest, digest_bytes(header)) != 0) {
    return refuse(NPU_BOOT_BAD_DIGEST, "the payload is not the one that was signed");
  }
  return refuse(NPU_BOOT_NONE, NULL);
}
