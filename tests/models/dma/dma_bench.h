// SPDX-License-Identifier: Apache-2.0
// A DMA engine between a test memory and an address space that tests describe page by page.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "firmware/abi/memory_map.h"
#include "models/dma/dma_engine.h"
#include "npu/registers/dma.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::dma {

constexpr uint64_t kPage = 4096;

/// Translates page by page: independent of the Task Manager's table.
class PagedSpace final : public base::AddressSpace {
 public:
  struct Space {
    std::vector<uint64_t> pages;  ///< Physical address of each page.
    npu_fault write_fault = NPU_FAULT_NONE;
  };

  std::map<uint32_t, Space> spaces;
  sc_core::sc_time latency;
  bool merges_pages = false;  ///< Give ranges that reach over adjacent pages.

  /// `count` pages from `physical` on.
  void map(uint32_t space, uint64_t physical, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) spaces[space].pages.push_back(physical + i * kPage);
  }

  Range translate(uint64_t address, uint64_t bytes, bool write, uint16_t /*engine*/, sc_core::sc_time& delay) override {
    delay += latency;
    const auto found = spaces.find(NPU_ADDRESS_SPACE(address));
    const uint64_t offset = NPU_ADDRESS_OFFSET(address);
    if (found == spaces.end()) return {NPU_FAULT_ADDRESS};
    const auto& space = found->second;
    if (offset + bytes > space.pages.size() * kPage) return {NPU_FAULT_ADDRESS};
    if (write && space.write_fault != NPU_FAULT_NONE) return {space.write_fault};
    uint64_t reach = kPage - offset % kPage;
    for (uint64_t page = offset / kPage; merges_pages && reach < bytes; ++page, reach += kPage) {
      if (space.pages[page + 1] != space.pages[page] + kPage) break;
    }
    return {NPU_FAULT_NONE, space.pages[offset / kPage] + offset % kPage, std::min(bytes, reach)};
  }
};

struct DmaBench {
  explicit DmaBench(const Parameters& parameters) : engine("dma", environment, parameters) {
    environment.set_log_level("all", spdlog::level::off);
    target.index_of = test::card_index;
    engine.memory.socket.bind(target.socket);
    hart.port.socket.bind(engine.registers);
  }

  /// One command on `channel`, from the beginning to its end; `took` is its simulated time.
  base::CommandOutcome execute(const npu_command& command, unsigned channel = 0, uint16_t context = 0) {
    base::CommandOutcome outcome{NPU_FAULT_FETCH, 0};
    test::run_thread([&, channel, context] {
      const auto begin = sc_core::sc_time_stamp();
      outcome = channel_interface(channel).execute({&command, &space, context, 0, 0, asid});
      took = sc_core::sc_time_stamp() - begin;
    });
    return outcome;
  }

  base::CommandTarget& channel_interface(unsigned channel) {
    return *dynamic_cast<base::CommandTarget*>(engine.commands[channel].get_interface());
  }

  base::Environment environment;
  DmaEngine engine;
  test::TestTarget target{"target", test::kCardBytes};
  test::TestInitiator hart{"hart"};
  PagedSpace space;
  sc_core::sc_time took;
  uint16_t asid = 0;  ///< Of the commands.
};

inline npu_command copy_command(npu_command_kind kind, uint64_t source, uint64_t destination, uint32_t rows,
                                uint32_t row_bytes, uint64_t source_stride = 0, uint64_t destination_stride = 0) {
  npu_command command{};
  command.kind = static_cast<uint8_t>(kind);
  command.opcode = NPU_DMA_COPY;
  command.signal = NPU_TOKEN_NONE;
  command.u.dma = {source, destination, rows, row_bytes, source_stride, destination_stride, {}};
  return command;
}

/// No start-up time, so that tests count only what they ask for.
inline Parameters task_dma() {
  return {.kind = NPU_COMMAND_TASK_DMA, .start_latency = sc_core::SC_ZERO_TIME};
}

inline Parameters external_hdma() {
  return {.kind = NPU_COMMAND_EXTERNAL_HDMA, .channels = 2, .start_latency = sc_core::SC_ZERO_TIME};
}

}  // namespace npuvp::dma
