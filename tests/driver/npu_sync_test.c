// SPDX-License-Identifier: Apache-2.0
/*
 * Two cards that exchange data and tell each other so, without the host: Device HDMA and Device Sync. One job on each;
 * the host submits both, then waits for their ends. --help tells the options.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "firmware/abi/status.h"
#include "tests/driver/card_client.h"

static const char kHelp[] =
    "usage: npu_sync_test [CARD [PEER]]\n"
    "CARD (/dev/accel/accel0) sends blocks to PEER (/dev/accel/accel1), which sends each back when a flag has told it\n"
    "that it is there; every second one the peer fetches. Then what a program must not do with flags.\n"
    "Exit status: 0; 1 with a line for what is wrong; 2 when something could not be done.\n";

#define BLOCK_BYTES (256 * UINT64_C(1024))
#define BLOCKS 8
#define WAIT_NS (60 * 1000000000ll)
#define SEED 11

/* Segments of the jobs. */
enum { kCommands, kOwn, kPeer, kPeerFlags, kSegments };

struct side {
  struct card card;
  struct card_buffer commands, own, peer, peer_flags, flags, staging;
  uint32_t first_flag, peer_first_flag;
  uint32_t count; /* commands written */
};

static int failures;

static void expect(bool good, const char* claim, uint64_t detail) {
  if (good) return;
  ++failures;
  printf("%s: not so: %s (%" PRIu64 ")\n", program_name, claim, detail);
}

static int create_flags(const struct card* card, uint32_t count, struct drm_npu_sync_create* sync) {
  *sync = (struct drm_npu_sync_create){.count = count};
  return ioctl(card->fd, DRM_IOCTL_NPU_SYNC_CREATE, sync) ? errno : 0;
}

static struct side side_open(const char* path) {
  struct side side = {.card = card_open(path)};
  struct drm_npu_sync_create sync;
  int error = create_flags(&side.card, 2, &sync);
  if (error) card_fail(&side.card, "SYNC_CREATE: %s", strerror(error));
  side.first_flag = sync.first;
  side.flags = (struct card_buffer){.handle = sync.handle, .size = 4096};
  side.commands = card_host_buffer(&side.card, 64 * sizeof(struct npu_command));
  side.staging = card_host_buffer(&side.card, BLOCKS * BLOCK_BYTES);
  side.own = card_device_buffer(&side.card, 2 * BLOCKS * BLOCK_BYTES, DRM_NPU_BO_PEER);
  return side;
}

static void side_connect(struct side* side, const struct side* peer) {
  side->peer = card_import(&side->card, &peer->card, &peer->own);
  side->peer_flags = card_import(&side->card, &peer->card, &peer->flags);
  side->peer_first_flag = peer->first_flag;
}

static struct npu_command* add(struct side* side, struct npu_command command) {
  struct npu_command* place = (struct npu_command*)side->commands.bytes + side->count++;
  *place = command;
  return place;
}

/* Commands follow each other by one token, which each of them signals. */
static struct npu_command next_command(struct side* side, unsigned int kind, unsigned int opcode) {
  struct npu_command command = card_copy(0, 0, 0, 0, NPU_TOKEN_NONE, 0);
  command.kind = (uint8_t)kind;
  command.opcode = (uint8_t)opcode;
  if (side->count) command.wait[0] = (struct npu_token_wait){.token = 0, .count = (uint16_t)side->count};
  memset(&command.u, 0, sizeof(command.u));
  return command;
}

/* Engine 0 from the peer, 1 to it. */
static void add_copy(struct side* side, unsigned int engine, uint64_t source, uint64_t destination) {
  struct npu_command command = next_command(side, NPU_COMMAND_DEVICE_HDMA, NPU_DMA_COPY);
  command.engine = (uint8_t)engine;
  command.u.dma =
      (struct npu_dma){.source = source, .destination = destination, .rows = 1, .row_bytes = (uint32_t)BLOCK_BYTES};
  add(side, command);
}

static void add_wait(struct side* side, uint32_t flag, uint32_t value, uint32_t timeout_us) {
  struct npu_command command = next_command(side, NPU_COMMAND_DEVICE_SYNC, NPU_SYNC_WAIT);
  command.u.sync = (struct npu_device_sync){
      .flag = flag, .value = value, .compare = NPU_SYNC_GREATER_EQUAL, .timeout_us = timeout_us};
  add(side, command);
}

static void add_signal(struct side* side, uint32_t value) {
  struct npu_command command = next_command(side, NPU_COMMAND_DEVICE_SYNC, NPU_SYNC_SIGNAL);
  command.u.sync =
      (struct npu_device_sync){.address = NPU_ADDRESS(kPeerFlags, 4 * side->peer_first_flag), .value = value};
  add(side, command);
}

static void add_reset(struct side* side) {
  struct npu_command command = next_command(side, NPU_COMMAND_DEVICE_SYNC, NPU_SYNC_UPDATE);
  command.u.sync = (struct npu_device_sync){.flag = side->first_flag, .value = 0, .update = NPU_SYNC_SET};
  add(side, command);
}

static struct card_job job_of(const struct side* side) {
  return (struct card_job){.buffers = {&side->commands, &side->own, &side->peer, &side->peer_flags},
                           .buffer_count = kSegments,
                           .command_count = side->count};
}

static uint64_t start(struct side* side) {
  struct card_job job = job_of(side);
  uint64_t number;
  int error = card_submit(&side->card, &job, &number);
  if (error) card_fail(&side->card, "SUBMIT: %s", strerror(error));
  side->count = 0;
  return number;
}

