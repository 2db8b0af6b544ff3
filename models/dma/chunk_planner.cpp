// SPDX-License-Identifier: Apache-2.0
#include "models/dma/chunk_planner.h"

#include <algorithm>

#include "firmware/abi/memory_map.h"
#include "firmware/abi/queue.h"

namespace npuvp::dma {
namespace {

constexpr uint64_t kPageBytes = NPU_HOST_PAGE_BYTES;

bool is_contiguous(const Transfer::End& end, unsigned dimension) {
  return end.stride[dimension] == static_cast<int64_t>(end.element_bytes);
}

bool is_transposition(const Transfer& transfer) {
  const auto& [from, to] = std::pair(transfer.source, transfer.destination);
  if (transfer.fill || transfer.size[0] == 1 || transfer.size[1] == 1) return false;
  if (transfer.indexed != Transfer::Indexed::kNone && transfer.index_dimension < 2) return false;
  return (is_contiguous(from, 0) && !is_contiguous(to, 0) && is_contiguous(to, 1)) ||
         (is_contiguous(to, 0) && !is_contiguous(from, 0) && is_contiguous(from, 1));
}

/// Bytes of `range` that one access may take: PCIe requests may not cross a page of the host.
uint64_t reach(const base::AddressSpace::Range& range) {
  const bool host = (range.physical & NPU_MAP_HOST) != 0;
  return host ? std::min(range.bytes, kPageBytes - range.physical % kPageBytes) : range.bytes;
}

}  // namespace

ChunkPlanner::ChunkPlanner(const Transfer& transfer, const Limits& limits, PlannerPort& port)
    : transfer_(transfer),
      limits_(limits),
      port_(port),
      contiguous_((transfer.fill || is_contiguous(transfer.source, 0)) && is_contiguous(transfer.destination, 0) &&
                  (transfer.indexed == Transfer::Indexed::kNone || transfer.index_dimension != 0)),
      transposes_(is_transposition(transfer)) {}

void ChunkPlanner::plan(Chunk& chunk) {
  chunk.source.clear();
  chunk.destination.clear();
  chunk.elements = 0;
  chunk.columns = 0;
  chunk.stop = {};
  if (transposes_) {
    plan_square(chunk);
    return;
  }
  const uint64_t from_bytes = transfer_.source.element_bytes;
  const uint64_t to_bytes = transfer_.destination.element_bytes;
  const uint64_t room = limits_.bytes / std::max(from_bytes, to_bytes);
  while (!done_ && chunk.elements < room) {
    if (!place()) {
      chunk.stop = list_fault_;
      return;
    }
    if ((!transfer_.fill && !prepare(source_, transfer_.source, false, chunk)) ||
        !prepare(destination_, transfer_.destination, true, chunk)) {
      return;
    }
    if (!fits(chunk.source, source_) || !fits(chunk.destination, destination_)) return;
    uint64_t count = std::min(room - chunk.elements, contiguous_ ? transfer_.size[0] - index_[0] : 1);
    count = std::min(count, reach(destination_.range) / to_bytes);
    if (!transfer_.fill) count = std::min(count, reach(source_.range) / from_bytes);
    if (count == 0) {  // an element across the end of a range
      chunk.stop = {NPU_FAULT_ADDRESS, transfer_.fill ? destination_.address : source_.address};
      return;
    }
    if (!transfer_.fill) append(chunk.source, source_, count * from_bytes, chunk.elements);
    append(chunk.destination, destination_, count * to_bytes, chunk.elements);
    chunk.elements += count;
    advance(count);
  }
}

void ChunkPlanner::plan_square(Chunk& chunk) {
  const uint64_t edge = kSquareBytes / std::max(transfer_.source.element_bytes, transfer_.destination.element_bytes);
  const uint64_t width = std::min(edge, transfer_.size[0] - index_[0]);
  const uint64_t height = std::min(edge, transfer_.size[1] - index_[1]);
  if (!place()) {
    chunk.stop = list_fault_;
    return;
  }
  const bool source_along_0 = is_contiguous(transfer_.source, 0);
  if (!plan_runs(chunk, transfer_.source, source_along_0 ? 0 : 1, false) ||
      !plan_runs(chunk, transfer_.destination, source_along_0 ? 1 : 0, true)) {
    return;
  }
  chunk.elements = width * height;
  chunk.columns = source_along_0 ? height : width;
  index_[0] += width;
  if (index_[0] < transfer_.size[0]) {
    placed_ = false;
    return;
  }
  index_[0] = 0;
  index_[1] += height - 1;
  carry(1);
}

/// One end of a square: runs along dimension `along`, one for each coordinate of the other one.
bool ChunkPlanner::plan_runs(Chunk& chunk, const Transfer::End& end, unsigned along, bool write) {
  const uint64_t edge = kSquareBytes / std::max(transfer_.source.element_bytes, transfer_.destination.element_bytes);
  const unsigned across = 1 - along;
  const uint64_t length = std::min(edge, transfer_.size[along] - index_[along]);
  const uint64_t runs = std::min(edge, transfer_.size[across] - index_[across]);
  auto& pieces = write ? chunk.destination : chunk.source;
  const uint64_t corner = write ? destination_.address : source_.address;
  for (uint64_t run = 0; run < runs; ++run) {
    Cursor cursor{corner + run * static_cast<uint64_t>(end.stride[across]), {}};
    for (uint64_t done = 0; done < length;) {
      if (cursor.range.bytes == 0) {
        cursor.range = port_.translate(cursor.address, (length - done) * end.element_bytes, write);
        cursor.apart = cursor.started;
      }
      const uint64_t count = std::min(length - done, reach(cursor.range) / end.element_bytes);
      if (cursor.range.fault != NPU_FAULT_NONE || count == 0) {
        const auto fault = cursor.range.fault;
        chunk.stop = {fault == NPU_FAULT_NONE ? NPU_FAULT_ADDRESS : fault, cursor.address};
        chunk.source.clear();
        chunk.destination.clear();
        return false;
      }
      append(pieces, cursor, count * end.element_bytes, run * length + done);
      done += count;
    }
  }
  return true;
}

/// Puts the cursors at index_. False: the list has no good entry there.
bool ChunkPlanner::place() {
  if (placed_) return true;
  if (transfer_.indexed != Transfer::Indexed::kNone) {
    const uint64_t entry = index_[transfer_.index_dimension];
    if (coordinate_of_ != entry) {
      list_fault_ = port_.look_up(entry, coordinate_);
      if (list_fault_.ok() && coordinate_ >= transfer_.index_limit) {
        list_fault_ = {NPU_FAULT_ADDRESS, transfer_.indices + entry * sizeof(uint32_t)};
      }
      if (!list_fault_.ok()) return false;
      coordinate_of_ = entry;
    }
  }
  source_ = {address_of(transfer_.source, transfer_.indexed == Transfer::Indexed::kSource), {}};
  destination_ = {address_of(transfer_.destination, transfer_.indexed == Transfer::Indexed::kDestination), {}};
  placed_ = true;
  return true;
}

uint64_t ChunkPlanner::address_of(const Transfer::End& end, bool indexed) const {
  uint64_t address = end.address;
  for (unsigned d = 0; d < NPU_DMA_DIMENSIONS; ++d) {
    const uint64_t at = indexed && d == transfer_.index_dimension ? coordinate_ : index_[d];
    address += at * static_cast<uint64_t>(end.stride[d]);
  }
  return address;
}

/// Translates what is left of the row, unless that is known.
bool ChunkPlanner::prepare(Cursor& cursor, const Transfer::End& end, bool write, Chunk& chunk) {
  if (cursor.range.bytes > 0) return true;
  const uint64_t elements = contiguous_ ? transfer_.size[0] - index_[0] : 1;
  cursor.range = port_.translate(cursor.address, elements * end.element_bytes, write);
  cursor.apart = cursor.started;
  if (cursor.range.fault == NPU_FAULT_NONE) return true;
  chunk.stop = {cursor.range.fault, cursor.address};
  cursor.range = {};
  return false;
}

bool ChunkPlanner::fits(const std::vector<Piece>& pieces, const Cursor& cursor) const {
  return pieces.size() < limits_.pieces || joins(pieces.back(), cursor);
}

/// An access goes on over rows that follow each other, but not over what was translated apart inside a row: there a
/// window of the card's map may end.
bool ChunkPlanner::joins(const Piece& last, const Cursor& cursor) {
  if (cursor.apart || last.physical + last.bytes != cursor.range.physical) return false;
  const bool host = (cursor.range.physical & NPU_MAP_HOST) != 0;
  return !host || last.physical / kPageBytes == cursor.range.physical / kPageBytes;
}

void ChunkPlanner::append(std::vector<Piece>& pieces, Cursor& cursor, uint64_t bytes, uint64_t first) {
  if (!pieces.empty() && joins(pieces.back(), cursor)) {
    pieces.back().bytes += bytes;
  } else {
    pieces.push_back({cursor.address, cursor.range.physical, bytes, first});
  }
  cursor.address += bytes;
  cursor.range.physical += bytes;
  cursor.range.bytes -= bytes;
  cursor.started = true;
  cursor.apart = false;
}

void ChunkPlanner::advance(uint64_t elements) {
  index_[0] += elements;
  if (index_[0] < transfer_.size[0]) {
    placed_ = contiguous_;
    return;
  }
  index_[0] = 0;
  carry(1);
}

/// Steps index_[dimension] and those above it.
void ChunkPlanner::carry(unsigned dimension) {
  placed_ = false;
  for (unsigned d = dimension; d < NPU_DMA_DIMENSIONS; ++d) {
    if (++index_[d] < transfer_.size[d]) return;
    index_[d] = 0;
  }
  done_ = true;
}

}  // namespace npuvp::dma
