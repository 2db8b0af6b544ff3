// SPDX-License-Identifier: Apache-2.0
/*
 * Exercises the driver's ioctls in the guest, their error paths above all: what programs get wrong, on purpose or not,
 * must cost them an error number and nobody else anything.
 *   npu_ioctl_test [/dev/accel/accelN]
 * Prints one line for each failed claim and "N passed, M failed"; exit status 0, 1 when one failed, 2 without a card.
 * Expected values come from driver/uapi/npu_accel.h, driver/README.md and firmware/abi/.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/uapi/npu_accel.h"
#include "firmware/abi/command.h"
#include "firmware/abi/memory_map.h"
#include "firmware/abi/queue.h"

#define SECOND_NS 1000000000ll
#define JOB_TIMEOUT_NS (60 * SECOND_NS) /* of host time: a simulated card may be slow */
#define PAGE 4096u
#define DEVICE_PAGE 65536u /* of the device MMU: what device buffers occupy */

static const char* path = "/dev/accel/accel0";
static unsigned int passed, failed;

static void check(bool ok, const char* claim, int line, long value) {
  if (ok) {
    ++passed;
    return;
  }
  ++failed;
  printf("npu_ioctl_test.c:%d: failed: %s (value %ld, errno %d %s)\n", line, claim, value, errno, strerror(errno));
}
#define CHECK(claim) check((claim), #claim, __LINE__, 0)
#define CHECK_FAILS(call, error)                                                            \
  do {                                                                                      \
    errno = 0;                                                                              \
    long result = (call);                                                                   \
    check(result == -1 && errno == (error), #call " fails with " #error, __LINE__, result); \
  } while (0)

static int open_card(void) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    printf("npu_ioctl_test: %s cannot be opened: %s\n", path, strerror(errno));
    exit(2);
  }
  return fd;
}

/* Buffers */

struct buffer {
  uint32_t handle;
  uint64_t size;
  uint64_t mmap_offset;
  void* bytes; /* NULL for DEVICE */
};

static int bo_create(int fd, uint64_t size, uint32_t placement, struct drm_npu_bo_create* out) {
  *out = (struct drm_npu_bo_create){.size = size, .placement = placement};
  return ioctl(fd, DRM_IOCTL_NPU_BO_CREATE, out);
}

static int bo_close(int fd, uint32_t handle) {
  struct drm_gem_close close_args = {.handle = handle};
  return ioctl(fd, DRM_IOCTL_GEM_CLOSE, &close_args);
}

static struct buffer buffer_create(int fd, uint64_t size, uint32_t placement) {
  struct drm_npu_bo_create bo;
  struct buffer buffer = {0};
  CHECK(bo_create(fd, size, placement, &bo) == 0);
  buffer.handle = bo.handle;
  buffer.size = bo.size;
  buffer.mmap_offset = bo.mmap_offset;
  if (placement == DRM_NPU_PLACEMENT_HOST) {
    buffer.bytes = mmap(NULL, bo.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)bo.mmap_offset);
    if (buffer.bytes == MAP_FAILED) {
      printf("npu_ioctl_test: mmap of a new buffer: %s\n", strerror(errno));
      exit(1);
    }
  }
  return buffer;
}

static void buffer_destroy(int fd, struct buffer* buffer) {
  if (buffer->bytes) munmap(buffer->bytes, buffer->size);
  CHECK(bo_close(fd, buffer->handle) == 0);
}

static uint64_t dram_free_bytes(int fd) {
  struct drm_npu_get_info info;
  CHECK(ioctl(fd, DRM_IOCTL_NPU_GET_INFO, &info) == 0);
  return info.dram_free_bytes;
}

/* Contexts and jobs */

static int context_create(int fd, uint32_t* id) {
  struct drm_npu_context context = {0};
  int result = ioctl(fd, DRM_IOCTL_NPU_CONTEXT_CREATE, &context);
  *id = context.id;
  return result;
}

static int context_destroy(int fd, uint32_t id, uint32_t pad) {
  struct drm_npu_context context = {.id = id, .pad = pad};
  return ioctl(fd, DRM_IOCTL_NPU_CONTEXT_DESTROY, &context);
}

