// SPDX-License-Identifier: Apache-2.0
#include "tests/driver/card_client.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RUN_TIMEOUT_NS (120 * 1000000000ll) /* of host time: a simulated card may be slow */

const char* program_name;

void card_fail(const struct card* card, const char* format, ...) {
  va_list arguments;
  fflush(stdout);
  fprintf(stderr, "%s: %s: ", program_name, card->path);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(2);
}

static int ioctl_again(int fd, unsigned long request, void* argument) {
  int result;
  do {
    result = ioctl(fd, request, argument);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

struct card card_open(const char* path) {
  struct card card = {.path = path, .fd = open(path, O_RDWR | O_CLOEXEC)};
  if (card.fd < 0) card_fail(&card, "open: %s; is the driver loaded and the card there (dmesg)?", strerror(errno));
  struct drm_npu_context context = {0};
  int error = ioctl_again(card.fd, DRM_IOCTL_NPU_CONTEXT_CREATE, &context);
  if (error) card_fail(&card, "CONTEXT_CREATE: %s", strerror(error));
  card.context = context.id;
  return card;
}

void card_close(struct card* card) {
  close(card->fd);
  card->fd = -1;
}

bool card_removed(const struct card* card) {
  struct drm_npu_get_info info;
  return ioctl_again(card->fd, DRM_IOCTL_NPU_GET_INFO, &info) == ENODEV;
}

static struct drm_npu_bo_create create(const struct card* card, uint64_t size, uint32_t placement, uint32_t flags) {
  struct drm_npu_bo_create bo = {.size = size, .placement = placement, .flags = flags};
  int error = ioctl_again(card->fd, DRM_IOCTL_NPU_BO_CREATE, &bo);
  if (error) {
    card_fail(card, "BO_CREATE of %" PRIu64 " bytes, placement %u, flags %u: %s", size, placement, flags,
              strerror(error));
  }
  return bo;
}

struct card_buffer card_host_buffer(const struct card* card, uint64_t size) {
  struct drm_npu_bo_create bo = create(card, size, DRM_NPU_PLACEMENT_HOST, 0);
  void* bytes = mmap(NULL, bo.size, PROT_READ | PROT_WRITE, MAP_SHARED, card->fd, (off_t)bo.mmap_offset);
  if (bytes == MAP_FAILED) card_fail(card, "mmap of a host buffer: %s", strerror(errno));
  return (struct card_buffer){.handle = bo.handle, .size = bo.size, .bytes = bytes};
}

struct card_buffer card_device_buffer(const struct card* card, uint64_t size, uint32_t flags) {
  struct drm_npu_bo_create bo = create(card, size, DRM_NPU_PLACEMENT_DEVICE, flags);
  return (struct card_buffer){.handle = bo.handle, .size = bo.size};
}

struct card_buffer card_import(const struct card* card, const struct card* owner, const struct card_buffer* buffer) {
  struct drm_prime_handle prime = {.handle = buffer->handle, .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1};
  int error = ioctl_again(owner->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
  if (error) card_fail(owner, "PRIME_HANDLE_TO_FD: %s", strerror(error));
  error = ioctl_again(card->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
  if (error) card_fail(card, "PRIME_FD_TO_HANDLE of a buffer of %s: %s", owner->path, strerror(error));
  close(prime.fd);
  return (struct card_buffer){.handle = prime.handle, .size = buffer->size};
}

void card_free(const struct card* card, struct card_buffer* buffer) {
  struct drm_gem_close close_args = {.handle = buffer->handle};
  if (buffer->bytes) munmap(buffer->bytes, buffer->size);
  (void)ioctl_again(card->fd, DRM_IOCTL_GEM_CLOSE, &close_args); /* fails when the card was removed */
}

struct npu_command card_copy(unsigned int engine, uint64_t source, uint64_t destination, uint32_t bytes, uint16_t after,
                             uint16_t signal) {
  struct npu_command command = {
      .kind = NPU_COMMAND_EXTERNAL_HDMA,
      .opcode = NPU_DMA_COPY,
      .engine = (uint8_t)engine,
      .signal = signal,
      .u.dma = {.source = source, .destination = destination, .rows = 1, .row_bytes = bytes},
  };
  for (unsigned int i = 0; i < NPU_TOKEN_WAITS; ++i) command.wait[i].token = NPU_TOKEN_NONE;
  if (after != NPU_TOKEN_NONE) command.wait[0] = (struct npu_token_wait){.token = after, .count = 1};
  return command;
}

int card_submit(const struct card* card, const struct card_job* job, uint64_t* number) {
  struct drm_npu_segment segments[NPU_MAX_SEGMENTS];
  for (uint32_t i = 0; i < job->buffer_count; ++i) {
    segments[i] = (struct drm_npu_segment){.handle = job->buffers[i]->handle,
                                           .flags = i == job->command_segment ? 0 : DRM_NPU_SEGMENT_WRITABLE};
  }
  struct drm_npu_submit args = {
      .context = card->context,
      .segment_count = job->buffer_count,
      .segments = (uintptr_t)segments,
      .command_segment = job->command_segment,
      .command_bytes = job->command_count * (uint32_t)sizeof(struct npu_command),
      .command_offset = job->command_offset,
  };
  int error = ioctl_again(card->fd, DRM_IOCTL_NPU_SUBMIT, &args);
  *number = args.job;
  return error;
}

int card_wait(const struct card* card, uint64_t number, int64_t timeout_ns, struct drm_npu_wait* result) {
  *result = (struct drm_npu_wait){.context = card->context, .job = number, .timeout_ns = timeout_ns};
  return ioctl_again(card->fd, DRM_IOCTL_NPU_WAIT, result); /* an interrupted wait goes on with the time left */
}

struct drm_npu_wait card_result(const struct card* card, uint64_t number, const char* what) {
  struct drm_npu_wait result;
  int error = card_wait(card, number, RUN_TIMEOUT_NS, &result);
  if (error) card_fail(card, "WAIT (%s): %s", what, strerror(error));
  if (result.status != NPU_JOB_OK) {
    card_fail(card, "job (%s): status %u, fault %u at command %u, address 0x%" PRIx64, what, result.status,
              result.fault, result.fault_command, (uint64_t)result.fault_address);
  }
  return result;
}

struct drm_npu_wait card_run(const struct card* card, const struct card_job* job, const char* what) {
  uint64_t number;
  int error = card_submit(card, job, &number);
  if (error) card_fail(card, "SUBMIT (%s): %s", what, strerror(error));
  return card_result(card, number, what);
}

/* A multiplicative hash of the 8-byte word's number: each byte depends on seed and offset. */
static uint64_t pattern_word(uint64_t seed, uint64_t word) {
  uint64_t value = (seed + 1) * 0x9e3779b97f4a7c15ull + word;
  value = (value ^ value >> 31) * 0xbf58476d1ce4e5b9ull;
  return value ^ value >> 29;
}

unsigned char pattern_byte(uint64_t seed, uint64_t offset) {
  return (unsigned char)(pattern_word(seed, offset / 8) >> offset % 8 * 8);
}

/* Whole words where offset and size allow it: guests are slow. */
void pattern_fill(unsigned char* bytes, uint64_t seed, uint64_t offset, uint64_t size) {
  uint64_t i = 0;
  for (; offset % 8 == 0 && i + 8 <= size; i += 8) {
    uint64_t word = pattern_word(seed, (offset + i) / 8);
    memcpy(bytes + i, &word, 8);
  }
  for (; i < size; ++i) bytes[i] = pattern_byte(seed, offset + i);
}

uint64_t pattern_compare(const unsigned char* bytes, uint64_t seed, uint64_t offset, uint64_t size) {
  uint64_t i = 0;
  for (; offset % 8 == 0 && i + 8 <= size; i += 8) {
    uint64_t word = pattern_word(seed, (offset + i) / 8);
    if (memcmp(bytes + i, &word, 8) != 0) break;
  }
  while (i < size && bytes[i] == pattern_byte(seed, offset + i)) ++i;
  return i;
}

uint64_t option_number(const char* option, const char* text, uint64_t low, uint64_t high) {
  char* end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno || end == text || *end || *text == '-' || value < low || value > high) {
    fprintf(stderr, "%s: --%s %s: not a number from %" PRIu64 " to %" PRIu64 "\n", program_name, option, text, low,
            high);
    exit(2);
  }
  return value;
}
