// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/crc32.h"

static const uint32_t kReflected = 0xedb88320u;

uint32_t crc32(uint32_t crc, const void* data, uint32_t bytes) {
  const uint8_t* in = data;
  crc = ~crc;
  for (uint32_t i = 0; i < bytes; ++i) {
    crc ^= in[i];
    for (unsigned bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (kReflected & (0u - (crc & 1u)));
  }
  return ~crc;
}