static int wait_job(int fd, uint32_t context, uint64_t job, int64_t timeout_ns, struct drm_npu_wait* out) {
  *out = (struct drm_npu_wait){.context = context, .job = job, .timeout_ns = timeout_ns};
  return ioctl(fd, DRM_IOCTL_NPU_WAIT, out);
}

/* Segments of the jobs below. */
enum { kCommands, kDevice, kInput, kOutput, kSegments };

/* A context with buffers for jobs that copy `input` to the card and back to `output`. */
struct session {
  int fd;
  uint32_t context;
  struct buffer buffers[kSegments];
  struct drm_npu_segment segments[kSegments];
};

#define COPY_BYTES (5 * PAGE)
#define SLOW_COMMANDS (NPU_MAX_COMMAND_BYTES / sizeof(struct npu_command))

static struct session session_open(void) {
  struct session session = {.fd = open_card()};
  CHECK(context_create(session.fd, &session.context) == 0);
  session.buffers[kCommands] = buffer_create(session.fd, NPU_MAX_COMMAND_BYTES + PAGE, DRM_NPU_PLACEMENT_HOST);
  session.buffers[kDevice] = buffer_create(session.fd, 1 << 20, DRM_NPU_PLACEMENT_DEVICE);
  session.buffers[kInput] = buffer_create(session.fd, COPY_BYTES, DRM_NPU_PLACEMENT_HOST);
  session.buffers[kOutput] = buffer_create(session.fd, COPY_BYTES, DRM_NPU_PLACEMENT_HOST);
  for (int i = 0; i < kSegments; ++i) session.segments[i].handle = session.buffers[i].handle;
  session.segments[kDevice].flags = DRM_NPU_SEGMENT_WRITABLE;
  session.segments[kOutput].flags = DRM_NPU_SEGMENT_WRITABLE;
  return session;
}

static void session_close(struct session* session) {
  for (int i = 0; i < kSegments; ++i) buffer_destroy(session->fd, &session->buffers[i]);
  CHECK(context_destroy(session->fd, session->context, 0) == 0);
  close(session->fd);
}

static struct npu_command* commands(struct session* session) {
  return session->buffers[kCommands].bytes;
}

static struct npu_command copy_command(uint8_t kind, uint8_t engine, uint64_t source, uint64_t destination,
                                       uint32_t bytes) {
  struct npu_command command = {
      .kind = kind,
      .opcode = NPU_DMA_COPY,
      .engine = engine,
      .signal = NPU_TOKEN_NONE,
      .u.dma = {.source = source, .destination = destination, .rows = 1, .row_bytes = bytes},
  };
  for (unsigned int i = 0; i < NPU_TOKEN_WAITS; ++i) command.wait[i].token = NPU_TOKEN_NONE;
  return command;
}

static struct drm_npu_submit submission(struct session* session, uint32_t command_count) {
  return (struct drm_npu_submit){
      .context = session->context,
      .segment_count = kSegments,
      .segments = (uintptr_t)session->segments,
      .command_segment = kCommands,
      .command_bytes = command_count * (uint32_t)sizeof(struct npu_command),
  };
}

static int submit(struct session* session, struct drm_npu_submit* args) {
  return ioctl(session->fd, DRM_IOCTL_NPU_SUBMIT, args);
}

