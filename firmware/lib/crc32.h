// SPDX-License-Identifier: Apache-2.0
/* CRC-32 of IEEE 802.3 (3.2.9): reflected, polynomial 0x04c11db7; of "123456789" it is 0xcbf43926. */
#pragma once

#include <stdint.h>

/* Goes on from `crc`, 0 at the begin, with `bytes` more bytes. */
uint32_t crc32(uint32_t crc, const void* data, uint32_t bytes);
