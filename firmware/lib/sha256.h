// SPDX-License-Identifier: Apache-2.0
/* SHA-256 (FIPS 180-4). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_DIGEST_BYTES 32u
#define SHA256_BLOCK_BYTES 64u

struct sha256 {
  uint32_t state[8];
  uint64_t bytes; /* hashed so far */
  uint8_t block[SHA256_BLOCK_BYTES];
};

void sha256_init(struct sha256* hash);
void sha256_update(struct sha256* hash, const uint8_t* data, size_t bytes);
/* Ends the message; `hash` needs sha256_init before it is used again. */
void sha256_final(struct sha256* hash, uint8_t digest[SHA256_DIGEST_BYTES]);
