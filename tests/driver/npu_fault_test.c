// SPDX-License-Identifier: Apache-2.0
/*
 * Jobs that go wrong, through the driver: only the guilty context ends, others complete, and the record tells who,
 * where and what. --help tells the options.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "firmware/abi/fault.h"
#include "firmware/abi/status.h"
#include "tests/driver/card_client.h"

static const char kHelp[] =
    "usage: npu_fault_test [--card FILE] [--no-limit] TROUBLE\n"
    "A context with a bad job, two others with good ones. TROUBLE is what the bad job meets:\n"
    "  deadlock         waits for a token that nobody signals\n"
    "  illegal-command  of a kind that there is not\n"
    "  bad-address      behind the end of a segment\n"
    "  read-only        writes a segment that may only be read\n"
    "  double-error     no buffer is in use before; prints 'spoil it', and goes on when the caller has spoiled the "
    "word\n"
    "                   56 KiB before the end of the DRAM and made the file /tmp/spoiled\n"
    "  hang             the caller has told the engine external_hdma1 to hang\n"
    "The contexts have a limit for their jobs, but with --no-limit the driver's own.\n"
    "Or TROUBLE is one of\n"
    "  kill             a process with jobs on the card is killed\n"
    "  rights           who may ask for which priority\n"
    "Exit status: 0 when all is as it should be; 1 with a line for what is not; 2 when the test could not start.\n";

#define BYTES 4096u
#define DEVICE_BYTES (4 * BYTES)
#define GOOD_JOBS 8
#define BEHIND 2
#define WAIT_NS (60 * 1000000000ll)
#define JOB_LIMIT_US 5000

/* Segments of the jobs. */
enum { kCommands, kDevice, kHost, kSegments };

static int failures;
static uint32_t job_limit_us = JOB_LIMIT_US;

static void expect_equal(const char* what, uint64_t is, uint64_t should) {
  if (is == should) return;
  ++failures;
  printf("%s: %s is %" PRIu64 " instead of %" PRIu64 "\n", program_name, what, is, should);
}
#define EXPECT_EQUAL(is, should) expect_equal(#is, (uint64_t)(is), (uint64_t)(should))

struct ending {
  const char* name;
  uint32_t status, fault, command;
  uint64_t moved; /* bytes of the command before the fault; UNKNOWN: nobody tells */
};
#define UNKNOWN UINT64_MAX
static const struct ending kEndings[] = {
    {"deadlock", NPU_JOB_FAULT, NPU_FAULT_DEADLOCK, 1, 0},
    {"illegal-command", NPU_JOB_FAULT, NPU_FAULT_ILLEGAL_COMMAND, 1, UNKNOWN},
    {"bad-address", NPU_JOB_FAULT, NPU_FAULT_ADDRESS, 1, BYTES / 4},
    {"read-only", NPU_JOB_FAULT, NPU_FAULT_PERMISSION, 0, 0},
    {"double-error", NPU_JOB_FAULT, NPU_FAULT_POISON, 1, 0},
    {"hang", NPU_JOB_TIMEOUT, NPU_FAULT_ENGINE_STUCK, 1, UNKNOWN},
};

/* A context with buffers for jobs that copy there and back. */
struct client {
  struct card card;
  struct card_buffer buffers[kSegments];
  uint64_t jobs[GOOD_JOBS + 1 + BEHIND];
  unsigned int count;
};

static uint32_t context_create(const struct card* card, uint32_t flags) {
  struct drm_npu_context context = {.flags = flags, .job_limit_us = job_limit_us};
  if (ioctl(card->fd, DRM_IOCTL_NPU_CONTEXT_CREATE, &context)) card_fail(card, "CONTEXT_CREATE: %s", strerror(errno));
  return context.id;
}

/* The driver places device buffers at the end of the DRAM, so the first one begins 64 KiB before it. */
static void make_buffers(struct client* client) {
  client->buffers[kDevice] = card_device_buffer(&client->card, DEVICE_BYTES, 0);
  client->buffers[kCommands] = card_host_buffer(&client->card, BYTES);
  client->buffers[kHost] = card_host_buffer(&client->card, 2 * BYTES);
}