/* One command that is done at once. */
static void write_quick_stream(struct session* session) {
  commands(session)[0] =
      copy_command(NPU_COMMAND_TASK_DMA, 0, NPU_ADDRESS(kDevice, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 64);
}

/* The longest stream, of 1 MiB copies one after the other: long enough to be met while it runs. */
static void write_slow_stream(struct session* session) {
  for (unsigned int i = 0; i < SLOW_COMMANDS; ++i) {
    commands(session)[i] =
        copy_command(NPU_COMMAND_TASK_DMA, 0, NPU_ADDRESS(kDevice, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 1 << 20);
    commands(session)[i].tag = 1;
  }
}

/* Claims */

static void test_get_info(void) {
  struct drm_npu_get_info info;
  int fd = open_card();
  CHECK(ioctl(fd, DRM_IOCTL_NPU_GET_INFO, &info) == 0);
  CHECK(NPU_ABI_VERSION_MAJOR(info.abi_version) == NPU_ABI_MAJOR);
  CHECK(info.neural_engines >= 1);
  CHECK(info.max_segments == NPU_MAX_SEGMENTS);
  CHECK(info.dram_free_bytes <= info.dram_bytes);
  CHECK_FAILS(ioctl(fd, DRM_IOCTL_NPU_GET_INFO, NULL), EFAULT);
  CHECK(ioctl(fd, DRM_IOW(DRM_COMMAND_BASE + 0x3f, uint64_t), &info) == -1);
  close(fd);
}

static void test_buffer_sizes(void) {
  struct drm_npu_bo_create bo;
  int fd = open_card();
  uint64_t before = dram_free_bytes(fd);
  CHECK_FAILS(bo_create(fd, 0, DRM_NPU_PLACEMENT_HOST, &bo), EINVAL);
  CHECK_FAILS(bo_create(fd, 0, DRM_NPU_PLACEMENT_DEVICE, &bo), EINVAL);
  CHECK_FAILS(bo_create(fd, PAGE, 2, &bo), EINVAL);
  CHECK_FAILS(bo_create(fd, PAGE, UINT32_MAX, &bo), EINVAL);
  CHECK_FAILS(bo_create(fd, UINT64_MAX, DRM_NPU_PLACEMENT_HOST, &bo), ENOMEM);
  CHECK_FAILS(bo_create(fd, 1ull << 40, DRM_NPU_PLACEMENT_HOST, &bo), ENOMEM);
  CHECK_FAILS(bo_create(fd, UINT64_MAX, DRM_NPU_PLACEMENT_DEVICE, &bo), ENOSPC);
  CHECK_FAILS(bo_create(fd, before + PAGE, DRM_NPU_PLACEMENT_DEVICE, &bo), ENOSPC);
  CHECK(bo_create(fd, 1, DRM_NPU_PLACEMENT_DEVICE, &bo) == 0);
  CHECK(bo.size == PAGE && bo.mmap_offset == 0);
  CHECK(dram_free_bytes(fd) == before - DEVICE_PAGE);
  CHECK_FAILS(bo_create(fd, before, DRM_NPU_PLACEMENT_DEVICE, &bo), ENOSPC);
  close(fd); /* frees what it left behind */
  fd = open_card();
  CHECK(dram_free_bytes(fd) == before);
  CHECK(bo_create(fd, before, DRM_NPU_PLACEMENT_DEVICE, &bo) == 0);
  CHECK(dram_free_bytes(fd) == 0);
  CHECK(bo_close(fd, bo.handle) == 0);
  CHECK(dram_free_bytes(fd) == before);
  CHECK_FAILS(bo_close(fd, bo.handle), EINVAL);
  close(fd);
}

static void test_mmap(void) {
  struct drm_npu_bo_create device;
  int fd = open_card();
  struct buffer buffer = buffer_create(fd, PAGE + 1, DRM_NPU_PLACEMENT_HOST);
  CHECK(buffer.size == 2 * PAGE);
  const unsigned char* bytes = buffer.bytes;
  bool zero = true;
  for (unsigned int i = 0; i < 2 * PAGE; ++i) zero = zero && bytes[i] == 0;
  CHECK(zero);
  errno = 0;
  CHECK(mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, fd, (off_t)buffer.mmap_offset) == MAP_FAILED);
  CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
  CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (off_t)1 << 46) == MAP_FAILED);
  CHECK(bo_create(fd, PAGE, DRM_NPU_PLACEMENT_DEVICE, &device) == 0);
  CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (off_t)device.mmap_offset) == MAP_FAILED);

  int other = open_card();
  CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, other, (off_t)buffer.mmap_offset) == MAP_FAILED && errno == EACCES);
  close(other);

  /* A mapping keeps its pages when the handle and the file are closed. */
  memset(buffer.bytes, 0x5a, buffer.size);
  CHECK(bo_close(fd, buffer.handle) == 0);
  close(fd);
  CHECK(bytes[0] == 0x5a && bytes[2 * PAGE - 1] == 0x5a);
  munmap(buffer.bytes, buffer.size);
}

