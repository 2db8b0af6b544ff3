// SPDX-License-Identifier: Apache-2.0
#include "models/task_manager/segment_table.h"

#include <algorithm>
#include <utility>

#include "firmware/abi/page_table.h"

namespace npuvp::task_manager {

using sc_core::sc_time;

namespace {

constexpr uint64_t kPageBytes = NPU_HOST_PAGE_BYTES;
constexpr uint64_t kEntryBytes = sizeof(uint64_t);
constexpr uint64_t kHostBytes = NPU_MAP_HOST_ADDRESS_MASK + 1;

bool inside(uint64_t offset, uint64_t bytes, uint64_t size) {
  return offset <= size && bytes <= size - offset;
}

uint64_t pages_of(uint64_t bytes) {
  return bytes / kPageBytes + (bytes % kPageBytes != 0 ? 1 : 0);
}

bool is_host_page(uint64_t bus_address) {
  return bus_address % kPageBytes == 0 && (bus_address & ~NPU_MAP_HOST_ADDRESS_MASK) == 0;
}

}  // namespace

SegmentTable::SegmentTable(const Memories& memories, base::InitiatorPort& port, uint16_t context, uint16_t function,
                           uint16_t asid)
    : memories_(memories),
      port_(port),
      context_(context),
      function_(function),
      device_bytes_(asid == 0 ? memories.dram_bytes : NPU_MMU_VIRTUAL_BYTES) {}

size_t SegmentTable::load(std::span<const npu_segment> segments) {
  segments_.clear();
  for (const auto& segment : segments) {
    if (!well_formed(segment)) break;
    segments_.push_back({segment, {}, {}});
  }
  return segments_.size();
}

bool SegmentTable::well_formed(const npu_segment& segment) const {
  if ((segment.flags & ~NPU_SEGMENT_WRITABLE) != 0 || segment.reserved != 0) return false;
  switch (segment.kind) {
    case NPU_SEGMENT_DEVICE:
      return segment.base >= NPU_MAP_DRAM && inside(segment.base - NPU_MAP_DRAM, segment.size, device_bytes_);
    case NPU_SEGMENT_HOST_PAGES:
      return segment.base % kEntryBytes == 0 && inside(segment.base, pages_of(segment.size) * kEntryBytes, kHostBytes);
    default:
      return false;
  }
}

base::AddressSpace::Range SegmentTable::translate(uint64_t address, uint64_t bytes, bool write, uint16_t engine,
                                                  sc_time& delay) {
  const uint32_t space = NPU_ADDRESS_SPACE(address);
  const uint64_t offset = NPU_ADDRESS_OFFSET(address);
  if (space == NPU_SPACE_SCRATCHPAD) {
    if (engine >= memories_.neural_engines || !inside(offset, bytes, memories_.scratchpad_bytes)) {
      return {NPU_FAULT_ADDRESS};
    }
    return {NPU_FAULT_NONE, NPU_MAP_SCRATCHPAD + engine * NPU_MAP_SCRATCHPAD_STRIDE + offset, bytes};
  }
  if (space == NPU_SPACE_SHARED) {
    if (!inside(offset, bytes, memories_.shared_bytes)) return {NPU_FAULT_ADDRESS};
    return {NPU_FAULT_NONE, NPU_MAP_SHARED + memories_.shared_base + offset, bytes};
  }
  if (space >= segments_.size()) return {NPU_FAULT_ADDRESS};
  auto& segment = segments_[space];
  if (!inside(offset, bytes, segment.description.size)) return {NPU_FAULT_ADDRESS};
  if (write && (segment.description.flags & NPU_SEGMENT_WRITABLE) == 0) return {NPU_FAULT_PERMISSION};
  if (segment.description.kind == NPU_SEGMENT_DEVICE) {
    return {NPU_FAULT_NONE, segment.description.base + offset, bytes};
  }
  return translate_pages(segment, offset, bytes, delay);
}

/// As many pages as follow each other on the bus and whose entries are at hand.
base::AddressSpace::Range SegmentTable::translate_pages(Segment& segment, uint64_t offset, uint64_t bytes,
                                                        sc_time& delay) {
  const uint64_t entry = offset / kPageBytes;
  if (const auto fault = make_current(segment, entry, delay); fault != NPU_FAULT_NONE) return {fault};
  fetch_ahead(segment, (offset + std::max<uint64_t>(bytes, 1) - 1) / kPageBytes, delay);
  const auto& [first_entry, entries, ready] = segment.current;
  const auto first = entries.begin() + static_cast<int64_t>(entry - first_entry);
  if (!is_host_page(*first)) return {NPU_FAULT_ADDRESS};
  uint64_t reach = kPageBytes - offset % kPageBytes;
  for (auto next = first + 1; next != entries.end() && reach < bytes; ++next) {
    if (!is_host_page(*next) || *next != *(next - 1) + kPageBytes) break;
    reach += kPageBytes;
  }
  return {NPU_FAULT_NONE, NPU_MAP_HOST | (*first + offset % kPageBytes), std::min(reach, bytes)};
}

/// Makes `entry` of the page list available.
npu_fault SegmentTable::make_current(Segment& segment, uint64_t entry, sc_time& delay) {
  if (segment.current.holds(entry)) return NPU_FAULT_NONE;
  if (!segment.ahead.holds(entry)) return fetch(segment.current, segment.description, entry, delay);
  segment.current = std::exchange(segment.ahead, {});
  const sc_time now = sc_core::sc_time_stamp();
  delay = std::max(delay, segment.current.ready - std::min(now, segment.current.ready));
  return NPU_FAULT_NONE;
}

/// For a transfer that needs entries up to `last_entry`. What cannot be read is reported when it is needed.
void SegmentTable::fetch_ahead(Segment& segment, uint64_t last_entry, sc_time delay) {
  const uint64_t next = segment.current.end();
  if (last_entry < next || segment.ahead.holds(next)) return;
  static_cast<void>(fetch(segment.ahead, segment.description, next, delay));
}

/// Reads the aligned 4 KiB block of the list that holds `entry`.
npu_fault SegmentTable::fetch(Block& block, const npu_segment& segment, uint64_t entry, sc_time& delay) {
  const uint64_t list = segment.base;
  const uint64_t list_end = list + pages_of(segment.size) * kEntryBytes;
  const uint64_t page = (list + entry * kEntryBytes) / kPageBytes * kPageBytes;
  const uint64_t begin = std::max(list, page);
  const uint64_t end = std::min(list_end, page + kPageBytes);
  block.first_entry = (begin - list) / kEntryBytes;
  block.entries.resize((end - begin) / kEntryBytes);
  const std::span<uint8_t> data(reinterpret_cast<uint8_t*>(block.entries.data()), end - begin);

  port_.sideband().context = context_;
  port_.sideband().function = function_;
  const auto response = port_.read(NPU_MAP_HOST | begin, data, delay);
  const bool poisoned = port_.sideband().poison;
  port_.sideband().poison = false;
  block.ready = sc_core::sc_time_stamp() + delay;
  if (response == tlm::TLM_OK_RESPONSE && !poisoned) return NPU_FAULT_NONE;
  block.entries.clear();
  return poisoned ? NPU_FAULT_POISON : NPU_FAULT_BUS;
}

}  // namespace npuvp::task_manager