/* `trouble`: NULL for a good job. */
static void write_commands(struct client* client, const char* trouble) {
  struct npu_command* commands = (struct npu_command*)client->buffers[kCommands].bytes;
  commands[0] = card_copy(0, NPU_ADDRESS(kHost, 0), NPU_ADDRESS(kDevice, 0), BYTES, NPU_TOKEN_NONE, 0);
  commands[1] = card_copy(1, NPU_ADDRESS(kDevice, 0), NPU_ADDRESS(kHost, BYTES), BYTES, 0, NPU_TOKEN_NONE);
  commands[1].wait[0].count = 1;
  if (!trouble) return;
  if (!strcmp(trouble, "deadlock")) commands[1].wait[0].count = 2;
  if (!strcmp(trouble, "illegal-command")) commands[1].kind = 77;
  if (!strcmp(trouble, "bad-address")) {
    /* Its second row. */
    commands[1].u.dma.source = NPU_ADDRESS(kDevice, DEVICE_BYTES - BYTES / 2);
    commands[1].u.dma.rows = 2;
    commands[1].u.dma.row_bytes = BYTES / 4;
    commands[1].u.dma.source_stride = BYTES;
    commands[1].u.dma.destination_stride = BYTES / 4;
  }
  if (!strcmp(trouble, "double-error")) commands[1].u.dma.source = NPU_ADDRESS(kDevice, 2 * BYTES);
}

static void submit(struct client* client, bool device_writable) {
  struct drm_npu_segment segments[kSegments];
  for (int i = 0; i < kSegments; ++i) segments[i] = (struct drm_npu_segment){client->buffers[i].handle, i != kCommands};
  segments[kDevice].flags = device_writable;
  struct drm_npu_submit args = {
      .context = client->card.context,
      .segment_count = kSegments,
      .segments = (uintptr_t)segments,
      .command_segment = kCommands,
      .command_bytes = 2 * sizeof(struct npu_command),
  };
  if (ioctl(client->card.fd, DRM_IOCTL_NPU_SUBMIT, &args)) card_fail(&client->card, "SUBMIT: %s", strerror(errno));
  client->jobs[client->count++] = args.job;
}

static struct drm_npu_wait result(const struct client* client, unsigned int job) {
  struct drm_npu_wait wait;
  int error = card_wait(&client->card, client->jobs[job], WAIT_NS, &wait);
  if (error) card_fail(&client->card, "WAIT for job %" PRIu64 ": %s", client->jobs[job], strerror(error));
  return wait;
}

static uint32_t read_faults(const struct card* card, struct drm_npu_fault* faults, uint32_t room, uint64_t after) {
  struct drm_npu_fault_read args = {.faults = (uintptr_t)faults, .count = room, .after = after};
  if (ioctl(card->fd, DRM_IOCTL_NPU_FAULT_READ, &args)) card_fail(card, "FAULT_READ: %s", strerror(errno));
  return args.count;
}

/* Value of a key in /proc/self/fdinfo; UINT64_MAX if it is not there. */
static uint64_t fdinfo(const struct card* card, const char* key) {
  char path[64], line[160];
  uint64_t value = UINT64_MAX;
  snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", card->fd);
  FILE* file = fopen(path, "r");
  if (!file) card_fail(card, "%s: %s", path, strerror(errno));
  while (fgets(line, sizeof(line), file)) {
    size_t length = strlen(key);
    if (!strncmp(line, key, length) && line[length] == ':') value = strtoull(line + length + 1, NULL, 10);
  }
  fclose(file);
  return value;
}

static void expect_good(struct client* client, const char* who) {
  for (unsigned int i = 0; i < client->count; ++i) {
    struct drm_npu_wait done = result(client, i);
    if (done.status == NPU_JOB_OK) continue;
    ++failures;
    printf("%s: job %u of %s: status %u, fault %u\n", program_name, i, who, done.status, done.fault);
  }
}

static void expect_record(const struct client* guilty, const struct ending* ending) {
  struct drm_npu_fault faults[4];
  memset(faults, 0, sizeof(faults));
  EXPECT_EQUAL(read_faults(&guilty->card, faults, 4, 0), 1u);
  EXPECT_EQUAL(faults[0].context, guilty->card.context);
  EXPECT_EQUAL(faults[0].job, guilty->jobs[0]);
  EXPECT_EQUAL(faults[0].status, ending->status);
  EXPECT_EQUAL(faults[0].fault, ending->fault);
  EXPECT_EQUAL(faults[0].command, ending->command);
  EXPECT_EQUAL(faults[0].block, !strcmp(ending->name, "illegal-command") ? 77u : (uint32_t)NPU_COMMAND_EXTERNAL_HDMA);
  EXPECT_EQUAL(faults[0].engine, ending->command); /* command n runs on External HDMA n */
  EXPECT_EQUAL(!!(faults[0].flags & NPU_FAULT_RECORD_CONTEXT_STOPPED), 1);
  EXPECT_EQUAL(!!(faults[0].flags & NPU_FAULT_RECORD_POSITION), ending->moved != UNKNOWN);
  if (ending->moved != UNKNOWN) EXPECT_EQUAL(NPU_DMA_POSITION_ELEMENTS(faults[0].position), ending->moved);
  EXPECT_EQUAL(!!(faults[0].flags & NPU_FAULT_RECORD_ENGINE_RESET), !strcmp(ending->name, "hang"));
  EXPECT_EQUAL(read_faults(&guilty->card, faults, 4, faults[0].number), 0u);
}

