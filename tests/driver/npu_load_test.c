// SPDX-License-Identifier: Apache-2.0
/*
 * Keeps a card busy with copies there and back, checks each, and counts how jobs ended: what tests of resets, errors
 * and removal under load run in the background. --help tells the options.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/driver/card_client.h"

static const char kHelp[] =
    "usage: npu_load_test [--card FILE] [--seconds N | --jobs N] [--kib N] [--copies N]\n"
    "                     [--in-flight N] [--wait N] [--under-way FILE] [--removal-ok]\n"
    "Submits jobs that copy a pattern to the card and back, until the time or the number is up, and compares.\n"
    "  --card FILE     the card (/dev/accel/accel0)\n"
    "  --seconds N     how long to submit jobs (10)\n"
    "  --jobs N        how many jobs to submit instead\n"
    "  --kib N         each job copies, 1 to 4096 (64)\n"
    "  --copies N      how often it does, 1 to 1000 (1): makes jobs long\n"
    "  --in-flight N   jobs on the card at a time, 1 to 63 (8)\n"
    "  --wait N        seconds until a job without a result is lost (120)\n"
    "  --under-way FILE  make FILE when the first job has ended well: what happens then meets a busy card\n"
    "  --removal-ok    the card may be removed: jobs whose results went with it are no failure\n"
    "SIGTERM ends it as the time does.\n"
    "Prints: CARD: S submitted: O ok, A aborted, F failed, G gone, L lost; W wrong\n"
    "  ok, aborted: status of the result; failed: any other status; gone: the card was removed before the result was\n"
    "  read; lost: no result, or not the same twice; wrong: ok, but the data differs\n"
    "Exit status: 0 when each submitted job has exactly one result, at least one is ok and none is wrong; else 1;\n"
    "2 when the test could not start or the arguments are wrong.\n";

struct options {
  const char* card;
  const char* under_way; /* NULL: none */
  uint64_t seconds;
  uint64_t jobs; /* 0: by time */
  uint64_t bytes;
  uint64_t copies;
  uint64_t in_flight;
  uint64_t wait_seconds;
  bool removal_ok;
};

struct counts {
  uint64_t submitted, ok, aborted, failed, gone, lost, wrong;
};

/* Segments of the jobs. */
enum { kCommands, kInput, kDevice, kOutput, kSegments };

#define MAX_IN_FLIGHT 63

/* A job's memory, used again when it has ended. */
struct slot {
  struct card_buffer buffers[kSegments];
  bool busy;
  uint64_t number; /* the driver's */
  uint64_t seed;
};

static struct options parse(int argc, char** argv) {
  static const struct option kOptions[] = {
      {"card", required_argument, NULL, 'c'},
      {"seconds", required_argument, NULL, 's'},
      {"jobs", required_argument, NULL, 'j'},
      {"kib", required_argument, NULL, 'k'},
      {"wait", required_argument, NULL, 'w'},
      {"in-flight", required_argument, NULL, 'i'},
      {"help", no_argument, NULL, 'h'},
      {"removal-ok", no_argument, NULL, 'r'},
      {"copies", required_argument, NULL, 'n'},
      {"under-way", required_argument, NULL, 'u'},
      {NULL, 0, NULL, 0},
  };
  struct options options = {
      .card = "/dev/accel/accel0", .seconds = 10, .bytes = 64 * 1024, .copies = 1, .in_flight = 8, .wait_seconds = 120};
  for (int letter; (letter = getopt_long(argc, argv, "", kOptions, NULL)) != -1;) {
    switch (letter) {
      case 'c':
        options.card = optarg;
        break;
      case 's':
        options.seconds = option_number("seconds", optarg, 1, 1000000);
        break;
      case 'j':
        options.jobs = option_number("jobs", optarg, 1, 1000000000);
        break;
      case 'k':
        options.bytes = option_number("kib", optarg, 1, 4096) * 1024;
        break;
      case 'n':
        options.copies = option_number("copies", optarg, 1, 1000);
        break;
      case 'i':
        options.in_flight = option_number("in-flight", optarg, 1, MAX_IN_FLIGHT);
        break;
      case 'w':
        options.wait_seconds = option_number("wait", optarg, 1, 1000000);
        break;
      case 'u':
        options.under_way = optarg;
        break;
      case 'r':
        options.removal_ok = true;
        break;
      case 'h':
        fputs(kHelp, stdout);
        exit(0);
      default:
        fputs(kHelp, stderr);
        exit(2);
    }
  }
  if (optind != argc) {
    fputs(kHelp, stderr);
    exit(2);
  }
  return options;
}

/* Two commands a copy, in two queues: each waits for the one before, by token. */
static void write_commands(struct npu_command* commands, const struct options* options) {
  enum { kThere, kBack };
  uint32_t bytes = (uint32_t)options->bytes;
  for (uint16_t i = 0; i < options->copies; ++i) {
    struct npu_command there =
        card_copy(0, NPU_ADDRESS(kInput, 0), NPU_ADDRESS(kDevice, 0), bytes, i ? kBack : NPU_TOKEN_NONE, kThere);
    struct npu_command back = card_copy(1, NPU_ADDRESS(kDevice, 0), NPU_ADDRESS(kOutput, 0), bytes, kThere, kBack);
    there.wait[0].count = i;
    back.wait[0].count = (uint16_t)(i + 1);
    commands[2 * i] = there;
    commands[2 * i + 1] = back;
  }
}

