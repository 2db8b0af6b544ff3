// SPDX-License-Identifier: Apache-2.0
/*
 * Two processes on one card: one works on data of its own, the other tries to reach them by command streams, by DMA
 * descriptors, by handles it has closed, by memory that it is given later and by what is left on the chip. --help tells
 * the options.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "firmware/abi/status.h"
#include "tests/driver/card_client.h"
#include "tests/driver/secret.h"

static const char kHelp[] =
    "usage: npu_isolation_test [CARD]\n"
    "Attacks the memory of another process on CARD (/dev/accel/accel0). Prints a line for each attack that was not\n"
    "answered as it should be. Exit status 0; 1 when there was one; 2 when the test could not start.\n";

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define VICTIM_BYTES (4 * MIB)
#define OWN_BYTES (128 * KIB)
#define WAIT_NS (60 * 1000000000ll)
#define SEED 7
#define SCRATCHPADS 8

/* Segments of the jobs. */
enum { kCommands, kHost, kDevice, kSegments };

struct client {
  struct card card;
  struct card_buffer buffers[kSegments];
};

static const char* path = "/dev/accel/accel0";
static int failures;

static void expect(bool good, const char* attack, uint64_t detail) {
  if (good) return;
  ++failures;
  printf("%s: %s (0x%" PRIx64 ")\n", program_name, attack, detail);
}

static struct client client_open(uint64_t device_bytes) {
  struct client client = {.card = card_open(path)};
  client.buffers[kCommands] = card_host_buffer(&client.card, 4096);
  client.buffers[kHost] = card_host_buffer(&client.card, MIB);
  client.buffers[kDevice] = card_device_buffer(&client.card, device_bytes, 0);
  return client;
}

static struct card_job job_of(const struct client* client, uint32_t count) {
  struct card_job job = {.buffer_count = kSegments, .command_segment = kCommands, .command_count = count};
  for (int i = 0; i < kSegments; ++i) job.buffers[i] = &client->buffers[i];
  return job;
}

static void run_one(struct client* client, struct npu_command command, const char* what) {
  memcpy(client->buffers[kCommands].bytes, &command, sizeof(command));
  struct card_job job = job_of(client, 1);
  card_run(&client->card, &job, what);
}

static struct npu_command to_card(uint64_t offset, uint32_t bytes) {
  return card_copy(0, NPU_ADDRESS(kHost, 0), NPU_ADDRESS(kDevice, offset), bytes, NPU_TOKEN_NONE, NPU_TOKEN_NONE);
}

static struct npu_command to_host(uint64_t offset, uint32_t bytes) {
  return card_copy(1, NPU_ADDRESS(kDevice, offset), NPU_ADDRESS(kHost, 0), bytes, NPU_TOKEN_NONE, NPU_TOKEN_NONE);
}

static void fill_with_secret(struct client* client) {
  for (uint64_t at = 0; at < client->buffers[kDevice].size; at += MIB) {
    secret_fill(client->buffers[kHost].bytes, SEED, at, MIB);
    run_one(client, to_card(at, MIB), "the secret to the card");
  }
  memset(client->buffers[kHost].bytes, 0, MIB);
}

/* From the secret's first MiB to where all programs' data pass through. */
static void put_secret_on_chip(struct client* client) {
  struct npu_command commands[1 + SCRATCHPADS];
  for (unsigned int i = 0; i <= SCRATCHPADS; ++i) {
    bool shared = i == SCRATCHPADS;
    commands[i] = card_copy(shared ? 0 : i, NPU_ADDRESS(kDevice, 0),
                            NPU_ADDRESS(shared ? NPU_SPACE_SHARED : NPU_SPACE_SCRATCHPAD, 0), 64 * KIB, NPU_TOKEN_NONE,
                            NPU_TOKEN_NONE);
    commands[i].kind = shared ? NPU_COMMAND_TASK_DMA : NPU_COMMAND_NEURAL_DMA;
  }
  memcpy(client->buffers[kCommands].bytes, commands, sizeof(commands));
  struct card_job job = job_of(client, 1 + SCRATCHPADS);
  card_run(&client->card, &job, "the secret to scratchpads and shared memory");
}