static void test_trouble(const char* path, const struct ending* ending) {
  struct client guilty = {.card = card_open(path)};
  struct drm_npu_context destroy = {.id = guilty.card.context};
  if (ioctl(guilty.card.fd, DRM_IOCTL_NPU_CONTEXT_DESTROY, &destroy)) card_fail(&guilty.card, "CONTEXT_DESTROY");
  guilty.card.context = context_create(&guilty.card, DRM_NPU_CONTEXT_STOP_ON_FAULT);
  make_buffers(&guilty);
  if (!strcmp(ending->name, "double-error")) {
    printf("spoil it\n");
    fflush(stdout);
    while (access("/tmp/spoiled", F_OK) != 0) usleep(10000);
  }
  struct client same_file = {.card = guilty.card};
  same_file.card.context = context_create(&guilty.card, 0);
  make_buffers(&same_file);
  struct client other_file = {.card = card_open(path)};
  make_buffers(&other_file);

  write_commands(&guilty, ending->name);
  write_commands(&same_file, NULL);
  write_commands(&other_file, NULL);
  submit(&guilty, strcmp(ending->name, "read-only") != 0);
  for (int i = 0; i < BEHIND; ++i) submit(&guilty, true);
  for (int i = 0; i < GOOD_JOBS; ++i) {
    submit(&same_file, true);
    submit(&other_file, true);
  }

  struct drm_npu_wait done = result(&guilty, 0);
  EXPECT_EQUAL(done.status, ending->status);
  EXPECT_EQUAL(done.fault, ending->fault);
  EXPECT_EQUAL(done.fault_command, ending->command);
  for (unsigned int i = 1; i <= BEHIND; ++i) EXPECT_EQUAL(result(&guilty, i).status, (uint32_t)NPU_JOB_ABORTED);
  expect_good(&same_file, "the other context");
  expect_good(&other_file, "the other file");
  expect_record(&guilty, ending);
  struct drm_npu_fault fault;
  EXPECT_EQUAL(read_faults(&other_file.card, &fault, 1, 0), 0u);
  EXPECT_EQUAL(fdinfo(&guilty.card, "npu-jobs-submitted"), 1u + BEHIND + GOOD_JOBS);
  EXPECT_EQUAL(fdinfo(&guilty.card, "npu-jobs-failed"), 1u);
  EXPECT_EQUAL(fdinfo(&guilty.card, "npu-jobs-aborted"), (uint64_t)BEHIND);
  EXPECT_EQUAL(fdinfo(&guilty.card, "npu-jobs-completed"), (uint64_t)GOOD_JOBS);
  EXPECT_EQUAL(fdinfo(&other_file.card, "npu-jobs-failed"), 0u);
  uint64_t time_ns = fdinfo(&other_file.card, "drm-engine-npu");
  EXPECT_EQUAL(time_ns != 0 && time_ns != UINT64_MAX, 1);

  /* The context can be made anew, and its engines work. */
  destroy.id = guilty.card.context;
  if (ioctl(guilty.card.fd, DRM_IOCTL_NPU_CONTEXT_DESTROY, &destroy)) card_fail(&guilty.card, "CONTEXT_DESTROY");
  guilty.card.context = context_create(&guilty.card, 0);
  guilty.count = 0;
  write_commands(&guilty, NULL);
  submit(&guilty, true);
  expect_good(&guilty, "the context made anew");
  card_close(&guilty.card);
  card_close(&other_file.card);
}

