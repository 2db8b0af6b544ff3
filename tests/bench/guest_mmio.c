// SPDX-License-Identifier: Apache-2.0
/* Runs in the guest, for bench_pcie: times 32-bit reads and posted writes of registers in BAR0 of PCI functions.
 * usage: guest_mmio COUNT VENDOR:DEVICE:READ_OFFSET:WRITE_OFFSET... (hexadecimal, offsets below 4 KiB)
 * prints one JSON object a line: {"device": "VENDOR:DEVICE", "read_ns": N, "write_ns": N, "value": N}, times of one
 * access, the best of kRounds rounds. The registers must not mind being read and written. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { kPage = 4096, kRounds = 30 };
static const char* const kDevices = "/sys/bus/pci/devices";

static int fail(const char* what, const char* name) {
  fprintf(stderr, "guest_mmio: %s: %s\n", name, what);
  return 1;
}

static unsigned attribute(const char* function, const char* name) {
  char path[512];
  unsigned value = 0;
  snprintf(path, sizeof path, "%s/%s/%s", kDevices, function, name);
  FILE* file = fopen(path, "r");
  if (file == NULL) return 0;
  if (fscanf(file, "%x", &value) != 1) value = 0;
  fclose(file);
  return value;
}

/* The first function with these ids; false if there is none. */
static int find(unsigned vendor, unsigned device, char* function, size_t size) {
  DIR* folder = opendir(kDevices);
  if (folder == NULL) return 0;
  int found = 0;
  for (struct dirent* entry; !found && (entry = readdir(folder)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    found = attribute(entry->d_name, "vendor") == vendor && attribute(entry->d_name, "device") == device;
    if (found) snprintf(function, size, "%s", entry->d_name);
  }
  closedir(folder);
  return found;
}

/* Writes to a file of the function; that it may be absent is no error. */
static void tell(const char* function, const char* name, const char* text) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s/%s", kDevices, function, name);
  FILE* file = fopen(path, "w");
  if (file == NULL) return;
  fputs(text, file);
  fclose(file);
}

static volatile uint32_t* map_bar0(const char* function) {
  char path[512];
  tell(function, "driver/unbind", function); /* the kernel maps no registers that a driver holds */
  tell(function, "enable", "1");             /* memory space */
  snprintf(path, sizeof path, "%s/%s/resource0", kDevices, function);
  const int fd = open(path, O_RDWR | O_SYNC);
  if (fd < 0) return NULL;
  void* mapped = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return mapped == MAP_FAILED ? NULL : mapped;
}

static double now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int measure(const char* words, unsigned long count) {
  unsigned vendor, device, read_offset, write_offset;
  char function[256];
  if (sscanf(words, "%x:%x:%x:%x", &vendor, &device, &read_offset, &write_offset) != 4 || read_offset > kPage - 4 ||
      write_offset > kPage - 4) {
    return fail("not VENDOR:DEVICE:READ_OFFSET:WRITE_OFFSET", words);
  }
  if (!find(vendor, device, function, sizeof function)) return fail("no such device", words);
  volatile uint32_t* bar = map_bar0(function);
  if (bar == NULL) return fail("its BAR0 cannot be mapped", function);

  double read_ns = 1e30, write_ns = 1e30;
  uint32_t value = 0;
  for (int round = 0; round < kRounds; ++round) {
    double begin = now_ns();
    for (unsigned long i = 0; i < count; ++i) value = bar[read_offset / 4];
    double each = (now_ns() - begin) / (double)count;
    if (each < read_ns) read_ns = each;
    begin = now_ns();
    for (unsigned long i = 0; i < count; ++i) bar[write_offset / 4] = (uint32_t)i;
    each = (now_ns() - begin) / (double)count;
    if (each < write_ns) write_ns = each;
    value = bar[read_offset / 4]; /* posted writes are over before the next round */
  }
  printf("{\"device\": \"%04x:%04x\", \"read_ns\": %.1f, \"write_ns\": %.1f, \"value\": %u}\n", vendor, device, read_ns,
         write_ns, value);
  return 0;
}

int main(int argc, char** argv) {
  const unsigned long count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
  if (count == 0) return fail("COUNT VENDOR:DEVICE:READ_OFFSET:WRITE_OFFSET...", "usage");
  for (int i = 2; i < argc; ++i) {
    if (measure(argv[i], count) != 0) return 1;
  }
  return 0;
}