/* The innocent process: its data stay exact, its context has no fault. Ends when `stop` is closed. */
static int keep_secret(int ready, int stop) {
  struct client client = client_open(VICTIM_BYTES);
  struct client freed = client_open(VICTIM_BYTES);
  char byte = 0;
  bool unharmed = true;
  fill_with_secret(&client);
  fill_with_secret(&freed);
  card_free(&freed.card, &freed.buffers[kDevice]); /* for the attacker to be given */
  if (write(ready, &byte, 1) != 1) return 2;
  close(ready);
  for (unsigned int round = 0; unharmed; ++round) {
    uint64_t at = round % (VICTIM_BYTES / MIB) * MIB;
    run_one(&client, to_host(at, MIB), "the secret back");
    put_secret_on_chip(&client);
    unharmed = secret_is(client.buffers[kHost].bytes, SEED, at, MIB);
    struct pollfd told = {.fd = stop, .events = POLLIN};
    if (round >= 2 * VICTIM_BYTES / MIB && poll(&told, 1, 0) == 1) break;
  }
  struct drm_npu_fault fault;
  struct drm_npu_fault_read faults = {.faults = (uintptr_t)&fault, .count = 1};
  if (ioctl(client.card.fd, DRM_IOCTL_NPU_FAULT_READ, &faults)) card_fail(&client.card, "FAULT_READ");
  if (!unharmed) printf("%s: the secret was overwritten\n", program_name);
  if (faults.count) printf("%s: a fault in the innocent context\n", program_name);
  fflush(stdout);
  return unharmed && !faults.count ? 0 : 1;
}

/* Newest fault of the file; 0: none. */
static uint64_t newest_fault(const struct client* client, uint64_t after, uint32_t* code) {
  struct drm_npu_fault fault = {0};
  struct drm_npu_fault_read args = {.faults = (uintptr_t)&fault, .count = 1, .after = after};
  if (ioctl(client->card.fd, DRM_IOCTL_NPU_FAULT_READ, &args)) card_fail(&client->card, "FAULT_READ");
  *code = fault.fault;
  return args.count ? fault.number : 0;
}

/* A command that must end in a fault of the attacker's own context, with a record, and bring nothing. */
static void attack(struct client* client, struct npu_command command, const char* what, uint64_t detail) {
  static uint64_t last;
  uint64_t number;
  struct drm_npu_wait result;
  uint32_t code;
  memcpy(client->buffers[kCommands].bytes, &command, sizeof(command));
  struct card_job job = job_of(client, 1);
  int error = card_submit(&client->card, &job, &number);
  if (error) card_fail(&client->card, "SUBMIT (%s): %s", what, strerror(error));
  error = card_wait(&client->card, number, WAIT_NS, &result);
  if (error) card_fail(&client->card, "WAIT (%s): %s", what, strerror(error));
  expect(result.status == NPU_JOB_FAULT && result.fault == NPU_FAULT_ADDRESS, what, detail);
  uint64_t fault = newest_fault(client, last, &code);
  expect(fault != 0 && code == result.fault, "no record of it", detail);
  if (fault) last = fault;
  expect(!secret_in(client->buffers[kHost].bytes, MIB), "it brought a secret", detail);
}

static void attack_by_commands(struct client* client) {
  static const uint64_t kOffsets[] = {OWN_BYTES,          OWN_BYTES - 1,      MIB,
                                      VICTIM_BYTES,       UINT64_C(1) << 32,  UINT64_C(0x1000000000),
                                      0x0080000000000000, UINT64_C(0) - 4096, UINT64_C(0) - VICTIM_BYTES};
  for (size_t i = 0; i < sizeof(kOffsets) / sizeof(kOffsets[0]); ++i) {
    uint64_t offset = NPU_ADDRESS_OFFSET(kOffsets[i]);
    attack(client, to_host(offset, 4096), "a read beside the segment", offset);
    attack(client, to_card(offset, 4096), "a write beside the segment", offset);
  }
  for (unsigned int space = kSegments; space < NPU_MAX_SEGMENTS; ++space) {
    struct npu_command command = to_host(0, 4096);
    command.u.dma.source = NPU_ADDRESS(space, 0);
    attack(client, command, "a segment that the job does not have", space);
  }
  struct npu_command strided = to_host(0, 4096);
  strided.u.dma.rows = 2;
  strided.u.dma.destination_stride = 4096;
  static const uint64_t kStrides[] = {OWN_BYTES, UINT64_C(0) - 4096, UINT64_C(0) - VICTIM_BYTES, UINT64_C(1) << 40};
  for (size_t i = 0; i < sizeof(kStrides) / sizeof(kStrides[0]); ++i) {
    strided.u.dma.source_stride = kStrides[i];
    attack(client, strided, "a stride out of the segment", kStrides[i]);
  }
}

