// SPDX-License-Identifier: Apache-2.0
/* The pattern of npu_secret_test, which npu_attack_test looks for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Each 8-byte word begins with this and is different. */
#define SECRET_MARK UINT64_C(0x5ec2e7)
#define SECRET_SHIFT 40

static inline uint64_t secret_word(uint64_t seed, uint64_t offset) {
  return SECRET_MARK << SECRET_SHIFT | (seed & 0xff) << 32 | (offset / 8 & 0xffffffffu);
}

static inline void secret_fill(unsigned char* bytes, uint64_t seed, uint64_t offset, uint64_t size) {
  for (uint64_t i = 0; i < size; i += 8) {
    uint64_t word = secret_word(seed, offset + i);
    memcpy(bytes + i, &word, sizeof(word));
  }
}

static inline bool secret_is(const unsigned char* bytes, uint64_t seed, uint64_t offset, uint64_t size) {
  for (uint64_t i = 0; i < size; i += 8) {
    uint64_t word = secret_word(seed, offset + i);
    if (memcmp(bytes + i, &word, sizeof(word)) != 0) return false;
  }
  return true;
}

/* Is a word of anybody's secret in there, at a multiple of 8? */
static inline bool secret_in(const void* bytes, uint64_t size) {
  for (uint64_t i = 0; i + 8 <= size; i += 8) {
    uint64_t word;
    memcpy(&word, (const unsigned char*)bytes + i, sizeof(word));
    if (word >> SECRET_SHIFT == SECRET_MARK) return true;
  }
  return false;
}
