// SPDX-License-Identifier: Apache-2.0
/*
 * The true random number generator. The block tests its samples by itself, as NIST SP 800-90B (4.4.1, 4.4.2) asks; the
 * driver gives nothing out after a failure, and makes sure that words do not repeat on the way to it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Longer than the start-up test takes, and a word after it. */
#define TRNG_TIMEOUT_NS 1000000ull

/* Switches the source on: its start-up test runs. Forgets an earlier failure. */
void trng_start(void);
void trng_stop(void);

enum trng_result {
  TRNG_OK = 0,
  TRNG_UNHEALTHY = 1, /* a health test has failed: the source is broken, or was for a moment */
  TRNG_TIMED_OUT = 2, /* no word within TRNG_TIMEOUT_NS */
};

/* Reads `words` random words, waiting for each. Anything but TRNG_OK: `out` holds zeros. */
enum trng_result trng_read(uint32_t* out, uint32_t words);
