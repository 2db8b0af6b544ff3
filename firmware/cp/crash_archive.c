// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/crash_archive.h"

#include <stddef.h>
#include <string.h>

#include "firmware/abi/flash_layout.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/crc32.h"
#include "firmware/lib/flash.h"
#include "firmware/lib/log.h"

static_assert(sizeof(struct crash_archive_record) <= NPU_FLASH_SECTOR_BYTES, "a dump fits its sector");
static_assert(offsetof(struct crash_archive_record, dump) == sizeof(struct npu_crash_entry), "no gap");

/* For all of a dump. Longest by the data sheet of a W25Q32JV (9.6): 400 ms to end an erase that an update began, as
 * much again for one of ours, 3 ms for each of 12 pages. */
static const uint64_t kStoreTimeoutNs = 850 * ACLINT_NS_PER_MS;

static uint32_t header_checksum(const struct npu_crash_entry* entry) {
  return crc32(0, entry, offsetof(struct npu_crash_entry, header_checksum));
}

static uint32_t place_of(uint32_t sequence) {
  return NPU_FLASH_CRASH((sequence - 1) % NPU_FLASH_CRASH_PLACES);
}

/* False: the sector holds no complete dump of that place. */
static bool read_entry(uint32_t place, struct npu_crash_entry* entry) {
  flash_read(NPU_FLASH_CRASH(place), entry, sizeof(*entry));
  return entry->magic == NPU_CRASH_ENTRY_MAGIC && entry->version == NPU_CRASH_ENTRY_VERSION && entry->sequence != 0 &&
         entry->bytes <= sizeof(struct npu_crash_dump) && place_of(entry->sequence) == NPU_FLASH_CRASH(place) &&
         entry->header_checksum == header_checksum(entry);
}

/* Sequence of the newest dump; 0: there is none. */
static uint32_t newest(void) {
  uint32_t best = 0;
  for (uint32_t place = 0; place < NPU_FLASH_CRASH_PLACES; ++place) {
    struct npu_crash_entry entry;
    if (read_entry(place, &entry) && entry.sequence > best) best = entry.sequence;
  }
  return best;
}

static bool blank(uint32_t sector) {
  uint8_t page[NPU_FLASH_PAGE_BYTES];
  for (uint32_t at = 0; at < NPU_FLASH_SECTOR_BYTES; at += sizeof(page)) {
    flash_read(sector + at, page, sizeof(page));
    for (uint32_t i = 0; i < sizeof(page); ++i) {
      if (page[i] != 0xff) return false;
    }
  }
  return true;
}

uint32_t crash_archive_count(void) {
  uint32_t last = newest(), count = 0;
  struct npu_crash_entry entry;
  while (count < NPU_FLASH_CRASH_PLACES && count < last &&
         read_entry((last - count - 1) % NPU_FLASH_CRASH_PLACES, &entry) && entry.sequence == last - count) {
    ++count;
  }
  return count;
}

void crash_archive_prepare(void) {
  if (!flash_present()) return;
  uint32_t dumps = crash_archive_count();
  if (dumps != 0) log_line("the flash holds %u crash dump%s of earlier runs", dumps, dumps == 1 ? "" : "s");
  uint32_t next = place_of(newest() + 1);
  if (!blank(next) && !flash_erase(next)) log_line("no place for a crash dump in flash: it does not end an erase");
}

bool crash_archive_read(uint32_t index, struct crash_archive_record* record) {
  if (index >= crash_archive_count()) return false;
  uint32_t at = place_of(newest() - index);
  flash_read(at, record, sizeof(*record));
  return true;
}

/* Programs any range, page by page. */
static bool program(uint32_t address, const void* data, uint32_t bytes, uint64_t deadline_ns) {
  const uint8_t* in = data;
  while (bytes > 0) {
    uint32_t room = NPU_FLASH_PAGE_BYTES - address % NPU_FLASH_PAGE_BYTES;
    uint32_t piece = bytes < room ? bytes : room;
    flash_start_program(address, in, piece);
    if (!flash_settle(deadline_ns)) return false;
    address += piece;
    in += piece;
    bytes -= piece;
  }
  return true;
}

bool crash_archive_store(const struct npu_crash_dump* dump) {
  uint64_t deadline_ns = aclint_time_ns() + kStoreTimeoutNs;
  if (!flash_settle(deadline_ns) || !flash_present()) return false;
  struct npu_crash_entry entry = {
      .magic = NPU_CRASH_ENTRY_MAGIC,
      .version = NPU_CRASH_ENTRY_VERSION,
      .sequence = newest() + 1,
      .bytes = sizeof(*dump),
      .checksum = crc32(0, dump, sizeof(*dump)),
  };
  entry.header_checksum = header_checksum(&entry);
  uint32_t at = place_of(entry.sequence);
  if (!blank(at)) {
    flash_start_erase(at);
    if (!flash_settle(deadline_ns)) return false;
  }
  return program(at + sizeof(entry), dump, sizeof(*dump), deadline_ns) &&
         program(at, &entry, sizeof(entry), deadline_ns);
}
