// SPDX-License-Identifier: Apache-2.0
/*
 * Keeps a secret on a card while others attack it: a pattern in the card's DRAM, in the shared memory and in the
 * scratchpads. --help tells the options.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/driver/card_client.h"
#include "tests/driver/secret.h"

static const char kHelp[] =
    "usage: npu_secret_test CARD SEED MIB FILE\n"
    "Fills MIB MiB of the DRAM of CARD (/dev/accel/accelN) with a secret pattern, and again and again the shared\n"
    "memory and scratchpads, until FILE exists. Then checks the DRAM. Prints 'secret is kept' when all is in place, "
    "and\n"
    "'secret is unharmed' at the end. Exit status 0; 1 when it is not; 2 when something could not be done.\n";

#define MIB (UINT64_C(1024) * 1024)
#define SCRATCHPADS 8

enum { kCommands, kHost, kDevice, kSegments };

struct keeper {
  struct card card;
  struct card_buffer commands, host, device;
};

static void run(struct keeper* keeper, const struct npu_command* commands, uint32_t count, const char* what) {
  memcpy(keeper->commands.bytes, commands, count * sizeof(*commands));
  struct card_job job = {.buffers = {&keeper->commands, &keeper->host, &keeper->device},
                         .buffer_count = kSegments,
                         .command_count = count};
  card_run(&keeper->card, &job, what);
}

/* From the first MiB of the DRAM. */
static void fill_memories(struct keeper* keeper) {
  struct npu_command commands[1 + SCRATCHPADS];
  for (unsigned int i = 0; i <= SCRATCHPADS; ++i) {
    commands[i] =
        card_copy(0, NPU_ADDRESS(kDevice, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), MIB, NPU_TOKEN_NONE, NPU_TOKEN_NONE);
    commands[i].kind = NPU_COMMAND_TASK_DMA;
    if (i == SCRATCHPADS) break;
    commands[i].kind = NPU_COMMAND_NEURAL_DMA;
    commands[i].engine = (uint8_t)i;
    commands[i].u.dma.destination = NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0);
  }
  run(keeper, commands, 1 + SCRATCHPADS, "secret to shared memory and scratchpads");
}

int main(int argc, char** argv) {
  program_name = "npu_secret_test";
  if (argc != 5) {
    fputs(kHelp, argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
    return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
  }
  uint64_t seed = option_number("SEED", argv[2], 0, UINT32_MAX);
  uint64_t mib = option_number("MIB", argv[3], 1, 1024);
  struct keeper keeper = {.card = card_open(argv[1])};
  keeper.commands = card_host_buffer(&keeper.card, (1 + SCRATCHPADS) * sizeof(struct npu_command));
  keeper.host = card_host_buffer(&keeper.card, MIB);
  keeper.device = card_device_buffer(&keeper.card, mib * MIB, 0);
  for (uint64_t i = 0; i < mib; ++i) {
    secret_fill(keeper.host.bytes, seed, i * MIB, MIB);
    struct npu_command there =
        card_copy(0, NPU_ADDRESS(kHost, 0), NPU_ADDRESS(kDevice, i * MIB), MIB, NPU_TOKEN_NONE, NPU_TOKEN_NONE);
    run(&keeper, &there, 1, "secret to the DRAM");
  }
  memset(keeper.host.bytes, 0, MIB); /* an attacker's DMA could find it here: there is no IOMMU */
  printf("secret is kept\n");
  fflush(stdout);
  for (; access(argv[4], F_OK) != 0; usleep(20000)) fill_memories(&keeper);

  bool unharmed = true;
  for (uint64_t i = 0; i < mib && unharmed; ++i) {
    struct npu_command back =
        card_copy(1, NPU_ADDRESS(kDevice, i * MIB), NPU_ADDRESS(kHost, 0), MIB, NPU_TOKEN_NONE, NPU_TOKEN_NONE);
    run(&keeper, &back, 1, "secret back");
    unharmed = secret_is(keeper.host.bytes, seed, i * MIB, MIB);
  }
  printf(unharmed ? "secret is unharmed\n" : "secret was overwritten\n");
  card_close(&keeper.card);
  return !unharmed;
}
