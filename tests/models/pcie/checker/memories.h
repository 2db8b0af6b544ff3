// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <systemc>
#include <utility>
#include <vector>

#include "models/base/initiator_port.h"
#include "models/pcie/host_port.h"
#include "tests/models/pcie/checker/shadow_fabric.h"

namespace npuvp::tests::checker {

/// An access that came out of the fabric, at a BAR of a card or at host memory.
struct Touch {
  const Card* card = nullptr;  ///< nullptr: host memory.
  unsigned function = 0;
  unsigned bar = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  bool is_write = false;
};

/// Memory with contents that tell where they are from; pages are made when they are first touched.
class PatternMemory {
 public:
  explicit PatternMemory(uint64_t salt) : salt_(salt) {}
  uint8_t& at(uint64_t offset);

 private:
  const uint64_t salt_;
  std::map<uint64_t, std::array<uint8_t, 4096>> pages_;
  uint64_t last_number_ = ~uint64_t{0};
  std::array<uint8_t, 4096>* last_ = nullptr;
};

/// Memory behind the BARs of all functions of a card; every access is recorded. Of every eight pages of 4 KiB the
/// seventh answers with an error and the eighth is not there.
class CardMemory final : public sc_core::sc_module {
 public:
  CardMemory(sc_core::sc_module_name name, const Card& card, uint64_t salt, std::vector<Touch>& touches);

  tlm_utils::simple_target_socket_tagged<CardMemory> bar0;
  tlm_utils::simple_target_socket_tagged<CardMemory> bar2;
  base::InitiatorPort dma{"dma"};  ///< The card's own accesses.

  PatternMemory& memory(unsigned function, unsigned bar);
  static bool aborts(uint64_t offset) { return (offset >> 12 & 7) == 6; }
  static bool is_absent(uint64_t offset) { return (offset >> 12 & 7) == 7; }

 private:
  void transport(int bar, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

  const Card& card_;
  const uint64_t salt_;
  std::vector<Touch>& touches_;
  std::map<std::pair<unsigned, unsigned>, PatternMemory> memories_;
};

/// Host memory; every access is recorded.
class RecordingHost final : public pcie::HostPort {
 public:
  static constexpr uint64_t kBase = 0x1'0000'0000;
  static constexpr uint64_t kSize = 1 << 20;

  explicit RecordingHost(std::vector<Touch>& touches) : touches_(touches) {}
  bool dma_read(uint64_t address, std::span<uint8_t> data) override;
  bool dma_write(uint64_t address, std::span<const uint8_t> data) override;
  void interrupt(uint64_t /*address*/, uint32_t /*data*/) override { ++interrupts; }

  PatternMemory memory{0x5a5a};
  unsigned interrupts = 0;

 private:
  bool record(uint64_t address, uint64_t bytes, bool is_write);
  std::vector<Touch>& touches_;
};

}  // namespace npuvp::tests::checker
