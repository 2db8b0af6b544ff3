// SPDX-License-Identifier: Apache-2.0
// An MMU between two initiators and a small DRAM, and tables written by hand.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>

#include "models/mmu/mmu.h"
#include "npu/registers/mmu.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::mmu {

constexpr uint64_t kDram = NPU_MAP_DRAM;
constexpr uint64_t kMib = 1 << 20;
constexpr uint64_t kDramBytes = 64 * kMib;
constexpr uint64_t kValid = 1;
constexpr uint64_t kRead = 2;
constexpr uint64_t kWrite = 4;
constexpr uint64_t kTable = 8;

struct MmuBench {
  explicit MmuBench(unsigned tlb_entries = 16, unsigned tlb_ways = 2)
      : mmu("mmu", environment,
            {.initiators = 2,
             .dram_bytes = kDramBytes,
             .tlb_entries = tlb_entries,
             .tlb_ways = tlb_ways,
             .lookup_latency = test::ns(2)}) {
    environment.set_log_level("all", spdlog::level::off);
    engine.port.socket.bind(mmu.initiators[0]);
    other.port.socket.bind(mmu.initiators[1]);
    mmu.noc[0].bind(memory.socket);
    mmu.noc[1].bind(unused.socket);
    mmu.walker.socket.bind(tables.socket);
    hart.port.socket.bind(mmu.registers);
    for (auto* each : {&memory, &tables}) {
      each->index_of = [](uint64_t address) { return address - kDram; };
    }
    mmu.irq.connect([this](bool level) { interrupt = level; });
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  /// Entry `index` of the table at `offset` in DRAM.
  void entry(uint64_t offset, uint64_t index, uint64_t value) { tables.put(kDram + offset + index * 8, value); }
  void set_root(uint32_t asid, uint64_t offset) { hart.write(MMU_ROOT(asid), kDram + offset + kValid); }

  /// Root at 0, directory at 0x1000, table at 0x2000, for ASID `asid`: 2 MiB at window + 0 lead to DRAM + 4 MiB, read
  /// and write; 64 KiB at window + 2 MiB to DRAM + 1 MiB, read only; the next 64 KiB to DRAM + 2 MiB, write only.
  void build(uint32_t asid) {
    entry(0, 0, (kDram + 0x1000) | kTable | kValid);
    entry(0x1000, 0, (kDram + 4 * kMib) | kRead | kWrite | kValid);
    entry(0x1000, 1, (kDram + 0x2000) | kTable | kValid);
    entry(0x2000, 0, (kDram + 1 * kMib) | kRead | kValid);
    entry(0x2000, 1, (kDram + 2 * kMib) | kWrite | kValid);
    set_root(asid, 0);
    engine.port.sideband().asid = static_cast<uint16_t>(asid);
  }

  tlm::tlm_response_status read(uint64_t address, size_t bytes, sc_core::sc_time* delay = nullptr) {
    std::vector<uint8_t> data(bytes);
    sc_core::sc_time mine;
    return engine.port.read(address, data, delay == nullptr ? mine : *delay);
  }
  tlm::tlm_response_status write(uint64_t address, size_t bytes) {
    sc_core::sc_time delay;
    return engine.port.write(address, std::vector<uint8_t>(bytes, 0xaa), delay);
  }
  uint64_t counter(uint32_t offset) { return hart.read<uint64_t>(offset); }
  uint32_t faults() { return hart.read<uint32_t>(MMU_FAULT_STATUS) & MMU_FAULT_STATUS_COUNT_MASK; }
  /// Reason of the first record, which is dropped.
  uint32_t take_reason() {
    const uint32_t info = hart.read<uint32_t>(MMU_FAULT_INFO);
    hart.write(MMU_FAULT_POP, uint32_t{1});
    return (info & MMU_FAULT_INFO_REASON_MASK) >> MMU_FAULT_INFO_REASON_SHIFT;
  }

  base::Environment environment;
  Mmu mmu;
  test::TestInitiator engine{"engine"};
  test::TestInitiator other{"other"};
  test::TestInitiator hart{"hart"};
  test::TestTarget memory{"memory", kDramBytes};
  test::TestTarget tables{"tables", kDramBytes};
  test::TestTarget unused{"unused", 4096};
  bool interrupt = false;
};

}  // namespace npuvp::mmu