/* Its child has jobs on the card all the time, until it dies. */
static void test_kill(const char* path) {
  struct client client = {.card = card_open(path)};
  make_buffers(&client);
  write_commands(&client, NULL);
  for (int round = 0; round < 5; ++round) {
    int ready[2];
    char byte = 0;
    if (pipe(ready)) card_fail(&client.card, "pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0) card_fail(&client.card, "fork: %s", strerror(errno));
    if (child == 0) {
      struct client flood = {.card = card_open(path)};
      make_buffers(&flood);
      write_commands(&flood, NULL);
      for (uint64_t i = 0;; ++i) {
        flood.count = 0;
        submit(&flood, true);
        if (i == 100 && write(ready[1], &byte, 1) != 1) _exit(2);
      }
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) card_fail(&client.card, "the flooding process ended");
    client.count = 0;
    for (int i = 0; i < GOOD_JOBS; ++i) submit(&client, true);
    kill(child, SIGKILL);
    expect_good(&client, "the process that lives");
    waitpid(child, NULL, 0);
    close(ready[0]);
  }
  struct drm_npu_fault fault;
  EXPECT_EQUAL(read_faults(&client.card, &fault, 1, 0), 0u);
  EXPECT_EQUAL(fdinfo(&client.card, "npu-jobs-completed"), 5u * GOOD_JOBS);
  card_close(&client.card);
}

static int try_priority(int fd, int32_t priority, uint32_t flags) {
  struct drm_npu_context context = {.priority = priority, .flags = flags};
  if (ioctl(fd, DRM_IOCTL_NPU_CONTEXT_CREATE, &context)) return errno;
  struct drm_npu_context destroy = {.id = context.id};
  return ioctl(fd, DRM_IOCTL_NPU_CONTEXT_DESTROY, &destroy) ? errno : 0;
}

static void test_rights(const char* path) {
  struct card card = card_open(path);
  for (int32_t priority = DRM_NPU_PRIORITY_LOW; priority <= DRM_NPU_PRIORITY_URGENT; ++priority) {
    EXPECT_EQUAL(try_priority(card.fd, priority, 0), 0);
  }
  EXPECT_EQUAL(try_priority(card.fd, DRM_NPU_PRIORITY_LOW - 1, 0), EINVAL);
  EXPECT_EQUAL(try_priority(card.fd, DRM_NPU_PRIORITY_URGENT + 1, 0), EINVAL);
  EXPECT_EQUAL(try_priority(card.fd, 0, 2), EINVAL);
  /* A program of ABI 1.1, whose structure has two words. */
  struct {
    uint32_t id, pad;
  } old = {0, 0};
  EXPECT_EQUAL(ioctl(card.fd, DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_CONTEXT_CREATE, old), &old) ? errno : 0, 0);
  EXPECT_EQUAL(ioctl(card.fd, DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_CONTEXT_DESTROY, old), &old) ? errno : 0, 0);
  struct drm_npu_fault_read bad = {.lost = 1};
  EXPECT_EQUAL(ioctl(card.fd, DRM_IOCTL_NPU_FAULT_READ, &bad) ? errno : 0, EINVAL);
  if (setuid(65534)) card_fail(&card, "setuid: %s", strerror(errno));
  EXPECT_EQUAL(try_priority(card.fd, DRM_NPU_PRIORITY_LOW, 0), 0);
  EXPECT_EQUAL(try_priority(card.fd, DRM_NPU_PRIORITY_NORMAL, 0), 0);
  EXPECT_EQUAL(try_priority(card.fd, DRM_NPU_PRIORITY_HIGH, 0), EPERM);
  EXPECT_EQUAL(try_priority(card.fd, DRM_NPU_PRIORITY_URGENT, 0), EPERM);
  card_close(&card);
}

static int usage(FILE* to, int status) {
  fputs(kHelp, to);
  return status;
}

int main(int argc, char** argv) {
  static const struct option kOptions[] = {{"card", required_argument, NULL, 'c'},
                                           {"no-limit", no_argument, NULL, 'n'},
                                           {"help", no_argument, NULL, 'h'},
                                           {NULL, 0, NULL, 0}};
  const char* path = "/dev/accel/accel0";
  program_name = "npu_fault_test";
  for (int letter; (letter = getopt_long(argc, argv, "", kOptions, NULL)) != -1;) {
    if (letter == 'h') return usage(stdout, 0);
    if (letter == 'n') {
      job_limit_us = 0;
      continue;
    }
    if (letter != 'c') return usage(stderr, 2);
    path = optarg;
  }
  if (argc - optind != 1) return usage(stderr, 2);
  const char* trouble = argv[optind];
  const struct ending* ending = NULL;
  for (size_t i = 0; i < sizeof(kEndings) / sizeof(kEndings[0]); ++i) {
    if (!strcmp(trouble, kEndings[i].name)) ending = &kEndings[i];
  }
  if (ending) {
    test_trouble(path, ending);
  } else if (!strcmp(trouble, "kill")) {
    test_kill(path);
  } else if (!strcmp(trouble, "rights")) {
    test_rights(path);
  } else {
    return usage(stderr, 2);
  }
  printf("%s: %s: %s\n", program_name, trouble, failures ? "FAILED" : "ok");
  return failures != 0;
}