static struct npu_command tensor(uint64_t source, int32_t stride) {
  struct npu_command command = to_host(0, 4096);
  command.opcode = NPU_DMA_TENSOR;
  memset(&command.u, 0, sizeof(command.u));
  command.u.tensor = (struct npu_dma_tensor){
      .source = source,
      .destination = NPU_ADDRESS(kHost, 0),
      .size = {64, 2, 1, 1, 1},
      .source_stride = {1, stride, 0, 0, 0},
      .destination_stride = {1, 64, 0, 0, 0},
      .source_type = NPU_TYPE_INT8,
      .destination_type = NPU_TYPE_INT8,
  };
  return command;
}

static struct npu_command chain(uint64_t descriptor) {
  struct npu_command command = to_host(0, 4096);
  command.opcode = NPU_DMA_CHAIN;
  memset(&command.u, 0, sizeof(command.u));
  command.u.chain = (struct npu_dma_chain){.descriptor = descriptor, .limit = 4};
  return command;
}

static void attack_by_descriptors(struct client* client) {
  attack(client, tensor(NPU_ADDRESS(kDevice, 0), -64), "a negative stride", 64);
  attack(client, tensor(NPU_ADDRESS(kDevice, 0), INT32_MAX), "a large stride", INT32_MAX);
  attack(client, tensor(NPU_ADDRESS(kDevice, OWN_BYTES - 64), 64), "a second row behind the end", 64);
  attack(client, chain(NPU_ADDRESS(kDevice, OWN_BYTES)), "a descriptor behind the end", OWN_BYTES);
  /* Descriptors in the attacker's own memory that name what is not. */
  struct npu_dma_descriptor descriptor = {.next = NPU_DMA_CHAIN_END, .opcode = NPU_DMA_COPY};
  descriptor.u.dma = to_host(OWN_BYTES, 4096).u.dma;
  memcpy(client->buffers[kHost].bytes, &descriptor, sizeof(descriptor));
  run_one(client, to_card(0, sizeof(descriptor)), "a descriptor");
  attack(client, chain(NPU_ADDRESS(kDevice, 0)), "a chained copy beside the segment", OWN_BYTES);
  descriptor.u.dma = to_host(0, 4096).u.dma;
  descriptor.next = NPU_ADDRESS(kDevice, 16 * VICTIM_BYTES);
  memcpy(client->buffers[kHost].bytes, &descriptor, sizeof(descriptor));
  run_one(client, to_card(0, sizeof(descriptor)), "a descriptor");
  attack(client, chain(NPU_ADDRESS(kDevice, 0)), "a chain that leads out of the segment", 16 * VICTIM_BYTES);
  /* A list of rows: each index is below the limit, the rows lie where another context has its data. */
  struct npu_command gather = tensor(NPU_ADDRESS(kDevice, 4096), 4096);
  gather.u.tensor.flags = NPU_DMA_GATHER;
  gather.u.tensor.index_dimension = 1;
  gather.u.tensor.indices = NPU_ADDRESS(kDevice, 0);
  gather.u.tensor.index_limit = UINT32_MAX;
  const uint32_t indices[2] = {0, 0x7fff};
  memcpy(client->buffers[kHost].bytes, indices, sizeof(indices));
  run_one(client, to_card(0, sizeof(indices)), "a list of indices");
  attack(client, gather, "gathered rows beside the segment", indices[1]);
}

