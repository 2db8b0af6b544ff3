// SPDX-License-Identifier: Apache-2.0
/*
 * Attacks a card from a virtual function that no driver has, by its registers, its window and its DMA: whatever another
 * function has on the card must stay out of reach. --help tells the options. Host memory is not attacked: without an
 * IOMMU all of it is open to any function's DMA, as to any other device's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/abi/command.h"
#include "firmware/abi/context.h"
#include "firmware/abi/mailbox.h"
#include "firmware/abi/memory_map.h"
#include "firmware/abi/queue.h"
#include "npu/registers/mailbox.h"
#include "tests/driver/secret.h"

static const char kHelp[] =
    "usage: npu_attack_test BDF\n"
    "Attacks from the function at BDF (as 10000:01:00.2), which must not be bound to a driver. Other functions of the\n"
    "card keep secrets meanwhile (npu_secret_test). Prints a line for each kind of attack. Exit status 0; 1 when one\n"
    "succeeded; 2 when it could not be tried.\n";

#define PAGE NPU_HOST_PAGE_BYTES
#define LOG2_ENTRIES 4u
#define ENTRIES (1u << LOG2_ENTRIES)
#define CONTEXT 1u
#define LOOT_PAGES 512u /* 2 MiB: one page of addresses lists them */
#define MOST_TARGETS 64
#define PATIENCE 20000 /* polls of 500 us */

/* Pages for DMA, locked. */
enum { kSubmissions, kCompletions, kCommands, kCommandList, kTable, kLootList, kLoot, kPages = kLoot + LOOT_PAGES };

static volatile uint32_t* registers;
static unsigned char* window;
static uint64_t window_bytes;
static unsigned char* memory;
static uint64_t bus[kPages]; /* address of each page */
static uint64_t share_base, share_bytes;
static uint64_t targets[MOST_TARGETS]; /* BARs of other functions */
static unsigned int target_count;
static uint32_t sequence, tail, head, phase;
static uint64_t job;
static uint32_t last_fault; /* of the job that ended last */
static unsigned int attacks, successes;

static void fail(const char* what) {
  fprintf(stderr, "npu_attack_test: %s: %s\n", what, strerror(errno));
  exit(2);
}

static void attacked(bool success, const char* what, uint64_t detail) {
  ++attacks;
  if (!success) return;
  ++successes;
  printf("success of the attack: %s (0x%" PRIx64 ")\n", what, detail);
}

/* The function */

static uint32_t get(uint32_t offset) {
  return registers[offset / 4];
}

static void set(uint32_t offset, uint32_t value) {
  registers[offset / 4] = value;
}

static void* page(unsigned int number) {
  return memory + (uint64_t)number * PAGE;
}

static void* map_resource(const char* bdf, unsigned int bar, uint64_t* bytes) {
  char path[128];
  struct stat status;
  snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%u", bdf, bar);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) != 0) fail(path);
  void* mapped = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) fail(path);
  close(fd);
  *bytes = (uint64_t)status.st_size;
  return mapped;
}

static void enable_mastering(const char* bdf) {
  char path[128];
  snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  uint16_t command = 0x6;
  if (fd < 0 || pwrite(fd, &command, sizeof(command), 4) != sizeof(command)) fail(path);
  close(fd);
}

