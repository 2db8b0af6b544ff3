// SPDX-License-Identifier: Apache-2.0
/*
 * The crypto block: hashes of card memory, checks of signatures, authenticated encryption. The hart sleeps meanwhile
 * with only the block's interrupt enabled; uses the alarm of aclint.h: arm your own afterwards.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CRYPTO_SHA256_BYTES 32u
#define CRYPTO_SHA384_BYTES 48u

enum crypto_hash { CRYPTO_SHA256, CRYPTO_SHA384 };

/* Which part of a message a piece is; a whole message is both. */
#define CRYPTO_FIRST 1u
#define CRYPTO_LAST 2u

/*
 * Hashes the next piece of a message, `bytes` at card physical address `source` (TCM, DRAM, ROM). The digest stays in
 * the block after the last one. False: memory or block failed.
 */
bool crypto_hash(enum crypto_hash hash, uint32_t parts, uint64_t source, uint32_t bytes);

/* Reads the digest that the last message left: 32 or 48 bytes. */
void crypto_digest(enum crypto_hash hash, uint8_t* digest);

enum crypto_verdict { CRYPTO_VALID, CRYPTO_INVALID, CRYPTO_FAILED };

/*
 * Whether `signature` (r, s) by the key `point` (X, Y) belongs to the digest in the block: P-256 after SHA-256, P-384
 * after SHA-384. Both byte strings as in struct npu_image_header.
 */
enum crypto_verdict crypto_verify(enum crypto_hash hash, const uint8_t* point, const uint8_t* signature);

#define CRYPTO_GCM_TAG_BYTES 16u
#define CRYPTO_GCM_IV_BYTES 12u
#define CRYPTO_GCM_MOST_BYTES 0x1000000u
#define CRYPTO_GCM_MOST_AAD_BYTES 4096u

/*
 * A message for AES-GCM (NIST SP 800-38D). An `iv` is used once with a key. Data are at card physical addresses (TCM,
 * DRAM); source and destination may be the same.
 */
struct crypto_gcm {
  const uint8_t* key;
  uint32_t key_bytes; /* 16 or 32 */
  const uint8_t* iv;  /* CRYPTO_GCM_IV_BYTES */
  uint64_t aad;       /* authenticated, not encrypted */
  uint32_t aad_bytes; /* at most CRYPTO_GCM_MOST_AAD_BYTES */
  uint64_t source;
  uint64_t destination;
  uint32_t bytes; /* at most CRYPTO_GCM_MOST_BYTES */
};

/* Neither leaves the key in the block. False, and CRYPTO_FAILED: sizes not allowed, memory or block failed. */
bool crypto_gcm_encrypt(const struct crypto_gcm* message, uint8_t tag[CRYPTO_GCM_TAG_BYTES]);
/* CRYPTO_INVALID: the tag is wrong, nothing was written to the destination. */
enum crypto_verdict crypto_gcm_decrypt(const struct crypto_gcm* message, const uint8_t tag[CRYPTO_GCM_TAG_BYTES]);