static void test_export(void) {
  int fd = open_card();
  struct buffer device = buffer_create(fd, PAGE, DRM_NPU_PLACEMENT_DEVICE);
  struct drm_prime_handle prime = {.handle = device.handle, .flags = DRM_CLOEXEC};
  CHECK_FAILS(ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime), EOPNOTSUPP);
  buffer_destroy(fd, &device);
  close(fd);
}

static void test_contexts(void) {
  uint32_t ids[NPU_QUEUES + 1];
  uint32_t id;
  unsigned int count = 0;
  int fd = open_card();
  CHECK_FAILS(context_destroy(fd, 0, 0), ENOENT);
  CHECK_FAILS(context_destroy(fd, 12345, 0), ENOENT);
  struct drm_npu_context padded = {.pad = 1};
  CHECK_FAILS(ioctl(fd, DRM_IOCTL_NPU_CONTEXT_CREATE, &padded), EINVAL);
  while (count <= NPU_QUEUES && context_create(fd, &ids[count]) == 0) ++count;
  CHECK(errno == ENOSPC);
  CHECK(count >= 1 && count <= NPU_QUEUES);
  CHECK_FAILS(context_destroy(fd, ids[0], 1), EINVAL);
  CHECK(context_destroy(fd, ids[0], 0) == 0);
  CHECK_FAILS(context_destroy(fd, ids[0], 0), ENOENT);
  CHECK(context_create(fd, &id) == 0);
  int other = open_card();
  CHECK_FAILS(context_destroy(other, id, 0), ENOENT); /* another file's */
  CHECK_FAILS(context_create(other, &ids[0]), ENOSPC);
  close(fd); /* gives all of them back */
  CHECK(context_create(other, &id) == 0);
  close(other);
}

static void test_submit_errors(void) {
  struct session session = session_open();
  struct drm_npu_submit args;
  write_quick_stream(&session);
#define CHECK_SUBMIT_FAILS(change, error)        \
  do {                                           \
    args = submission(&session, 1);              \
    change;                                      \
    CHECK_FAILS(submit(&session, &args), error); \
  } while (0)
  CHECK_SUBMIT_FAILS(args.context = 0, ENOENT);
  CHECK_SUBMIT_FAILS(args.context = session.context + 1, ENOENT);
  CHECK_SUBMIT_FAILS(args.pad = 1, EINVAL);
  CHECK_SUBMIT_FAILS(args.segment_count = 0, EINVAL);
  CHECK_SUBMIT_FAILS(args.segment_count = NPU_MAX_SEGMENTS + 1, EINVAL);
  CHECK_SUBMIT_FAILS(args.segment_count = UINT32_MAX, EINVAL);
  CHECK_SUBMIT_FAILS(args.segments = 0, EFAULT);
  CHECK_SUBMIT_FAILS(args.segments = UINT64_MAX - 8, EFAULT);
  CHECK_SUBMIT_FAILS(args.command_segment = kSegments, EINVAL);
  CHECK_SUBMIT_FAILS(args.command_bytes = 0, EINVAL);
  CHECK_SUBMIT_FAILS(args.command_bytes = 64, EINVAL);
  CHECK_SUBMIT_FAILS(args.command_bytes = NPU_MAX_COMMAND_BYTES + 128, EINVAL);
  CHECK_SUBMIT_FAILS(args.command_offset = 64, EINVAL);
  CHECK_SUBMIT_FAILS(args.command_offset = session.buffers[kCommands].size, EINVAL);
  CHECK_SUBMIT_FAILS(args.command_offset = UINT64_MAX - 127, EINVAL); /* offset + bytes overflows */

  session.segments[kInput].handle = 9999;
  CHECK_SUBMIT_FAILS((void)0, ENOENT);
  session.segments[kInput].handle = session.buffers[kInput].handle;
  session.segments[kInput].flags = 2;
  CHECK_SUBMIT_FAILS((void)0, EINVAL);
  session.segments[kInput].flags = 0;
#undef CHECK_SUBMIT_FAILS
  session_close(&session);
}