static void lock_memory(void) {
  memory = mmap(NULL, kPages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (memory == MAP_FAILED || mlock(memory, kPages * PAGE) != 0 || pagemap < 0) fail("memory for DMA");
  for (unsigned int i = 0; i < kPages; ++i) {
    uint64_t entry = 0;
    off_t at = (off_t)((uintptr_t)page(i) / PAGE * sizeof(entry));
    if (pread(pagemap, &entry, sizeof(entry), at) != sizeof(entry)) fail("/proc/self/pagemap");
    bus[i] = (entry & ((UINT64_C(1) << 55) - 1)) * PAGE;
    if (bus[i] == 0) fail("/proc/self/pagemap tells no addresses");
  }
  close(pagemap);
}

/* BARs of the other functions of the card. */
static void find_targets(const char* bdf) {
  DIR* folder = opendir("/sys/bus/pci/devices");
  if (!folder) fail("/sys/bus/pci/devices");
  size_t bus_part = strlen("10000:01:");
  for (struct dirent* entry; (entry = readdir(folder)) != NULL;) {
    if (strncmp(entry->d_name, bdf, bus_part) != 0 || strcmp(entry->d_name, bdf) == 0) continue;
    char path[300];
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", entry->d_name);
    FILE* file = fopen(path, "r");
    if (!file) fail(path);
    uint64_t start, end, flags;
    for (int bar = 0; bar < 3 && fscanf(file, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start, &end, &flags) == 3; ++bar) {
      if (bar != 1 && start != 0 && target_count < MOST_TARGETS) targets[target_count++] = start;
    }
    fclose(file);
  }
  closedir(folder);
}

/* Word 0 of the reply; all ones when there is none. */
static uint32_t message(uint32_t opcode, uint32_t words[NPU_MAILBOX_WORDS]) {
  words[0] = NPU_MAILBOX_WORD0(opcode, ++sequence, 0);
  for (uint32_t i = 0; i < NPU_MAILBOX_WORDS; ++i) set(MAILBOX_HOST_H2C_DATA(i), words[i]);
  set(MAILBOX_HOST_H2C_DOORBELL, 1);
  for (int polls = 0; !(get(MAILBOX_HOST_STATUS) & MAILBOX_HOST_STATUS_C2H_PENDING_MASK); ++polls) {
    if (polls == PATIENCE) return words[0] = UINT32_MAX;
    usleep(500);
  }
  for (uint32_t i = 0; i < NPU_MAILBOX_WORDS; ++i) words[i] = get(MAILBOX_HOST_C2H_DATA(i));
  set(MAILBOX_HOST_STATUS, MAILBOX_HOST_STATUS_C2H_PENDING_MASK);
  return words[0];
}

static uint32_t status_of(uint32_t opcode, uint32_t argument) {
  uint32_t words[NPU_MAILBOX_WORDS] = {0, argument, 0, 0, NPU_ABI_VERSION};
  return NPU_MAILBOX_STATUS(message(opcode, words));
}

static uint32_t create(uint32_t queue, uint32_t vector, uint64_t submissions, uint64_t completions) {
  uint32_t words[NPU_MAILBOX_WORDS] = {0,
                                       (queue & 0xff) | LOG2_ENTRIES << 8 | vector << 16,
                                       (uint32_t)submissions,
                                       (uint32_t)(submissions >> 32),
                                       (uint32_t)completions,
                                       (uint32_t)(completions >> 32),
                                       CONTEXT};
  return NPU_MAILBOX_STATUS(message(NPU_MESSAGE_QUEUE_CREATE, words));
}

/* Resets the function, as its CARD_RESET does, and gives it a queue. */
static void start(void) {
  set(MAILBOX_HOST_CONTROL, MAILBOX_HOST_CONTROL_CARD_RESET_MASK);
  uint32_t words[NPU_MAILBOX_WORDS] = {0, NPU_ABI_VERSION};
  if (NPU_MAILBOX_STATUS(message(NPU_MESSAGE_HELLO, words)) != NPU_MAILBOX_OK) fail("HELLO");
  share_base = (uint64_t)words[7] << 20;
  share_bytes = (uint64_t)words[5] << 20;
  memset(page(kCompletions), 0, PAGE);
  tail = head = 0;
  phase = 1;
  if (create(0, 1, bus[kSubmissions], bus[kCompletions]) != NPU_MAILBOX_OK) fail("QUEUE_CREATE");
}

/* Runs a job; its status (enum npu_job_status), or all ones when it never ends. */
static uint32_t run(const struct npu_segment* segments, uint32_t count, uint32_t commands) {
  memcpy(page(kTable), segments, count * sizeof(*segments));
  struct npu_submission submission = {.opcode = NPU_SUBMIT_EXECUTE,
                                      .context = CONTEXT,
                                      .job = ++job,
                                      .segment_table = bus[kTable],
                                      .segment_count = count,
                                      .command_bytes = commands * (uint32_t)sizeof(struct npu_command)};
  memcpy((struct npu_submission*)page(kSubmissions) + tail, &submission, sizeof(submission));
  tail = (tail + 1) % ENTRIES;
  __sync_synchronize();
  set(MAILBOX_HOST_SQ_TAIL(0), tail);
  volatile struct npu_completion* completion = (struct npu_completion*)page(kCompletions) + head;
  for (int polls = 0; completion->phase != phase; ++polls) {
    if (polls == PATIENCE) return UINT32_MAX;
    usleep(500);
  }
  uint32_t status = completion->status;
  last_fault = completion->fault;
  head = (head + 1) % ENTRIES;
  if (head == 0) phase ^= 1;
  set(MAILBOX_HOST_CQ_HEAD(0), head);
  return status;
}

static struct npu_segment host_pages(unsigned int list, uint64_t bytes) {
  return (struct npu_segment){bus[list], bytes, NPU_SEGMENT_HOST_PAGES, NPU_SEGMENT_WRITABLE, 0};
}

static struct npu_segment dram(uint64_t base, uint64_t bytes) {
  return (struct npu_segment){base, bytes, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0};
}

static void list_loot(void) {
  for (unsigned int i = 0; i < LOOT_PAGES; ++i) ((uint64_t*)page(kLootList))[i] = bus[kLoot + i];
}

/* Segments of the jobs here. */
enum { kCommandSegment, kLootSegment, kDramSegment, kSegments };

static struct npu_command copy(unsigned int kind, unsigned int engine, uint64_t source, uint64_t destination,
                               uint32_t bytes) {
  struct npu_command command = {.kind = (uint8_t)kind,
                                .opcode = NPU_DMA_COPY,
                                .engine = (uint8_t)engine,
                                .signal = NPU_TOKEN_NONE,
                                .u.dma = {.source = source, .destination = destination, .rows = 1, .row_bytes = bytes}};
  for (unsigned int i = 0; i < NPU_TOKEN_WAITS; ++i) command.wait[i].token = NPU_TOKEN_NONE;
  return command;
}

static uint32_t run_command(struct npu_command command, struct npu_segment device) {
  struct npu_segment segments[kSegments] = {host_pages(kCommandList, PAGE), host_pages(kLootList, LOOT_PAGES * PAGE),
                                            device};
  memcpy(page(kCommands), &command, sizeof(command));
  return run(segments, kSegments, 1);
}

/* What the card gave: is anything of it a secret? */
static bool loot_is_secret(void) {
  return secret_in(page(kLoot), LOOT_PAGES * PAGE);
}

/* The attacks */

/* Where the registers are; the first value goes everywhere. */
static bool is_register(uint32_t offset) {
  return offset < 0x100 || (offset >= 0x1000 && offset < 0x1100) ||
         (offset >= NPU_BAR0_MSIX_TABLE && offset < NPU_BAR0_MSIX_TABLE + 0x200);
}

static void attack_registers(void) {
  static const uint32_t kValues[] = {UINT32_MAX, 1, 0, 0xa5a5a5a5};
  for (unsigned int i = 0; i < sizeof(kValues) / sizeof(kValues[0]); ++i) {
    for (uint32_t offset = 0; offset < NPU_BAR0_BYTES; offset += 4) {
      if (i == 0 || is_register(offset)) set(offset, kValues[i]);
    }
  }
  uint32_t last = 0;
  for (uint32_t offset = 0; offset < NPU_BAR0_BYTES; offset += 4) {
    uint64_t pair[1] = {(uint64_t)get(offset) << 32 | last};
    attacked(secret_in(pair, sizeof(pair)), "a register shows a secret", offset);
    last = (uint32_t)(pair[0] >> 32);
  }
  attacked((get(MAILBOX_HOST_CARD_STATE) & 0xff) != MAILBOX_HOST_CARD_STATE_STATE_READY, "the firmware stopped", 0);
}

static void attack_messages(void) {
  for (uint32_t opcode = 0; opcode < 64; ++opcode) {
    if (opcode == NPU_MESSAGE_HELLO || (opcode >= NPU_MESSAGE_QUEUE_CREATE && opcode <= NPU_MESSAGE_PING)) continue;
    if (opcode >= NPU_MESSAGE_CONTEXT_CREATE && opcode <= NPU_MESSAGE_FAULT_READ) continue;
    if (opcode == NPU_MESSAGE_CONTEXT_TIME) continue;
    if (opcode >= NPU_MESSAGE_CONTEXT_MAP && opcode <= NPU_MESSAGE_DRAM_CLEAR) continue;
    attacked(status_of(opcode, 1) != NPU_MAILBOX_NOT_PERMITTED, "a message of the physical function", opcode);
  }
  for (uint32_t queue = NPU_VF_QUEUES; queue < 40; ++queue) {
    attacked(status_of(NPU_MESSAGE_QUEUE_DESTROY, queue) == NPU_MAILBOX_OK, "QUEUE_DESTROY", queue);
    attacked(create(queue, 1, bus[kSubmissions], bus[kCompletions]) == NPU_MAILBOX_OK, "QUEUE_CREATE", queue);
  }
  for (uint32_t vector = NPU_VF_MSIX_VECTORS; vector < 40; ++vector) {
    attacked(create(1, vector, bus[kSubmissions], bus[kCompletions]) == NPU_MAILBOX_OK, "vector", vector);
  }
}

static void attack_window(void) {
  for (uint64_t i = 0; i < window_bytes; i += PAGE) {
    uint64_t words[8];
    for (unsigned int word = 0; word < 8; ++word) words[word] = ((volatile uint64_t*)(window + i))[word];
    attacked(secret_in(words, sizeof(words)), "the window shows a secret", i);
    ((volatile uint64_t*)(window + i))[0] = UINT64_MAX;
  }
}

static void attack_segment(struct npu_segment segment) {
  list_loot();
  uint32_t status = run_command(
      copy(NPU_COMMAND_EXTERNAL_HDMA, 1, NPU_ADDRESS(kDramSegment, 0), NPU_ADDRESS(kLootSegment, 0), PAGE), segment);
  attacked(status != NPU_JOB_BAD_SUBMISSION, "a segment outside of the share is read", segment.base);
  status = run_command(
      copy(NPU_COMMAND_EXTERNAL_HDMA, 0, NPU_ADDRESS(kLootSegment, 0), NPU_ADDRESS(kDramSegment, 0), PAGE), segment);
  attacked(status != NPU_JOB_BAD_SUBMISSION, "a segment outside of the share is written", segment.base);
  struct npu_segment commands[2] = {segment, host_pages(kLootList, PAGE)};
  attacked(run(commands, 2, 1) != NPU_JOB_BAD_SUBMISSION, "commands outside of the share", segment.base);
}

static void attack_segments(void) {
  static const uint64_t kPlaces[] = {
      NPU_MAP_ROM,           NPU_MAP_TCM,        NPU_MAP_ACLINT,     NPU_MAP_PLIC,
      NPU_MAP_TASK_MANAGER,  NPU_MAP_NEURAL_DMA, NPU_MAP_APERTURE,   NPU_MAP_MAILBOX,
      NPU_MAP_NEURAL_ENGINE, NPU_MAP_SHARED,     NPU_MAP_SCRATCHPAD, NPU_MAP_DRAM,
      NPU_MAP_HOST,          NPU_MAP_TASK_DMA,   NPU_MAP_UART,       NPU_MAP_DRAM + NPU_DRAM_RESERVED_BYTES,
      NPU_MAP_EXTERNAL_HDMA};
  for (unsigned int i = 0; i < sizeof(kPlaces) / sizeof(kPlaces[0]); ++i) attack_segment(dram(kPlaces[i], PAGE));
  attack_segment(dram(share_base - PAGE, PAGE));
  attack_segment(dram(share_base - PAGE, 2 * PAGE));
  attack_segment(dram(share_base + share_bytes, PAGE));
  attack_segment(dram(share_base + share_bytes - PAGE, 2 * PAGE));
  attack_segment(dram(share_base, share_bytes + 1));
  attack_segment(dram(share_base, UINT64_MAX));
  attack_segment(dram(share_base + PAGE, UINT64_MAX - share_base));
  for (uint64_t away = 1; away <= NPU_MAX_VFS; ++away) {
    attack_segment(dram(share_base + away * share_bytes, PAGE));
    attack_segment(dram(share_base - away * share_bytes, PAGE));
  }
}

/* What a job of another function has left. */
static void attack_memories(void) {
  uint64_t half = LOOT_PAGES * PAGE / 2;
  struct npu_segment own = dram(share_base, LOOT_PAGES * PAGE);
  for (unsigned int engine = 0; engine <= 8; ++engine) {
    bool shared = engine == 8;
    uint64_t source = NPU_ADDRESS(shared ? NPU_SPACE_SHARED : NPU_SPACE_SCRATCHPAD, 0);
    uint32_t status = run_command(copy(shared ? NPU_COMMAND_TASK_DMA : NPU_COMMAND_NEURAL_DMA, shared ? 0 : engine,
                                       source, NPU_ADDRESS(kDramSegment, half), (uint32_t)half),
                                  own);
    if (status != NPU_JOB_OK) fail("a copy from the card's memories");
    status = run_command(copy(NPU_COMMAND_EXTERNAL_HDMA, 1, NPU_ADDRESS(kDramSegment, half),
                              NPU_ADDRESS(kLootSegment, 0), (uint32_t)half),
                         own);
    if (status != NPU_JOB_OK) fail("a copy to the host");
    attacked(loot_is_secret(), shared ? "shared memory" : "a scratchpad", engine);
  }
}

static void attack_commands(void) {
  static const unsigned int kKinds[] = {NPU_COMMAND_EXTERNAL_HDMA, NPU_COMMAND_NEURAL_DMA, NPU_COMMAND_TASK_DMA};
  static const unsigned int kSpaces[] = {0, 1, 2, 3, 15, 0x7f, NPU_SPACE_SCRATCHPAD, NPU_SPACE_SHARED, 0xff};
  srand(1);
  for (int round = 0; round < 300; ++round) {
    uint64_t addresses[2];
    for (int side = 0; side < 2; ++side) {
      uint64_t offsets[] = {0,        PAGE,      share_bytes,      share_bytes - PAGE,
                            4u << 20, 32u << 20, (32u << 20) - 64, UINT64_C(0) - share_bytes};
      addresses[side] = NPU_ADDRESS(kSpaces[rand() % 9], NPU_ADDRESS_OFFSET(offsets[rand() % 8]));
    }
    struct npu_command command =
        copy(kKinds[rand() % 3], (unsigned int)rand() % 2, addresses[0], addresses[1], rand() % 2 ? PAGE : 1u << 20);
    if (rand() % 4 == 0) command.u.dma.rows = 2;
    command.u.dma.source_stride = command.u.dma.destination_stride = NPU_ADDRESS_OFFSET(UINT64_C(0) - share_bytes);
    attacked(run_command(command, dram(share_base, share_bytes)) == UINT32_MAX, "the card hangs", (uint64_t)round);
    attacked(loot_is_secret(), "a command brings a secret", (uint64_t)round);
  }
}

/* DMA to the bus addresses of other functions' registers and windows. */
static void attack_bars(void) {
  struct npu_segment own = dram(share_base, share_bytes);
  for (unsigned int i = 0; i < target_count; ++i) {
    list_loot();
    ((uint64_t*)page(kLootList))[0] = targets[i];
    run_command(copy(NPU_COMMAND_EXTERNAL_HDMA, 1, NPU_ADDRESS(kDramSegment, 0),
                     NPU_ADDRESS(kLootSegment, MAILBOX_HOST_CONTROL), 4),
                own);
    uint32_t status = run_command(
        copy(NPU_COMMAND_EXTERNAL_HDMA, 0, NPU_ADDRESS(kLootSegment, 0), NPU_ADDRESS(kDramSegment, 0), 64), own);
    attacked(status == NPU_JOB_OK, "a read of another function's BAR", targets[i]);
    create(1, 2, targets[i], targets[i]);
    set(MAILBOX_HOST_SQ_TAIL(1), 1);
    usleep(2000);
    status_of(NPU_MESSAGE_QUEUE_DESTROY, 1);
    set(MAILBOX_HOST_SQ_TAIL(1), 0);
  }
}

static uint32_t pages_message(uint32_t opcode, uint64_t address, uint32_t pages) {
  uint32_t words[NPU_MAILBOX_WORDS] = {
      0,
      opcode == NPU_MESSAGE_DRAM_CLEAR ? 0 : CONTEXT,
      (uint32_t)address,
      (uint32_t)(address >> 32),
      pages,
      opcode == NPU_MESSAGE_CONTEXT_MAP ? NPU_CONTEXT_MAP_READ | NPU_CONTEXT_MAP_WRITE : 0};
  return NPU_MAILBOX_STATUS(message(opcode, words));
}

/* A page of the card to the loot, in whatever context the queue belongs to. */
static uint32_t take_page(uint64_t address) {
  list_loot();
  memset(page(kLoot), 0, LOOT_PAGES * PAGE);
  return run_command(
      copy(NPU_COMMAND_EXTERNAL_HDMA, 1, NPU_ADDRESS(kDramSegment, 0), NPU_ADDRESS(kLootSegment, 0), PAGE),
      dram(address, PAGE));
}

/*
 * What another context of the same function has, which segment tables may name: the device MMU refuses it. The secret
 * is this program's own, left by a context that reaches everything.
 */
static void attack_address_space(void) {
  uint64_t secret = share_base, own = share_base + NPU_CONTEXT_PAGE_BYTES;
  list_loot();
  secret_fill(page(kLoot), 1, 0, LOOT_PAGES * PAGE);
  if (run_command(copy(NPU_COMMAND_EXTERNAL_HDMA, 0, NPU_ADDRESS(kLootSegment, 0), NPU_ADDRESS(kDramSegment, 0),
                       2 * NPU_CONTEXT_PAGE_BYTES),
                  dram(share_base, share_bytes)) != NPU_JOB_OK) {
    fail("the secret");
  }
  if (take_page(secret) != NPU_JOB_OK || !loot_is_secret()) fail("the secret is not there");
  uint32_t words[NPU_MAILBOX_WORDS] = {0, CONTEXT, NPU_CONTEXT_WORD(NPU_PRIORITY_NORMAL, 0, NPU_CONTEXT_ADDRESS_SPACE)};
  status_of(NPU_MESSAGE_QUEUE_DESTROY, 0);
  if (NPU_MAILBOX_STATUS(message(NPU_MESSAGE_CONTEXT_CREATE, words)) != NPU_MAILBOX_OK) fail("CONTEXT_CREATE");
  memset(page(kCompletions), 0, PAGE);
  set(MAILBOX_HOST_SQ_TAIL(0), tail = 0);
  set(MAILBOX_HOST_CQ_HEAD(0), head = 0);
  phase = 1;
  if (create(0, 1, bus[kSubmissions], bus[kCompletions]) != NPU_MAILBOX_OK) fail("QUEUE_CREATE");
  if (pages_message(NPU_MESSAGE_CONTEXT_MAP, own, 1) != NPU_MAILBOX_OK) fail("CONTEXT_MAP");
  if (take_page(own) != NPU_JOB_OK) fail("mapped memory cannot be read");
  for (int round = 0; round < 4; ++round) {
    uint32_t status = take_page(secret);
    attacked(status != NPU_JOB_FAULT || last_fault != NPU_FAULT_TRANSLATION, "memory that is not mapped", last_fault);
    attacked(loot_is_secret(), "a secret of another context", secret);
    status = take_page(own + NPU_CONTEXT_PAGE_BYTES - PAGE / 2);
    attacked(status != NPU_JOB_FAULT || last_fault != NPU_FAULT_TRANSLATION, "the page behind the last", last_fault);
  }
  struct npu_segment commands[2] = {dram(secret, PAGE), host_pages(kLootList, PAGE)};
  attacked(run(commands, 2, 1) != NPU_JOB_BAD_SUBMISSION, "commands that are not mapped", secret);
  if (pages_message(NPU_MESSAGE_CONTEXT_UNMAP, own, 1) != NPU_MAILBOX_OK) fail("CONTEXT_UNMAP");
  attacked(take_page(own) != NPU_JOB_FAULT, "memory that was unmapped", own);
  static const uint32_t kMessages[] = {NPU_MESSAGE_CONTEXT_MAP, NPU_MESSAGE_CONTEXT_UNMAP, NPU_MESSAGE_DRAM_CLEAR};
  for (unsigned int i = 0; i < 3; ++i) {
    const uint64_t places[] = {share_base - NPU_CONTEXT_PAGE_BYTES,
                               share_base + share_bytes,
                               NPU_MAP_DRAM,
                               NPU_MAP_DRAM + NPU_DRAM_PAGE_TABLES,
                               NPU_MAP_TCM,
                               UINT64_C(0) - (1u << 16)};
    for (unsigned int place = 0; place < sizeof(places) / sizeof(places[0]); ++place) {
      attacked(pages_message(kMessages[i], places[place], 1) != NPU_MAILBOX_BAD_ARGUMENT, "pages of others", i);
      attacked(pages_message(kMessages[i], share_base, UINT32_MAX - place) != NPU_MAILBOX_BAD_ARGUMENT,
               "too many pages", i);
    }
  }
}

static void attack(const char* name, void (*how)(void)) {
  unsigned int attacks_before = attacks, successes_before = successes;
  start();
  list_loot();
  how();
  printf("%s: %u attacks, %u succeeded\n", name, attacks - attacks_before, successes - successes_before);
  fflush(stdout);
}

int main(int argc, char** argv) {
  if (argc != 2 || strcmp(argv[1], "--help") == 0) {
    fputs(kHelp, argc == 2 ? stdout : stderr);
    return argc == 2 ? 0 : 2;
  }
  uint64_t bytes;
  enable_mastering(argv[1]);
  registers = map_resource(argv[1], 0, &bytes);
  window = map_resource(argv[1], 2, &window_bytes);
  lock_memory();
  ((uint64_t*)page(kCommandList))[0] = bus[kCommands];
  find_targets(argv[1]);
  attack("registers", attack_registers);
  attack("messages", attack_messages);
  attack("window", attack_window);
  attack("segments", attack_segments);
  attack("memories", attack_memories);
  attack("commands", attack_commands);
  attack("bars", attack_bars);
  attack("address space", attack_address_space);
  start();
  printf("%u attacks, %u succeeded\n", attacks, successes);
  return successes != 0;
}
