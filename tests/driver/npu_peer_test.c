// SPDX-License-Identifier: Apache-2.0
/*
 * Copies data from one card to another over PCIe, without a detour through host memory: a job of one card has a buffer
 * of the other as a segment. The data is read back and compared. --help tells the options. Exit status 0; 1 when bytes
 * differ; 2 when something could not be done.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/driver/card_client.h"

#define MIB (UINT64_C(1024) * 1024)
#define STAGING_BYTES (4 * MIB) /* of host memory on each side */
#define MAX_MIB 2047            /* a command's row is counted in 32 bits, an imported buffer ends at 2 GiB */

static const char kHelp[] =
    "usage: npu_peer_test [--from FILE] [--to FILE] [--mib N] [--seed N] [--read] [--both]\n"
    "Copies N MiB of card DRAM from one card to another over PCIe and compares.\n"
    "  --from FILE  the card that has the data (/dev/accel/accel0)\n"
    "  --to FILE    the card that gets it (/dev/accel/accel1)\n"
    "  --mib N      how much, 1 to 2047 (64); must fit the target's, with --read the source's, BAR2\n"
    "  --seed N     of the pattern (1)\n"
    "  --read       the target reads from the source; without: the source writes to the target\n"
    "  --both       the same the other way round at the same time\n";

struct options {
  const char* from;
  const char* to;
  uint64_t bytes;
  uint64_t seed;
  bool read;
  bool both;
};

