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
    "usage: npu_peer_test [--from FILE] [--to FILE] [--mib N] [--seed N] [--read]\n"
    "Copies N MiB of card DRAM from one card to another over PCIe and compares.\n"
    "  --from FILE  the card that has the data (/dev/accel/accel0)\n"
    "  --to FILE    the card that gets it (/dev/accel/accel1)\n"
    "  --mib N      how much, 1 to 2047 (64); must fit the target's, with --read the source's, BAR2\n"
    "  --seed N     of the pattern (1)\n"
    "  --read       the target reads from the source; without: the source writes to the target\n";

struct options {
  const char* from;
  const char* to;
  uint64_t bytes;
  uint64_t seed;
  bool read;
};

static struct options parse(int argc, char** argv) {
  static const struct option kOptions[] = {
      {"from", required_argument, NULL, 'f'},
      {"to", required_argument, NULL, 't'},
      {"mib", required_argument, NULL, 'm'},
      {"seed", required_argument, NULL, 's'},
      {"read", no_argument, NULL, 'r'},
      {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0},
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

static uint64_t piece(uint64_t bytes, uint64_t offset) {
  return bytes - offset < STAGING_BYTES ? bytes - offset : STAGING_BYTES;
}

static void write_pattern(const struct card* card, const struct card_buffer* device, const struct options* options) {
  struct card_buffer staging = card_host_buffer(card, STAGING_BYTES);
  for (uint64_t offset = 0; offset < options->bytes; offset += STAGING_BYTES) {
    uint64_t bytes = piece(options->bytes, offset);
    pattern_fill(staging.bytes, options->seed, offset, bytes);
    copy(card, 0, &staging, 0, device, offset, bytes, "pattern to the card");
  }
  card_free(card, &staging);
}

/* Return: bytes before the first difference. */
static uint64_t check_pattern(const struct card* card, const struct card_buffer* device,
                              const struct options* options) {
  struct card_buffer staging = card_host_buffer(card, STAGING_BYTES);
  uint64_t good = 0;
  for (uint64_t offset = 0; offset < options->bytes && good == offset; offset += STAGING_BYTES) {
    uint64_t bytes = piece(options->bytes, offset);
    memset(staging.bytes, 0, bytes);
    copy(card, 1, device, offset, &staging, 0, bytes, "data back from the card");
    good = offset + pattern_compare(staging.bytes, options->seed, offset, bytes);
  }
  card_free(card, &staging);
  return good;
}

/* The copy from card to card, by the card that does not own the imported buffer. */
static struct drm_npu_wait transfer(const struct card* from, const struct card_buffer* source, const struct card* to,
                                    const struct card_buffer* destination, const struct options* options) {
  const struct card* worker = options->read ? to : from;
  struct card_buffer peer = options->read ? card_import(to, from, source) : card_import(from, to, destination);
  struct drm_npu_wait result = options->read
                                   ? copy(worker, 0, &peer, 0, destination, 0, options->bytes, "read from the peer")
                                   : copy(worker, 1, source, 0, &peer, 0, options->bytes, "write to the peer");
  card_free(worker, &peer);
  return result;
}

int main(int argc, char** argv) {
  program_name = "npu_peer_test";
  struct options options = parse(argc, argv);
  struct card from = card_open(options.from);
  struct card to = card_open(options.to);
  struct card_buffer source = card_device_buffer(&from, options.bytes, options.read ? DRM_NPU_BO_PEER : 0);
  struct card_buffer destination = card_device_buffer(&to, options.bytes, options.read ? 0 : DRM_NPU_BO_PEER);
  write_pattern(&from, &source, &options);
  struct drm_npu_wait result = transfer(&from, &source, &to, &destination, &options);
  uint64_t good = check_pattern(&to, &destination, &options);
  double nanoseconds = (double)(result.end_ns - result.start_ns);
  printf("%s %s %s: %" PRIu64 " MiB in %.3f us of card time, %.3f GB/s\n", options.from,
         options.read ? "read by" : "written to", options.to, options.bytes / MIB, nanoseconds / 1e3,
         (double)options.bytes / nanoseconds);
  if (good != options.bytes) printf("the data differs from byte %" PRIu64 " on\n", good);
  card_free(&from, &source);
  card_free(&to, &destination);
  card_close(&from);
  card_close(&to);
  return good != options.bytes;
}