static void test_wait_errors(void) {
  struct session session = session_open();
  struct drm_npu_wait wait;
  CHECK_FAILS(wait_job(session.fd, session.context, 0, 0, &wait), ENOENT);
  CHECK_FAILS(wait_job(session.fd, session.context, 1, 0, &wait), ENOENT);
  CHECK_FAILS(wait_job(session.fd, session.context, UINT64_MAX, SECOND_NS, &wait), ENOENT);
  CHECK_FAILS(wait_job(session.fd, session.context + 1, 1, 0, &wait), ENOENT);
  wait = (struct drm_npu_wait){.context = session.context, .pad = 1, .job = 1};
  CHECK_FAILS(ioctl(session.fd, DRM_IOCTL_NPU_WAIT, &wait), EINVAL);
  session_close(&session);
}

static void test_round_trip(void) {
  struct session session = session_open();
  struct drm_npu_submit args = submission(&session, 2);
  struct drm_npu_wait wait, again;
  unsigned char* input = session.buffers[kInput].bytes;
  for (unsigned int i = 0; i < COPY_BYTES; ++i) input[i] = (unsigned char)(i * 7 + i / PAGE);
  commands(&session)[0] =
      copy_command(NPU_COMMAND_EXTERNAL_HDMA, 0, NPU_ADDRESS(kInput, 0), NPU_ADDRESS(kDevice, 256), COPY_BYTES);
  commands(&session)[0].signal = 3;
  commands(&session)[1] =
      copy_command(NPU_COMMAND_EXTERNAL_HDMA, 1, NPU_ADDRESS(kDevice, 256), NPU_ADDRESS(kOutput, 0), COPY_BYTES);
  commands(&session)[1].wait[0] = (struct npu_token_wait){.token = 3, .count = 1};
  CHECK(submit(&session, &args) == 0);
  CHECK(wait_job(session.fd, session.context, args.job, JOB_TIMEOUT_NS, &wait) == 0);
  CHECK(wait.status == NPU_JOB_OK && wait.fault == NPU_FAULT_NONE && wait.commands == 2);
  CHECK(wait.end_ns > wait.start_ns);
  CHECK(memcmp(input, session.buffers[kOutput].bytes, COPY_BYTES) == 0);
  CHECK(wait_job(session.fd, session.context, args.job, 0, &again) == 0); /* a result can be read again */
  CHECK(again.end_ns == wait.end_ns && again.status == wait.status);

  session.segments[kOutput].flags = 0;
  args = submission(&session, 2);
  CHECK(submit(&session, &args) == 0);
  CHECK(wait_job(session.fd, session.context, args.job, JOB_TIMEOUT_NS, &wait) == 0);
  CHECK(wait.status == NPU_JOB_FAULT && wait.fault == NPU_FAULT_PERMISSION && wait.fault_command == 1);
  session_close(&session);
}

static void test_faults(void) {
  struct session session = session_open();
  struct drm_npu_submit args = submission(&session, 1);
  struct drm_npu_wait wait;
  write_quick_stream(&session);
  commands(&session)[0].kind = 0xff;
  CHECK(submit(&session, &args) == 0);
  CHECK(wait_job(session.fd, session.context, args.job, JOB_TIMEOUT_NS, &wait) == 0);
  CHECK(wait.status == NPU_JOB_FAULT && wait.fault == NPU_FAULT_ILLEGAL_COMMAND && wait.fault_command == 0);
  write_quick_stream(&session);
  args = submission(&session, 1);
  CHECK(submit(&session, &args) == 0); /* the queue goes on */
  CHECK(wait_job(session.fd, session.context, args.job, JOB_TIMEOUT_NS, &wait) == 0);
  CHECK(wait.status == NPU_JOB_OK);
  session_close(&session);
}