static void reset_flag(struct side* side) {
  add_reset(side);
  card_result(&side->card, start(side), "reset of a flag");
}

/* Staging buffer to or from block `first` on of the own device buffer. */
static void stage(struct side* side, unsigned int engine, uint64_t first) {
  struct npu_command* commands = (struct npu_command*)side->commands.bytes;
  uint64_t host = NPU_ADDRESS(1, 0), device = NPU_ADDRESS(2, first * BLOCK_BYTES);
  *commands = card_copy(engine, engine ? device : host, engine ? host : device, BLOCKS * BLOCK_BYTES, NPU_TOKEN_NONE,
                        NPU_TOKEN_NONE);
  struct card_job job = {
      .buffers = {&side->commands, &side->staging, &side->own}, .buffer_count = 3, .command_count = 1};
  card_run(&side->card, &job, "staging");
}

static void exchange(struct side* card, struct side* peer) {
  pattern_fill(card->staging.bytes, SEED, 0, BLOCKS * BLOCK_BYTES);
  stage(card, 0, 0);
  reset_flag(card);
  reset_flag(peer);
  for (uint32_t block = 0; block < BLOCKS; ++block) {
    uint64_t at = block * BLOCK_BYTES, back = (BLOCKS + block) * BLOCK_BYTES;
    bool fetched = block % 2 == 1;
    if (!fetched) add_copy(card, 1, NPU_ADDRESS(kOwn, at), NPU_ADDRESS(kPeer, at));
    add_signal(card, block + 1);
    add_wait(card, card->first_flag, block + 1, 0);

    add_wait(peer, peer->first_flag, block + 1, 0);
    if (fetched) add_copy(peer, 0, NPU_ADDRESS(kPeer, at), NPU_ADDRESS(kOwn, at));
    add_copy(peer, 1, NPU_ADDRESS(kOwn, at), NPU_ADDRESS(kPeer, back));
    add_signal(peer, block + 1);
  }
  uint64_t peer_job = start(peer); /* waits for the other card first of all */
  struct drm_npu_wait result;
  expect(card_wait(&peer->card, peer_job, 20000000, &result) == ETIME, "the peer waits for the first flag", 0);
  uint64_t card_job = start(card);
  struct drm_npu_wait done = card_result(&card->card, card_job, "blocks there and back");
  card_result(&peer->card, peer_job, "blocks back");
  memset(card->staging.bytes, 0, BLOCKS * BLOCK_BYTES);
  stage(card, 1, BLOCKS);
  uint64_t same = pattern_compare(card->staging.bytes, SEED, 0, BLOCKS * BLOCK_BYTES);
  expect(same == BLOCKS * BLOCK_BYTES, "the blocks come back as they were sent", same);
  printf("%u blocks of %" PRIu64 " KiB there and back in %.1f us of card time\n", BLOCKS, BLOCK_BYTES / 1024,
         (double)(done.end_ns - done.start_ns) / 1000);
}

static void wait_in_vain(struct side* side) {
  struct drm_npu_wait result;
  reset_flag(side);
  add_wait(side, side->first_flag, 1, 50);
  int error = card_wait(&side->card, start(side), WAIT_NS, &result);
  expect(error == 0 && result.status == NPU_JOB_FAULT && result.fault == NPU_FAULT_SYNC_TIMEOUT,
         "a wait that nobody ends is over in time", result.fault);
}

static void misuse(struct side* side) {
  struct drm_npu_sync_create sync;
  expect(create_flags(&side->card, 0, &sync) == EINVAL, "no flags are refused", 0);
  expect(create_flags(&side->card, NPU_SYNC_FLAGS + 1, &sync) == EINVAL, "more flags than there are are refused", 0);
  expect(create_flags(&side->card, NPU_SYNC_FLAGS, &sync) == ENOSPC, "flags that somebody has are not given", 0);
  expect(create_flags(&side->card, NPU_SYNC_FLAGS - 2, &sync) == 0, "the others are", sync.first);
  expect(sync.first != side->first_flag, "to one owner at a time", sync.first);
  struct card_buffer rest = {.handle = sync.handle};
  card_free(&side->card, &rest);
  expect(create_flags(&side->card, NPU_SYNC_FLAGS - 2, &sync) == 0, "flags come back with their handle", 0);
  rest.handle = sync.handle;
  card_free(&side->card, &rest);
  struct card_job job = job_of(side);
  job.buffers[kPeerFlags] = &side->flags;
  job.command_count = 1;
  uint64_t number;
  expect(card_submit(&side->card, &job, &number) == EINVAL, "own flags are no segment", 0);
}

int main(int argc, char** argv) {
  program_name = "npu_sync_test";
  if (argc > 3 || (argc > 1 && argv[1][0] == '-')) {
    bool help = strcmp(argv[1], "--help") == 0;
    fputs(kHelp, help ? stdout : stderr);
    return help ? 0 : 2;
  }
  struct side card = side_open(argc > 1 ? argv[1] : "/dev/accel/accel0");
  struct side peer = side_open(argc > 2 ? argv[2] : "/dev/accel/accel1");
  side_connect(&card, &peer);
  side_connect(&peer, &card);
  exchange(&card, &peer);
  exchange(&peer, &card);
  wait_in_vain(&card);
  misuse(&card);
  card_close(&card.card);
  card_close(&peer.card);
  printf("%s: %s\n", program_name, failures ? "FAILED" : "ok");
  return failures != 0;
}