/* A handle that was closed names nothing; a job that has the buffer keeps it. */
static void attack_by_stale_handles(struct client* client) {
  uint64_t number;
  struct drm_npu_wait result;
  memset(client->buffers[kHost].bytes, 0x5a, MIB);
  for (int i = 0; i < 8; ++i) {
    struct npu_command command = to_host(0, OWN_BYTES);
    struct card_job job = job_of(client, 1);
    memcpy(client->buffers[kCommands].bytes, &command, sizeof(command));
    int error = card_submit(&client->card, &job, &number);
    if (error) card_fail(&client->card, "SUBMIT: %s", strerror(error));
    struct card_buffer old = client->buffers[kDevice];
    card_free(&client->card, &old);
    uint64_t refused;
    expect(card_submit(&client->card, &job, &refused) == ENOENT, "a closed handle is taken", (uint64_t)i);
    error = card_wait(&client->card, number, WAIT_NS, &result);
    expect(error == 0 && result.status == NPU_JOB_OK, "a job lost the buffer that it has", result.fault);
    client->buffers[kDevice] = card_device_buffer(&client->card, OWN_BYTES, 0);
  }
}

/* Whatever device memory the attacker is given, with sizes that fit the holes, reads as zeros. */
static void attack_by_new_memory(struct client* client) {
  static const uint64_t kSizes[] = {VICTIM_BYTES, OWN_BYTES, MIB, 64 * KIB};
  struct card_buffer taken[4 * 8];
  unsigned int count = 0;
  struct card_buffer own = client->buffers[kDevice];
  for (unsigned int i = 0; i < 4 * 8; ++i) {
    taken[count] = card_device_buffer(&client->card, kSizes[i / 8], 0);
    client->buffers[kDevice] = taken[count++];
    for (uint64_t at = 0; at < kSizes[i / 8]; at += MIB) {
      uint64_t bytes = kSizes[i / 8] - at < MIB ? kSizes[i / 8] - at : MIB;
      memset(client->buffers[kHost].bytes, 0xff, bytes);
      run_one(client, to_host(at, (uint32_t)bytes), "new memory");
      uint64_t first = 0;
      while (first < bytes && client->buffers[kHost].bytes[first] == 0) ++first;
      expect(first == bytes, "new memory is not zero", at + first);
    }
  }
  while (count) card_free(&client->card, &taken[--count]);
  client->buffers[kDevice] = own;
}

/* What the other process's jobs have left on the chip. */
static void attack_by_memory_on_chip(struct client* client) {
  for (unsigned int i = 0; i < 4 * (SCRATCHPADS + 1); ++i) {
    unsigned int engine = i % (SCRATCHPADS + 1);
    bool shared = engine == SCRATCHPADS;
    struct npu_command command =
        card_copy(shared ? 0 : engine, NPU_ADDRESS(shared ? NPU_SPACE_SHARED : NPU_SPACE_SCRATCHPAD, 0),
                  NPU_ADDRESS(kDevice, 0), 64 * KIB, NPU_TOKEN_NONE, NPU_TOKEN_NONE);
    command.kind = shared ? NPU_COMMAND_TASK_DMA : NPU_COMMAND_NEURAL_DMA;
    run_one(client, command, "memory on the chip");
    run_one(client, to_host(0, 64 * KIB), "memory on the chip to the host");
    expect(!secret_in(client->buffers[kHost].bytes, 64 * KIB), "a secret is left on the chip", engine);
  }
}

int main(int argc, char** argv) {
  program_name = "npu_isolation_test";
  if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
    bool help = argc == 2 && strcmp(argv[1], "--help") == 0;
    fputs(kHelp, help ? stdout : stderr);
    return help ? 0 : 2;
  }
  if (argc == 2) path = argv[1];
  int ready[2], stop[2], status;
  char byte;
  if (pipe(ready) || pipe(stop)) return 2;
  pid_t child = fork();
  if (child == 0) {
    close(stop[1]);
    exit(keep_secret(ready[1], stop[0]));
  }
  close(ready[1]);
  if (child < 0 || read(ready[0], &byte, 1) != 1) return 2;
  struct client attacker = client_open(OWN_BYTES);
  attack_by_commands(&attacker);
  attack_by_descriptors(&attacker);
  attack_by_stale_handles(&attacker);
  attack_by_new_memory(&attacker);
  attack_by_memory_on_chip(&attacker);
  close(stop[1]);
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    ++failures;
    printf("%s: the innocent process did not end well (status 0x%x)\n", program_name, (unsigned int)status);
  }
  card_close(&attacker.card);
  printf("%s: %s\n", program_name, failures ? "FAILED" : "ok");
  return failures != 0;
}
