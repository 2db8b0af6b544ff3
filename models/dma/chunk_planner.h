// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/base/command_port.h"
#include "models/dma/transfer.h"

namespace npuvp::dma {

/// One access of the bus.
struct Piece {
  uint64_t address = 0;   ///< As the transfer gives it.
  uint64_t physical = 0;  ///< Of the card, or of the host: then inside one page.
  uint64_t bytes = 0;
  uint64_t first = 0;  ///< Elements of the chunk before it, in the order of its end.
};

/// What the engine holds in its buffer at a time: elements that are read, converted and written together.
struct Chunk {
  std::vector<Piece> source;
  std::vector<Piece> destination;
  uint64_t elements = 0;
  /// Of a transposing chunk: the destination's runs are `columns` long and take every (elements / columns)-th element.
  uint64_t columns = 0;
  /// What keeps the transfer from going on behind this chunk.
  base::CommandOutcome stop;
};

/// What a planner asks of the run that it plans for. Both take simulated time there.
class PlannerPort {
 public:
  using Range = base::AddressSpace::Range;
  virtual ~PlannerPort() = default;
  /// Translation with the check of which side of the card the address is on.
  virtual Range translate(uint64_t address, uint64_t bytes, bool write) = 0;
  /// Entry `index` of the transfer's list in `value`.
  virtual base::CommandOutcome look_up(uint64_t index, uint32_t& value) = 0;
};

/// Cuts a transfer into chunks.
///
/// In general a chunk is a number of elements in the transfer's order, dimension 0 fastest. Where both ends go on in
/// memory, however short the rows, an access takes as much as the chunk holds. If one end is contiguous along
/// dimension 0 and the other along dimension 1, the transfer is a transposition: chunks are squares of kSquareBytes on
/// a side, in the transfer's order, and the elements inside a square go in the order of the destination.
class ChunkPlanner {
 public:
  static constexpr uint64_t kSquareBytes = 64;

  struct Limits {
    uint64_t bytes;   ///< Of a chunk, at either end.
    unsigned pieces;  ///< At either end of a chunk that does not transpose.
  };

  ChunkPlanner(const Transfer& transfer, const Limits& limits, PlannerPort& port);

  [[nodiscard]] bool done() const { return done_; }
  /// The next chunk. Without elements only when it stops.
  void plan(Chunk& chunk);

 private:
  /// One end: where it is, and how far its last translation reaches.
  struct Cursor {
    uint64_t address = 0;
    base::AddressSpace::Range range;
    bool started = false;  ///< Part of the row has been taken.
    bool apart = false;    ///< The range was translated inside a row, and nothing of it has been taken.
  };

  void plan_square(Chunk& chunk);
  bool plan_runs(Chunk& chunk, const Transfer::End& end, unsigned along, bool write);
  bool place();
  [[nodiscard]] uint64_t address_of(const Transfer::End& end, bool indexed) const;
  bool prepare(Cursor& cursor, const Transfer::End& end, bool write, Chunk& chunk);
  [[nodiscard]] bool fits(const std::vector<Piece>& pieces, const Cursor& cursor) const;
  [[nodiscard]] static bool joins(const Piece& last, const Cursor& cursor);
  static void append(std::vector<Piece>& pieces, Cursor& cursor, uint64_t bytes, uint64_t first);
  void advance(uint64_t elements);
  void carry(unsigned dimension);

  const Transfer& transfer_;
  const Limits limits_;
  PlannerPort& port_;
  const bool contiguous_;  // both ends along dimension 0
  const bool transposes_;
  std::array<uint64_t, NPU_DMA_DIMENSIONS> index_{};
  Cursor source_;
  Cursor destination_;
  base::CommandOutcome list_fault_;
  uint32_t coordinate_ = 0;  // along the indexed dimension, of entry coordinate_of_
  std::optional<uint64_t> coordinate_of_;
  bool placed_ = false;  // the cursors stand at index_
  bool done_ = false;
};

}  // namespace npuvp::dma
