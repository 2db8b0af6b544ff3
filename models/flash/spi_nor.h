// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <systemc>
#include <vector>

#include "models/flash/nor_content.h"

namespace npuvp::flash {

/// A serial NOR flash, command by command: what a W25Q32JV does (Winbond data sheet W25Q32JV rev. G, chapters 7 and 8).
///
/// Programming clears bits and never sets one; erasing sets all bits of a sector. Both need the write enable latch and
/// go on after the command (WIP), during which only the status can be read. Contents change when the operation ends;
/// power that fails before leaves part of it (cut_power).
class SpiNor {
 public:
  static constexpr uint32_t kPageBytes = 256;
  static constexpr uint32_t kSectorBytes = 4096;

  /// Times are the data sheet's typical ones (9.6).
  struct Parameters {
    uint64_t bytes = 4 << 20;  ///< Power of two, 64 KiB to 16 MiB.
    std::string file{};        ///< See NorContent.
    uint64_t seed = 1;         ///< Of the bits that an interrupted operation leaves to chance.
    sc_core::sc_time page_program{0.4, sc_core::SC_MS};
    sc_core::sc_time sector_erase{45, sc_core::SC_MS};
    sc_core::sc_time half_block_erase{120, sc_core::SC_MS};
    sc_core::sc_time block_erase{150, sc_core::SC_MS};
    sc_core::sc_time chip_erase{10, sc_core::SC_SEC};
    sc_core::sc_time write_status{10, sc_core::SC_MS};
  };

  /// One command as it comes over the wires.
  struct Command {
    uint8_t opcode;
    std::optional<uint32_t> address;  ///< 24 bits.
    std::span<const uint8_t> sent;    ///< Behind opcode and address.
    std::span<uint8_t> received;      ///< To be filled; ones where the flash drives nothing.
  };

  explicit SpiNor(const Parameters& parameters);

  /// Carries out `command`, which ends at time `now`. Empty, or what was wrong about it (misuse; nothing was done).
  std::string execute(const Command& command, const sc_core::sc_time& now);

  /// When the operation in progress ends; not later than `now` if there is none.
  [[nodiscard]] sc_core::sc_time ready_at() const { return ready_at_; }
  [[nodiscard]] const NorContent& content();
  /// For whoever fills the flash from outside: replaces what is from `address` on. Throws std::invalid_argument if it
  /// does not fit.
  void load(uint32_t address, std::span<const uint8_t> image);

  /// Power fails at `now`: the operation in progress stays incomplete. Without power the flash answers nothing.
  void cut_power(const sc_core::sc_time& now);
  /// Power fails when `bytes` more bytes have been programmed or erased, then calls `handler`.
  void cut_power_after(uint64_t bytes, std::function<void()> handler);
  /// Power is back: write enable latch and volatile bits are as after reset.
  void power_on();
  [[nodiscard]] bool powered() const { return powered_; }
  /// Bytes programmed and erased since construction; the unit of cut_power_after().
  [[nodiscard]] uint64_t wear_bytes() const { return wear_bytes_; }

 private:
  struct Operation {
    uint32_t address;
    uint32_t bytes;             ///< To erase, or of `data`.
    std::vector<uint8_t> data;  ///< To program; empty: erase.
    sc_core::sc_time begin;
  };

  std::string start(const Command& command, const sc_core::sc_time& now);
  std::string program(const Command& command, const sc_core::sc_time& now);
  std::string erase(const Command& command, uint32_t bytes, const sc_core::sc_time& duration,
                    const sc_core::sc_time& now);
  std::string begin(Operation operation, const sc_core::sc_time& duration);
  std::string write_status(const Command& command, const sc_core::sc_time& now);
  void read(uint32_t address, std::span<uint8_t> out) const;
  void identify(std::span<uint8_t> out) const;
  /// Ends the operation in progress if its time has come.
  void settle(const sc_core::sc_time& now);
  /// Its first `done` bytes are complete, the others as `done` says of an interrupted one.
  void apply(const Operation& operation, uint64_t done);
  [[nodiscard]] uint8_t cell_after(const Operation& operation, uint64_t index, uint8_t before, uint64_t done);
  [[nodiscard]] bool is_protected(uint32_t address, uint32_t bytes) const;

  Parameters parameters_;
  NorContent content_;
  std::mt19937_64 chance_;
  uint8_t status_ = 0;  // BP, TB, SRP0, WEL; WIP comes from the time
  std::optional<Operation> running_;
  sc_core::sc_time ready_at_;
  bool powered_ = true;
  uint64_t wear_bytes_ = 0;
  std::optional<uint64_t> cut_after_;
  std::function<void()> on_cut_;
};

}  // namespace npuvp::flash