static struct options parse(int argc, char** argv) {
  static const struct option kOptions[] = {
      {"from", required_argument, NULL, 'f'}, {"to", required_argument, NULL, 't'},
      {"mib", required_argument, NULL, 'm'},  {"seed", required_argument, NULL, 's'},
      {"read", no_argument, NULL, 'r'},       {"both", no_argument, NULL, 'b'},
      {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
  };
  struct options options = {.from = "/dev/accel/accel0", .to = "/dev/accel/accel1", .bytes = 64 * MIB, .seed = 1};
  for (int letter; (letter = getopt_long(argc, argv, "", kOptions, NULL)) != -1;) {
    switch (letter) {
      case 'f':
        options.from = optarg;
        break;
      case 't':
        options.to = optarg;
        break;
      case 'm':
        options.bytes = option_number("mib", optarg, 1, MAX_MIB) * MIB;
        break;
      case 's':
        options.seed = option_number("seed", optarg, 0, UINT32_MAX);
        break;
      case 'r':
        options.read = true;
        break;
      case 'b':
        options.both = true;
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

/* Segments of each job here. */
enum { kCommands, kSource, kDestination, kSegments };

/* Runs one copy of External HDMA. */
static struct drm_npu_wait copy(const struct card* card, unsigned int engine, const struct card_buffer* source,
                                uint64_t source_offset, const struct card_buffer* destination,
                                uint64_t destination_offset, uint64_t bytes, const char* what) {
  struct card_buffer commands = card_host_buffer(card, sizeof(struct npu_command));
  struct npu_command command =
      card_copy(engine, NPU_ADDRESS(kSource, source_offset), NPU_ADDRESS(kDestination, destination_offset),
                (uint32_t)bytes, NPU_TOKEN_NONE, NPU_TOKEN_NONE);
  memcpy(commands.bytes, &command, sizeof(command));
  struct card_job job = {.buffers = {&commands, source, destination}, .buffer_count = kSegments, .command_count = 1};
  struct drm_npu_wait result = card_run(card, &job, what);
  card_free(card, &commands);
  return result;
}

static const char* what(const struct options* options) {
  return options->read ? "read from the peer" : "write to the peer";
}

static uint64_t piece(uint64_t bytes, uint64_t offset) {
  return bytes - offset < STAGING_BYTES ? bytes - offset : STAGING_BYTES;
}

/* One way. */
struct transfer {
  const struct card *from, *to;
  const struct card* worker; /* the one that does not own the imported buffer */
  struct card_buffer source, destination;
  struct card_buffer peer; /* the other card's, as the worker has it */
  struct card_buffer commands;
  uint64_t seed;
  uint64_t job;
};

static void write_pattern(const struct transfer* transfer, uint64_t size) {
  struct card_buffer staging = card_host_buffer(transfer->from, STAGING_BYTES);
  for (uint64_t offset = 0; offset < size; offset += STAGING_BYTES) {
    uint64_t bytes = piece(size, offset);
    pattern_fill(staging.bytes, transfer->seed, offset, bytes);
    copy(transfer->from, 0, &staging, 0, &transfer->source, offset, bytes, "pattern to the card");
  }
  card_free(transfer->from, &staging);
}

/* Return: bytes before the first difference. */
static uint64_t check_pattern(const struct transfer* transfer, uint64_t size) {
  struct card_buffer staging = card_host_buffer(transfer->to, STAGING_BYTES);
  uint64_t good = 0;
  for (uint64_t offset = 0; offset < size && good == offset; offset += STAGING_BYTES) {
    uint64_t bytes = piece(size, offset);
    memset(staging.bytes, 0, bytes);
    copy(transfer->to, 1, &transfer->destination, offset, &staging, 0, bytes, "data back from the card");
    good = offset + pattern_compare(staging.bytes, transfer->seed, offset, bytes);
  }
  card_free(transfer->to, &staging);
  return good;
}

/* A context's first job behind another one's waits until the on-chip memories are cleared: it is not what is measured.
 */
static void run_in(const struct card* card, const struct card_buffer* own) {
  struct card_buffer staging = card_host_buffer(card, NPU_HOST_PAGE_BYTES);
  copy(card, 0, &staging, 0, own, 0, NPU_HOST_PAGE_BYTES, "a first job");
  card_free(card, &staging);
}

static struct transfer transfer_prepare(const struct card* from, const struct card* to, uint64_t seed,
                                        const struct options* options) {
  struct transfer transfer = {.from = from, .to = to, .worker = options->read ? to : from, .seed = seed};
  transfer.source = card_device_buffer(from, options->bytes, options->read ? DRM_NPU_BO_PEER : 0);
  transfer.destination = card_device_buffer(to, options->bytes, options->read ? 0 : DRM_NPU_BO_PEER);
  transfer.peer =
      options->read ? card_import(to, from, &transfer.source) : card_import(from, to, &transfer.destination);
  transfer.commands = card_host_buffer(transfer.worker, sizeof(struct npu_command));
  struct npu_command command = card_copy(options->read ? 0 : 1, NPU_ADDRESS(kSource, 0), NPU_ADDRESS(kDestination, 0),
                                         (uint32_t)options->bytes, NPU_TOKEN_NONE, NPU_TOKEN_NONE);
  memcpy(transfer.commands.bytes, &command, sizeof(command));
  run_in(transfer.worker, options->read ? &transfer.destination : &transfer.source);
  write_pattern(&transfer, options->bytes);
  return transfer;
}

static void transfer_start(struct transfer* transfer, const struct options* options) {
  struct card_job job = {.buffers = {&transfer->commands, options->read ? &transfer->peer : &transfer->source,
                                     options->read ? &transfer->destination : &transfer->peer},
                         .buffer_count = kSegments,
                         .command_count = 1};
  int error = card_submit(transfer->worker, &job, &transfer->job);
  if (error) card_fail(transfer->worker, "SUBMIT (%s): %s", what(options), strerror(error));
}

/* Waits, prints the rate and compares. */
static bool transfer_finish(struct transfer* transfer, const struct options* options) {
  struct drm_npu_wait result = card_result(transfer->worker, transfer->job, what(options));
  uint64_t good = check_pattern(transfer, options->bytes);
  double nanoseconds = (double)(result.end_ns - result.start_ns);
  printf("%s %s %s: %" PRIu64 " MiB in %.3f us of card time, %.3f GB/s\n", transfer->from->path,
         options->read ? "read by" : "written to", transfer->to->path, options->bytes / MIB, nanoseconds / 1e3,
         (double)options->bytes / nanoseconds);
  if (good != options->bytes) printf("the data differs from byte %" PRIu64 " on\n", good);
  card_free(transfer->worker, &transfer->commands);
  card_free(transfer->worker, &transfer->peer);
  card_free(transfer->from, &transfer->source);
  card_free(transfer->to, &transfer->destination);
  return good == options->bytes;
}

int main(int argc, char** argv) {
  program_name = "npu_peer_test";
  struct options options = parse(argc, argv);
  struct card from = card_open(options.from);
  struct card to = card_open(options.to);
  struct transfer transfers[2] = {transfer_prepare(&from, &to, options.seed, &options)};
  if (options.both) transfers[1] = transfer_prepare(&to, &from, options.seed + 1, &options);
  unsigned int count = options.both ? 2 : 1;
  bool good = true;
  for (unsigned int i = 0; i < count; ++i) transfer_start(&transfers[i], &options);
  for (unsigned int i = 0; i < count; ++i) good &= transfer_finish(&transfers[i], &options);
  card_close(&from);
  card_close(&to);
  return !good;
}
