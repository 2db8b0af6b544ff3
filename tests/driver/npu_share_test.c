// SPDX-License-Identifier: Apache-2.0
/*
 * Sharing of buffers as far as one card and the kernel's udmabuf can show it: who may export and import what, jobs on
 * imported pages, and that references end.
 *   npu_share_test [/dev/accel/accelN]
 * Prints one line for each failed claim and "N passed, M failed"; exit status 0, 1 when one failed, 2 without a card.
 * Expected values come from driver/uapi/npu_accel.h and driver/README.md.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/driver/card_client.h"

#define PAGE 4096u
#define DEVICE_PAGE 65536u /* of the device MMU: what device buffers occupy */
#define SHARED_BYTES (64 * PAGE)

static const char* path = "/dev/accel/accel0";
static unsigned int passed, failed;

static void check(bool ok, const char* claim, int line, long value) {
  if (ok) {
    ++passed;
    return;
  }
  ++failed;
  printf("npu_share_test.c:%d: failed: %s (value %ld, errno %d %s)\n", line, claim, value, errno, strerror(errno));
}
#define CHECK(claim) check((claim), #claim, __LINE__, 0)
#define CHECK_FAILS(call, error)                                                            \
  do {                                                                                      \
    errno = 0;                                                                              \
    long result = (call);                                                                   \
    check(result == -1 && errno == (error), #call " fails with " #error, __LINE__, result); \
  } while (0)

static int bo_create(const struct card* card, uint64_t size, uint32_t placement, uint32_t flags, uint32_t pad) {
  struct drm_npu_bo_create bo = {.size = size, .placement = placement, .flags = flags, .pad = pad};
  int result = ioctl(card->fd, DRM_IOCTL_NPU_BO_CREATE, &bo);
  return result ? result : (int)bo.handle;
}

static int bo_close(const struct card* card, uint32_t handle) {
  struct drm_gem_close args = {.handle = handle};
  return ioctl(card->fd, DRM_IOCTL_GEM_CLOSE, &args);
}

/* Return: a file, or -1. */
static int export_buffer(const struct card* card, uint32_t handle) {
  struct drm_prime_handle prime = {.handle = handle, .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1};
  return ioctl(card->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) ? -1 : prime.fd;
}

/* Return: a handle, or -1. */
static int import_buffer(const struct card* card, int fd) {
  struct drm_prime_handle prime = {.fd = fd};
  return ioctl(card->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) ? -1 : (int)prime.handle;
}

static uint64_t dram_free_bytes(const struct card* card) {
  struct drm_npu_get_info info;
  CHECK(ioctl(card->fd, DRM_IOCTL_NPU_GET_INFO, &info) == 0);
  return info.dram_free_bytes;
}

static void test_flags(void) {
  struct card card = card_open(path);
  CHECK_FAILS(bo_create(&card, PAGE, DRM_NPU_PLACEMENT_DEVICE, 2, 0), EINVAL);
  CHECK_FAILS(bo_create(&card, PAGE, DRM_NPU_PLACEMENT_DEVICE, UINT32_MAX, 0), EINVAL);
  CHECK_FAILS(bo_create(&card, PAGE, DRM_NPU_PLACEMENT_DEVICE, DRM_NPU_BO_PEER, 1), EINVAL);
  CHECK_FAILS(bo_create(&card, PAGE, DRM_NPU_PLACEMENT_HOST, DRM_NPU_BO_PEER, 0), EINVAL);
  CHECK_FAILS(bo_create(&card, 0, DRM_NPU_PLACEMENT_DEVICE, DRM_NPU_BO_PEER, 0), EINVAL);
  CHECK_FAILS(bo_create(&card, UINT64_MAX, DRM_NPU_PLACEMENT_DEVICE, DRM_NPU_BO_PEER, 0), ENOSPC);
  card_close(&card);
}

static void test_export(void) {
  struct card card = card_open(path);
  struct card other = card_open(path);
  uint64_t before = dram_free_bytes(&card);
  struct card_buffer plain = card_device_buffer(&card, PAGE, 0);
  struct card_buffer peer = card_device_buffer(&card, 3 * PAGE, DRM_NPU_BO_PEER);
  CHECK_FAILS(export_buffer(&card, plain.handle), EOPNOTSUPP);
  CHECK_FAILS(export_buffer(&card, 9999), ENOENT);
  int fd = export_buffer(&card, peer.handle);
  CHECK(fd >= 0);
  CHECK(lseek(fd, 0, SEEK_END) == 3 * PAGE);
  CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED); /* commands only */

  CHECK(import_buffer(&card, fd) == (int)peer.handle); /* the same buffer, the same handle */
  int handle = import_buffer(&other, fd);              /* another file of the same card */
  CHECK(handle > 0);
  card_free(&card, &plain);
  CHECK(bo_close(&card, peer.handle) == 0);
  CHECK(dram_free_bytes(&card) == before - DEVICE_PAGE); /* lives on in the file and with the other */
  close(fd);
  CHECK(dram_free_bytes(&card) == before - DEVICE_PAGE);
  CHECK(bo_close(&other, (uint32_t)handle) == 0);
  /* The last reference to a file ends when the kernel has returned to the program. */
  CHECK(dram_free_bytes(&card) == before);
  card_close(&other);
  card_close(&card);
}