static void slot_create(struct slot* slot, const struct card* card, const struct options* options) {
  slot->buffers[kCommands] = card_host_buffer(card, 2 * options->copies * sizeof(struct npu_command));
  slot->buffers[kInput] = card_host_buffer(card, options->bytes);
  slot->buffers[kDevice] = card_device_buffer(card, options->bytes, 0);
  slot->buffers[kOutput] = card_host_buffer(card, options->bytes);
  write_commands((struct npu_command*)slot->buffers[kCommands].bytes, options);
}

/* Return: 0 or the errno of the submission. */
static int slot_start(struct slot* slot, const struct card* card, const struct options* options, uint64_t seed) {
  struct card_job job = {.buffer_count = kSegments, .command_count = 2 * (uint32_t)options->copies};
  for (int i = 0; i < kSegments; ++i) job.buffers[i] = &slot->buffers[i];
  pattern_fill(slot->buffers[kInput].bytes, seed, 0, options->bytes);
  memset(slot->buffers[kOutput].bytes, 0, options->bytes);
  slot->seed = seed;
  int error = card_submit(card, &job, &slot->number);
  slot->busy = !error;
  return error;
}

static bool same_result(const struct drm_npu_wait* a, const struct drm_npu_wait* b) {
  return a->status == b->status && a->fault == b->fault && a->commands == b->commands && a->start_ns == b->start_ns &&
         a->end_ns == b->end_ns;
}

static void count_lost(struct counts* counts, const struct card* card, const struct slot* slot, const char* why) {
  ++counts->lost;
  printf("%s: job %" PRIu64 " is lost: %s\n", card->path, slot->number, why);
}

static void tell_under_way(const struct options* options) {
  if (!options->under_way) return;
  FILE* file = fopen(options->under_way, "w");
  if (file) fclose(file);
}

static void slot_finish(struct slot* slot, const struct card* card, const struct options* options,
                        struct counts* counts) {
  struct drm_npu_wait result;
  struct drm_npu_wait again;
  slot->busy = false;
  int error = card_wait(card, slot->number, (int64_t)options->wait_seconds * 1000000000, &result);
  if (error == ENODEV) {
    ++counts->gone;
    return;
  }
  if (error) {
    count_lost(counts, card, slot, strerror(error));
    return;
  }
  error = card_wait(card, slot->number, 0, &again);
  if (error != ENODEV && (error || !same_result(&result, &again))) {
    count_lost(counts, card, slot, "its result changed after it was read");
    return;
  }
  if (result.status == NPU_JOB_ABORTED) {
    ++counts->aborted;
  } else if (result.status != NPU_JOB_OK) {
    ++counts->failed;
    printf("%s: job %" PRIu64 ": status %u, fault %u at command %u, address 0x%" PRIx64 "\n", card->path, slot->number,
           result.status, result.fault, result.fault_command, (uint64_t)result.fault_address);
  } else {
    if (++counts->ok == 1) tell_under_way(options);
    uint64_t good = pattern_compare(slot->buffers[kOutput].bytes, slot->seed, 0, options->bytes);
    if (good == options->bytes) return;
    ++counts->wrong;
    printf("%s: job %" PRIu64 ": the data differs from byte %" PRIu64 " on\n", card->path, slot->number, good);
  }
}

static double now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static volatile sig_atomic_t terminated;

static void on_terminate(int number) {
  (void)number;
  terminated = 1;
}

static bool go_on(const struct options* options, const struct counts* counts, double start) {
  if (terminated) return false;
  return options->jobs ? counts->submitted < options->jobs : now_seconds() - start < (double)options->seconds;
}

int main(int argc, char** argv) {
  static struct slot slots[MAX_IN_FLIGHT];
  program_name = "npu_load_test";
  struct options options = parse(argc, argv);
  struct card card = card_open(options.card);
  struct counts counts = {0};
  signal(SIGTERM, on_terminate);
  for (uint64_t i = 0; i < options.in_flight; ++i) slot_create(&slots[i], &card, &options);

  double start = now_seconds();
  uint64_t next = 0; /* the slot whose job is the oldest */
  int error = 0;
  for (; !error && go_on(&options, &counts, start); next = (next + 1) % options.in_flight) {
    if (slots[next].busy) slot_finish(&slots[next], &card, &options, &counts);
    error = slot_start(&slots[next], &card, &options, counts.submitted);
    if (!error) ++counts.submitted;
  }
  for (uint64_t i = 0; i < options.in_flight; ++i, next = (next + 1) % options.in_flight) {
    if (slots[next].busy) slot_finish(&slots[next], &card, &options, &counts);
  }
  bool removed = card_removed(&card);
  if (error && !removed) printf("%s: SUBMIT: %s\n", card.path, strerror(error));
  printf("%s: %" PRIu64 " submitted: %" PRIu64 " ok, %" PRIu64 " aborted, %" PRIu64 " failed, %" PRIu64
         " gone, %" PRIu64 " lost; %" PRIu64 " wrong\n",
         card.path, counts.submitted, counts.ok, counts.aborted, counts.failed, counts.gone, counts.lost, counts.wrong);
  card_close(&card);
  bool complete = (!error && !counts.gone) || (options.removal_ok && removed);
  return !(complete && counts.ok && !counts.lost && !counts.wrong);
}
