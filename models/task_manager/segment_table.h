// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <systemc>
#include <vector>

#include "firmware/abi/command.h"
#include "firmware/abi/memory_map.h"
#include "firmware/abi/queue.h"
#include "models/base/command_port.h"
#include "models/base/initiator_port.h"

namespace npuvp::task_manager {

/// The parts of the card's address map that commands may reach.
struct Memories {
  unsigned neural_engines = 8;
  uint64_t scratchpad_bytes = 4ULL << 20;
  uint64_t shared_base = 0;  ///< Where the shared memory that commands see begins in that of the card.
  uint64_t shared_bytes = 32ULL << 20;
  uint64_t dram_bytes = 16ULL << 30;
};

/// Address space of one job: its segments, the scratchpads and the shared memory.
///
/// Everything in it comes from the host and is checked at use. The page list of a HOST_PAGES segment stays in host
/// memory; two 4 KiB blocks of the list, of at most 512 entries each, are held for each segment: the one used last, and
/// the one behind it as soon as a transfer is known to go on there. Fetching a block takes the time of one read through
/// `port`; a transfer waits only for a block that is not there yet.
class SegmentTable final : public base::AddressSpace {
 public:
  /// Page lists are read in `context` and in the name of PCIe function `function`. `port` must outlive the table. With
  /// an address space `asid` device segments are virtual: they lie in its window, and the device MMU checks the rest.
  SegmentTable(const Memories& memories, base::InitiatorPort& port, uint16_t context, uint16_t function = 0,
               uint16_t asid = 0);

  /// Takes the segments. Returns the index of the first malformed one (kind, flags, reserved, or range: a device
  /// segment must lie in DRAM, a page list below 2^52 and 8-byte aligned), or segments.size().
  size_t load(std::span<const npu_segment> segments);

  /// NPU_FAULT_ADDRESS for what lies outside of its space or a page list entry that is no page of the host's;
  /// PERMISSION for a write to a read-only segment; BUS or POISON when the page list is unreadable.
  Range translate(uint64_t address, uint64_t bytes, bool write, uint16_t engine, sc_core::sc_time& delay) override;

 private:
  /// A piece of a page list.
  struct Block {
    [[nodiscard]] bool holds(uint64_t entry) const {
      return entry >= first_entry && entry - first_entry < entries.size();
    }
    [[nodiscard]] uint64_t end() const { return first_entry + entries.size(); }

    uint64_t first_entry = 0;
    std::vector<uint64_t> entries;  // bus addresses as fetched, unchecked
    sc_core::sc_time ready;         // absolute
  };
  struct Segment {
    npu_segment description;
    Block current;
    Block ahead;
  };

  [[nodiscard]] bool well_formed(const npu_segment& segment) const;
  Range translate_pages(Segment& segment, uint64_t offset, uint64_t bytes, sc_core::sc_time& delay);
  npu_fault make_current(Segment& segment, uint64_t entry, sc_core::sc_time& delay);
  void fetch_ahead(Segment& segment, uint64_t last_entry, sc_core::sc_time delay);
  npu_fault fetch(Block& block, const npu_segment& segment, uint64_t entry, sc_core::sc_time& delay);

  const Memories memories_;
  base::InitiatorPort& port_;
  const uint16_t context_;
  const uint16_t function_;
  const uint64_t device_bytes_;  // of the window that device segments lie in
  std::vector<Segment> segments_;
};

}  // namespace npuvp::task_manager