/* Pages of a memfd as a dma-buf of another exporter. Return: the file; `bytes`: its mapping. */
static int udmabuf_create(uint64_t size, unsigned char** bytes) {
  int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
  int memory = memfd_create("npu_share_test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
  CHECK(device >= 0 && memory >= 0);
  CHECK(ftruncate(memory, (off_t)size) == 0 && fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
  *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  CHECK(*bytes != MAP_FAILED);
  struct udmabuf_create create = {.memfd = (uint32_t)memory, .flags = UDMABUF_FLAGS_CLOEXEC, .size = size};
  int fd = ioctl(device, UDMABUF_CREATE, &create);
  CHECK(fd >= 0);
  close(memory);
  close(device);
  return fd;
}

/* Imported pages -> card -> imported pages, at an offset that is not a page's. */
static void test_job_on_imported_pages(void) {
  enum { kCommands, kShared, kDevice, kSegments, kToken = 0, kHalf = SHARED_BYTES / 2, kBytes = kHalf - 100 };
  struct card card = card_open(path);
  unsigned char* bytes;
  int fd = udmabuf_create(SHARED_BYTES, &bytes);
  int handle = import_buffer(&card, fd);
  CHECK(handle > 0);
  CHECK(import_buffer(&card, fd) == handle);
  close(fd); /* the import keeps the pages */
  struct card_buffer shared = {.handle = (uint32_t)handle, .size = SHARED_BYTES};
  struct card_buffer device = card_device_buffer(&card, SHARED_BYTES, DRM_NPU_BO_PEER);
  struct card_buffer commands = card_host_buffer(&card, 2 * sizeof(struct npu_command));
  struct npu_command copies[2] = {
      card_copy(0, NPU_ADDRESS(kShared, 24), NPU_ADDRESS(kDevice, 0), kBytes, NPU_TOKEN_NONE, kToken),
      card_copy(1, NPU_ADDRESS(kDevice, 0), NPU_ADDRESS(kShared, kHalf + 8), kBytes, kToken, NPU_TOKEN_NONE),
  };
  memcpy(commands.bytes, copies, sizeof(copies));
  pattern_fill(bytes + 24, 5, 0, kBytes);
  struct card_job job = {.buffers = {&commands, &shared, &device}, .buffer_count = kSegments, .command_count = 2};
  card_run(&card, &job, "copy through imported pages");
  CHECK(pattern_compare(bytes + kHalf + 8, 5, 0, kBytes) == kBytes);
  CHECK(bytes[kHalf + 7] == 0 && bytes[kHalf + 8 + kBytes] == 0);

  int again = export_buffer(&card, shared.handle); /* the exporter's file again */
  CHECK(again >= 0);
  close(again);
  CHECK(bo_close(&card, shared.handle) == 0);
  card_free(&card, &device);
  card_free(&card, &commands);
  munmap(bytes, SHARED_BYTES);
  card_close(&card);
}

static void test_import_errors(void) {
  struct card card = card_open(path);
  int pipe_ends[2];
  CHECK(pipe(pipe_ends) == 0);
  CHECK_FAILS(import_buffer(&card, pipe_ends[0]), EINVAL);
  CHECK_FAILS(import_buffer(&card, 9999), EBADF);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  card_close(&card);
}

/* The buffers of a program that ends without closing anything. */
static void test_close_with_imports(void) {
  struct card card = card_open(path);
  unsigned char* bytes;
  int fd = udmabuf_create(SHARED_BYTES, &bytes);
  CHECK(import_buffer(&card, fd) > 0);
  struct card_buffer peer = card_device_buffer(&card, PAGE, DRM_NPU_BO_PEER);
  int exported = export_buffer(&card, peer.handle);
  CHECK(exported >= 0);
  card_close(&card);
  CHECK(bytes[0] == 0);
  close(exported);
  close(fd);
  munmap(bytes, SHARED_BYTES);
}

int main(int argc, char** argv) {
  program_name = "npu_share_test";
  if (argc > 1) path = argv[1];
  struct card card = card_open(path);
  uint64_t before = dram_free_bytes(&card);
  card_close(&card); /* a virtual function has two contexts, and test_export() needs both */
  test_flags();
  test_export();
  test_job_on_imported_pages();
  test_import_errors();
  test_close_with_imports();
  card = card_open(path);
  CHECK(dram_free_bytes(&card) == before);
  card_close(&card);
  printf("%u passed, %u failed\n", passed, failed);
  return failed != 0;
}
