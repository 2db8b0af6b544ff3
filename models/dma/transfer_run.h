// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <systemc>
#include <vector>

#include "models/dma/chunk_planner.h"
#include "models/dma/mover.h"

namespace npuvp::dma {

/// The state of a command under way: transfers one after the other through one pipeline of outstanding bursts.
class TransferRun final : private PlannerPort {
 public:
  TransferRun(Mover& mover, const RunContext& context);

  /// What was read of a chain.
  struct Fetched {
    npu_dma_descriptor descriptor;
    base::CommandOutcome outcome;
    sc_core::sc_time ready;  ///< Absolute.
  };
  /// Reads the descriptor at `address` from now on, beside whatever is under way.
  Fetched fetch(uint64_t address);
  /// Transfers from here on belong to descriptor `number` of a chain and issue nothing before `ready`.
  void begin_descriptor(uint32_t number, sc_core::sc_time ready);

  /// False: nothing more is to be moved, because of a fault or a reset.
  [[nodiscard]] bool move(const Transfer& transfer);
  /// Ends the run with `outcome`, whose position is filled in.
  void fail(const base::CommandOutcome& outcome);
  /// Waits for all bursts. Empty: a reset of the engine or the channel abandoned the run.
  std::optional<base::CommandOutcome> finish();

 private:
  /// Entries of a transfer's index list that are at hand.
  struct IndexBlock {
    uint64_t first = 0;
    std::vector<uint32_t> entries;
  };

  Range translate(uint64_t address, uint64_t bytes, bool write) override;
  base::CommandOutcome look_up(uint64_t index, uint32_t& value) override;
  base::CommandOutcome fetch_indices(uint64_t index);

  void move_chunk();
  void read_chunk();
  void write_chunk();
  void stop_chunk(const Piece& piece, npu_fault fault, uint64_t elements);
  std::span<const uint8_t> converted();
  base::CommandOutcome read(uint64_t address, uint64_t physical, std::span<uint8_t> data, sc_core::sc_time& delay);
  base::CommandOutcome read_piece(const Piece& piece, std::span<uint8_t> data, sc_core::sc_time& delay);
  base::CommandOutcome read_outcome(tlm::tlm_response_status response, uint64_t address);
  tlm::tlm_response_status write(uint64_t physical, std::span<const uint8_t> data, sc_core::sc_time& delay);
  [[nodiscard]] sc_core::sc_time issue(const Piece& piece);
  [[nodiscard]] sc_core::sc_time penalty(const Piece& piece) const;
  base::Sideband& label();
  [[nodiscard]] npu_fault refusal() const;
  void wait_until(sc_core::sc_time time);
  [[nodiscard]] bool was_reset() const;
  [[nodiscard]] bool stopped() const { return abandoned_ || !outcome_.ok(); }

  Mover& mover_;
  const RunContext& context_;
  const uint64_t epoch_;
  sc_core::sc_event_or_list resets_;  // what ends a wait early
  sc_core::sc_time now_;              // the kernel's
  sc_core::sc_time issue_;            // when the next burst may start
  sc_core::sc_time last_;             // when everything issued so far has ended
  std::vector<sc_core::sc_time> window_;
  size_t slot_ = 0;  // the next burst's
  const Transfer* transfer_ = nullptr;
  Chunk chunk_;
  std::vector<sc_core::sc_time> arrived_;  // of each piece that was read, with all before it
  IndexBlock indices_;
  uint64_t moved_ = 0;    // elements of this transfer
  bool contents_ = true;  // of this transfer: else only its time passes
  uint32_t descriptor_ = 0;
  base::CommandOutcome outcome_;
  bool abandoned_ = false;
  std::vector<uint8_t> buffer_;
  const uint8_t* data_ = nullptr;  // of the chunk: the buffer, or where the source keeps them
  std::vector<uint8_t> turned_;
  std::vector<uint8_t> results_;
};

}  // namespace npuvp::dma
