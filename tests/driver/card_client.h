// SPDX-License-Identifier: Apache-2.0
/*
 * What the test programs of the guest need of a card beyond single ioctls: buffers, copy commands, jobs. Functions
 * print what failed, with the name of the program and of the card, and end the program with exit status 2, unless they
 * say otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "driver/uapi/npu_accel.h"
#include "firmware/abi/command.h"
#include "firmware/abi/queue.h"

extern const char* program_name; /* set by main() */

struct card {
  const char* path;
  int fd;
  uint32_t context;
};

struct card_buffer {
  uint32_t handle;
  uint64_t size;
  unsigned char* bytes; /* NULL for DEVICE and imported buffers */
};

__attribute__((noreturn, format(printf, 2, 3))) void card_fail(const struct card* card, const char* format, ...);

/* Opens the device file and creates a context. */
struct card card_open(const char* path);
void card_close(struct card* card);
/* Was it taken from the system since it was opened? */
bool card_removed(const struct card* card);

struct card_buffer card_host_buffer(const struct card* card, uint64_t size);
/* flags: DRM_NPU_BO_* */
struct card_buffer card_device_buffer(const struct card* card, uint64_t size, uint32_t flags);
/* A buffer of `owner`, made with DRM_NPU_BO_PEER, for jobs of `card`. */
struct card_buffer card_import(const struct card* card, const struct card* owner, const struct card_buffer* buffer);
void card_free(const struct card* card, struct card_buffer* buffer);

/* External HDMA, engine 0 host to card, 1 card to host. Waits for token `after` and signals `signal`, or
 * NPU_TOKEN_NONE. */
struct npu_command card_copy(unsigned int engine, uint64_t source, uint64_t destination, uint32_t bytes, uint16_t after,
                             uint16_t signal);

struct card_job {
  const struct card_buffer* buffers[NPU_MAX_SEGMENTS]; /* the segments; all writable but the commands */
  uint32_t buffer_count;
  uint32_t command_segment;
  uint64_t command_offset;
  uint32_t command_count;
};

/* Return: 0 and `number`, or an errno. Repeats what a signal interrupted. */
int card_submit(const struct card* card, const struct card_job* job, uint64_t* number);
/* Return: 0 and `result`, or an errno. Repeats what a signal interrupted. */
int card_wait(const struct card* card, uint64_t number, int64_t timeout_ns, struct drm_npu_wait* result);
/* Waits, and fails unless the job is OK. */
struct drm_npu_wait card_result(const struct card* card, uint64_t number, const char* what);
/* Submits, and the same. */
struct drm_npu_wait card_run(const struct card* card, const struct card_job* job, const char* what);

/* Byte `offset` of a pattern that differs from seed to seed and has no short period. */
unsigned char pattern_byte(uint64_t seed, uint64_t offset);
void pattern_fill(unsigned char* bytes, uint64_t seed, uint64_t offset, uint64_t size);
/* Return: index of the first byte that differs, or `size`. */
uint64_t pattern_compare(const unsigned char* bytes, uint64_t seed, uint64_t offset, uint64_t size);

/* Value of an option: a decimal number from `low` to `high`; else a usage error, exit status 2. */
uint64_t option_number(const char* option, const char* text, uint64_t low, uint64_t high);