/* More jobs than a ring has entries, results fetched backwards. */
static void test_many_jobs(void) {
  enum { kJobs = 200 };
  struct session session = session_open();
  struct drm_npu_submit args = submission(&session, 1);
  uint64_t jobs[kJobs];
  struct drm_npu_wait wait;
  unsigned int good = 0;
  write_quick_stream(&session);
  for (int i = 0; i < kJobs; ++i) {
    args = submission(&session, 1);
    if (submit(&session, &args) == 0) ++good;
    jobs[i] = args.job;
  }
  CHECK(good == kJobs);
  for (int i = kJobs - 1; i >= 0; --i) {
    if (wait_job(session.fd, session.context, jobs[i], JOB_TIMEOUT_NS, &wait) == 0 && wait.status == NPU_JOB_OK) --good;
  }
  CHECK(good == 0);
  session_close(&session);
}

static void ignore_signal(int number) {
  (void)number;
}

/* A full queue: EAGAIN for those who do not want to wait, ETIME, and EINTR for waiters. */
static void test_full_queue(void) {
  struct session session = session_open();
  struct drm_npu_submit args;
  struct drm_npu_wait wait;
  struct sigaction action = {.sa_handler = ignore_signal}; /* no SA_RESTART */
  struct itimerval timer = {.it_value = {.tv_usec = 20000}};
  uint64_t last = 0;
  unsigned int queued = 0;
  write_slow_stream(&session);
  fcntl(session.fd, F_SETFL, O_NONBLOCK);
  for (;;) {
    args = submission(&session, SLOW_COMMANDS);
    if (submit(&session, &args) != 0 || queued > 1000) break;
    last = args.job;
    ++queued;
  }
  CHECK(errno == EAGAIN);
  CHECK(queued >= 1 && queued <= 1000);
  CHECK_FAILS(wait_job(session.fd, session.context, last, 0, &wait), ETIME);
  CHECK_FAILS(wait_job(session.fd, session.context, last, -1, &wait), ETIME);
  CHECK_FAILS(wait_job(session.fd, session.context, last, 1000000, &wait), ETIME);
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
  CHECK_FAILS(wait_job(session.fd, session.context, last, INT64_MAX, &wait), EINTR);
  CHECK(wait.timeout_ns > 0);
  /* Jobs that have not started are aborted, those of a destroyed context are no longer there. */
  CHECK(context_destroy(session.fd, session.context, 0) == 0);
  CHECK_FAILS(wait_job(session.fd, session.context, last, 0, &wait), ENOENT);
  CHECK(context_create(session.fd, &session.context) == 0);
  session_close(&session);
}

/* Files that go away, by close or by SIGKILL, while the card works for them. */
static void test_close_with_jobs(void) {
  int status;
  for (int killed = 0; killed < 2; ++killed) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      failed = 0;
      struct session session = session_open();
      write_slow_stream(&session);
      for (int i = 0; i < 20; ++i) {
        struct drm_npu_submit args = submission(&session, SLOW_COMMANDS);
        submit(&session, &args);
      }
      if (killed) raise(SIGKILL);
      close(session.fd);
      _exit(failed != 0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(killed ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0);
    struct session session = session_open();
    struct drm_npu_submit args = submission(&session, 1);
    struct drm_npu_wait wait;
    write_quick_stream(&session);
    CHECK(submit(&session, &args) == 0); /* others do not notice */
    CHECK(wait_job(session.fd, session.context, args.job, JOB_TIMEOUT_NS, &wait) == 0 && wait.status == NPU_JOB_OK);
    session_close(&session);
  }
}

static void test_nothing_leaks(uint64_t free_bytes_before) {
  int fd = open_card();
  CHECK(dram_free_bytes(fd) == free_bytes_before);
  close(fd);
}

int main(int argc, char** argv) {
  if (argc > 1) path = argv[1];
  int fd = open_card();
  uint64_t free_bytes = dram_free_bytes(fd);
  close(fd);
  test_get_info();
  test_buffer_sizes();
  test_mmap();
  test_export();
  test_contexts();
  test_submit_errors();
  test_wait_errors();
  test_round_trip();
  test_faults();
  test_many_jobs();
  test_full_queue();
  test_close_with_jobs();
  test_nothing_leaks(free_bytes);
  printf("%u passed, %u failed\n", passed, failed);
  return failed != 0;
}
