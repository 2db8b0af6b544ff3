// SPDX-License-Identifier: Apache-2.0
#include "models/dma/transfer_run.h"

#include <algorithm>
#include <utility>

#include "firmware/abi/memory_map.h"
#include "models/dma/convert.h"

namespace npuvp::dma {

using base::CommandOutcome;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr uint64_t kMinBurstBytes = 64;
constexpr uint64_t kMaxBurstBytes = 4096;
constexpr unsigned kMaxPieces = 64;

std::span<const uint8_t> zeros(uint64_t bytes) {
  static const std::vector<uint8_t> kZeros(Mover::kClearBurstBytes);
  return std::span(kZeros).first(bytes);
}

bool is_on(Side side, uint64_t physical) {
  return side == Side::kAny || (side == Side::kHost) == ((physical & NPU_MAP_HOST) != 0);
}

uint64_t burst_limit(const Parameters& parameters, const RunContext& context) {
  return context.clear ? Mover::kClearBurstBytes : std::clamp(parameters.burst_bytes, kMinBurstBytes, kMaxBurstBytes);
}

}  // namespace

TransferRun::TransferRun(Mover& mover, const RunContext& context)
    : mover_(mover),
      context_(context),
      epoch_(mover.epoch_),
      resets_(mover.reset_event_),
      now_(sc_time_stamp()),
      issue_(now_ + mover.parameters_.start_latency),
      last_(issue_),
      window_(std::max(mover.parameters_.outstanding_bursts, 1U), sc_core::SC_ZERO_TIME),
      buffer_(kMaxBurstBytes),
      turned_(kMaxBurstBytes),
      results_(kMaxBurstBytes) {
  if (context.reset != nullptr) resets_ |= context.reset->event;
}

TransferRun::Fetched TransferRun::fetch(uint64_t address) {
  Fetched fetched{{}, {}, issue_};
  sc_time delay = issue_ - std::min(issue_, now_);
  const auto range = context_.space.translate(address, sizeof fetched.descriptor, false, context_.engine, delay);
  const std::span<uint8_t> data(reinterpret_cast<uint8_t*>(&fetched.descriptor), sizeof fetched.descriptor);
  if (range.fault != NPU_FAULT_NONE) {
    fetched.outcome = {range.fault, address};
  } else if (range.bytes < data.size() || !is_on(Side::kDevice, range.physical)) {
    fetched.outcome = {NPU_FAULT_ILLEGAL_COMMAND, address};
  } else {
    fetched.outcome = read(address, range.physical, data, delay);
  }
  fetched.ready = now_ + delay;
  return fetched;
}

void TransferRun::begin_descriptor(uint32_t number, sc_time ready) {
  descriptor_ = number;
  moved_ = 0;
  issue_ = std::max(issue_, ready);
  last_ = std::max(last_, issue_);
}

bool TransferRun::move(const Transfer& transfer) {
  transfer_ = &transfer;
  moved_ = 0;
  contents_ = transfer.bytes() <= context_.kept_bytes;
  indices_ = {};
  if (transfer.fill)
    fill(transfer.destination.element_bytes, *transfer.fill, results_.data(),
         results_.size() / transfer.destination.element_bytes);
  const auto pieces = context_.clear ? 1U : std::min<unsigned>(static_cast<unsigned>(window_.size()), kMaxPieces);
  ChunkPlanner planner(transfer, {burst_limit(mover_.parameters_, context_), pieces}, *this);
  while (!planner.done() && !stopped()) {
    // The slot of the oldest burst is free for the next one when that burst has completed.
    wait_until(window_[slot_]);
    if (abandoned_) break;
    const size_t share = mover_.arbiter_.acquire(context_.channel);
    now_ = sc_time_stamp();
    abandoned_ = was_reset();
    if (!abandoned_) {
      issue_ = std::max(issue_, now_);
      if (context_.cancel != nullptr && context_.cancel->requested) {
        fail({NPU_FAULT_CANCELLED, 0});
      } else {
        planner.plan(chunk_);
        move_chunk();
        sc_assert(now_ == sc_time_stamp());  // nobody waits inside an access
      }
    }
    mover_.arbiter_.release(share, abandoned_ ? sc_core::SC_ZERO_TIME : last_);
  }
  return !stopped();
}

void TransferRun::fail(const CommandOutcome& outcome) {
  if (stopped()) return;
  outcome_ = outcome;
  outcome_.position = NPU_DMA_POSITION(descriptor_, moved_);
}

std::optional<CommandOutcome> TransferRun::finish() {
  if (!abandoned_) wait_until(last_);
  if (abandoned_) return std::nullopt;
  return outcome_;
}

base::AddressSpace::Range TransferRun::translate(uint64_t address, uint64_t bytes, bool write) {
  sc_time delay = issue_ - now_;
  auto range = context_.space.translate(address, bytes, write, context_.engine, delay);
  issue_ = now_ + delay;
  last_ = std::max(last_, issue_);
  if (range.fault != NPU_FAULT_NONE) return {range.fault};
  if (!is_on(write ? context_.destination : context_.source, range.physical)) return {NPU_FAULT_ILLEGAL_COMMAND};
  return range;
}

CommandOutcome TransferRun::look_up(uint64_t index, uint32_t& value) {
  if (index < indices_.first || index - indices_.first >= indices_.entries.size()) {
    if (const auto outcome = fetch_indices(index); !outcome.ok()) return outcome;
  }
  value = indices_.entries[index - indices_.first];
  return {};
}

/// Reads the list from `index` on to the end of its 4 KiB page. What comes next waits for it.
CommandOutcome TransferRun::fetch_indices(uint64_t index) {
  const uint64_t address = transfer_->indices + index * sizeof(uint32_t);
  const uint64_t left = (transfer_->size[transfer_->index_dimension] - index) * sizeof(uint32_t);
  const uint64_t bytes = std::min<uint64_t>(left, kMaxBurstBytes - address % kMaxBurstBytes);
  indices_ = {index, {}};
  sc_time delay = issue_ - now_;
  const auto range = context_.space.translate(address, bytes, false, context_.engine, delay);
  if (range.fault != NPU_FAULT_NONE) return {range.fault, address};
  if (!is_on(Side::kDevice, range.physical) || range.bytes < sizeof(uint32_t)) {
    return {NPU_FAULT_ILLEGAL_COMMAND, address};
  }
  std::vector<uint32_t> entries(std::min(bytes, range.bytes) / sizeof(uint32_t));
  const std::span<uint8_t> data(reinterpret_cast<uint8_t*>(entries.data()), entries.size() * sizeof(uint32_t));
  const auto outcome = read(address, range.physical, data, delay);
  issue_ = now_ + delay;
  last_ = std::max(last_, issue_);
  if (outcome.ok()) indices_.entries = std::move(entries);
  return outcome;
}

void TransferRun::move_chunk() {
  const uint64_t before = moved_;
  if (chunk_.elements > 0) {
    const size_t first_slot = slot_;
    read_chunk();
    slot_ = first_slot;
    write_chunk();
  }
  moved_ = before + chunk_.elements;
  if (!chunk_.stop.ok()) fail(chunk_.stop);
}

/// Fills the buffer. A piece that cannot be read ends the chunk before it.
void TransferRun::read_chunk() {
  arrived_.clear();
  if (context_.clear || transfer_->fill) return;
  sc_time arrived;
  uint64_t done = 0;
  for (const auto& piece : chunk_.source) {
    const sc_time begin = issue(piece);
    sc_time delay = begin - now_;
    const auto outcome = read_piece(piece, {buffer_.data() + done, piece.bytes}, delay);
    last_ = std::max(last_, now_ + delay);
    if (outcome.ok() || outcome.fault == NPU_FAULT_POISON) mover_.bytes_read_ += piece.bytes;
    if (!outcome.ok()) {
      stop_chunk(piece, outcome.fault, chunk_.columns != 0 ? 0 : piece.first);
      return;
    }
    arrived = std::max(arrived, now_ + delay);
    arrived_.push_back(arrived);
    window_[slot_] = arrived;
    slot_ = (slot_ + 1) % window_.size();
    done += piece.bytes;
  }
}

/// Writes the chunk's elements. Each access starts when all that it writes has been read.
void TransferRun::write_chunk() {
  const auto data = converted();
  auto& sideband = label();
  sideband.zeros = context_.clear;
  const uint64_t element_bytes = transfer_->destination.element_bytes;
  size_t read = 0;  // the piece that the last element of this one comes in
  size_t number = 0;
  for (const auto& piece : chunk_.destination) {
    if (piece.first >= chunk_.elements) break;
    const uint64_t end = std::min(piece.first + piece.bytes / element_bytes, chunk_.elements);
    const uint64_t bytes = (end - piece.first) * element_bytes;
    while (chunk_.columns == 0 && read + 1 < arrived_.size() && chunk_.source[read + 1].first < end) ++read;
    if (chunk_.columns != 0) read = arrived_.size() - 1;
    sc_time begin = arrived_.empty() ? issue_ : arrived_[read];
    // The first accesses go on in the slots of the reads, further ones need their own.
    if (number++ >= arrived_.size()) begin = std::max(begin, window_[slot_]);
    issue_ = (arrived_.empty() ? begin : issue_) + penalty(piece);
    sc_time delay = begin - now_;
    const auto span = context_.clear ? zeros(bytes) : data.subspan(piece.first * element_bytes, bytes);
    const auto written = write(piece.physical, span, delay);
    last_ = std::max(last_, now_ + delay);
    if (written != tlm::TLM_OK_RESPONSE) {
      stop_chunk(piece, refusal(), piece.first);
      break;
    }
    mover_.bytes_written_ += bytes;
    mover_.energy.count(bytes, begin);
    window_[slot_] = now_ + delay;
    slot_ = (slot_ + 1) % window_.size();
  }
  // Reads without a write of their own keep theirs.
  if (number < arrived_.size()) slot_ = (slot_ + (arrived_.size() - number)) % window_.size();
  sideband.zeros = false;
}

void TransferRun::stop_chunk(const Piece& piece, npu_fault fault, uint64_t elements) {
  chunk_.elements = elements;
  chunk_.stop = {fault, piece.address};
}

/// The buffer's elements as the destination takes them.
std::span<const uint8_t> TransferRun::converted() {
  const auto& [from, to] = std::pair(transfer_->source, transfer_->destination);
  if (context_.clear || chunk_.elements == 0) return {};
  if (!contents_) return zeros(chunk_.elements * to.element_bytes);
  if (transfer_->fill) return results_;
  const uint8_t* data = data_;
  if (chunk_.columns != 0) {
    transpose(from.element_bytes, data, turned_.data(), chunk_.columns, chunk_.elements / chunk_.columns);
    data = turned_.data();
  }
  if (transfer_->converts()) {
    convert(from, to, data, results_.data(), chunk_.elements);
    data = results_.data();
  }
  return {data, chunk_.elements * to.element_bytes};
}

CommandOutcome TransferRun::read(uint64_t address, uint64_t physical, std::span<uint8_t> data, sc_time& delay) {
  label();
  return read_outcome(mover_.memory_.read(physical, data, delay), address);
}

/// One access of a chunk. A memory's own storage will do where one write takes all of it: of several the first could
/// change what the next one takes.
CommandOutcome TransferRun::read_piece(const Piece& piece, std::span<uint8_t> data, sc_time& delay) {
  auto& sideband = label();
  sideband.traffic_only = !contents_;
  data_ = buffer_.data();
  const bool borrows = chunk_.source.size() == 1 && chunk_.destination.size() == 1;
  const auto response = borrows ? mover_.memory_.borrow(piece.physical, data, data_, delay)
                                : mover_.memory_.read(piece.physical, data, delay);
  sideband.traffic_only = false;
  return read_outcome(response, piece.address);
}

CommandOutcome TransferRun::read_outcome(tlm::tlm_response_status response, uint64_t address) {
  const bool poisoned = std::exchange(mover_.memory_.sideband().poison, false);
  if (response != tlm::TLM_OK_RESPONSE) return {refusal(), address};
  return poisoned ? CommandOutcome{NPU_FAULT_POISON, address} : CommandOutcome{};
}

tlm::tlm_response_status TransferRun::write(uint64_t physical, std::span<const uint8_t> data, sc_time& delay) {
  auto& sideband = mover_.memory_.sideband();
  sideband.traffic_only = !contents_;
  const auto response = mover_.memory_.write(physical, data, delay);
  sideband.traffic_only = false;
  return response;
}

/// When a read may start: its slot is free and the channel's rate allows it.
sc_time TransferRun::issue(const Piece& piece) {
  issue_ = std::max(issue_, window_[slot_]);
  sc_time begin = issue_;
  if (context_.rate != nullptr) {
    const auto share = context_.rate->reserve_bytes(issue_, piece.bytes);
    begin = share.begin;
    last_ = std::max(last_, share.end);
  }
  issue_ += penalty(piece);
  return begin;
}

sc_time TransferRun::penalty(const Piece& piece) const {
  const uint64_t touched = (piece.physical % kBeatBytes + piece.bytes + kBeatBytes - 1) / kBeatBytes;
  const uint64_t needed = (piece.bytes + kBeatBytes - 1) / kBeatBytes;
  return touched > needed ? mover_.parameters_.misaligned_penalty : sc_core::SC_ZERO_TIME;
}

/// Why the bus has just refused an access.
npu_fault TransferRun::refusal() const {
  return mover_.memory_.sideband().translation_fault ? NPU_FAULT_TRANSLATION : NPU_FAULT_BUS;
}

/// Tells the bus whose accesses come.
base::Sideband& TransferRun::label() {
  auto& sideband = mover_.memory_.sideband();
  sideband.origin = {base::Origin::Kind::kEngine, context_.engine, 0};
  sideband.context = context_.context;
  sideband.asid = context_.asid;
  sideband.function = context_.function;
  return sideband;
}

void TransferRun::wait_until(sc_time time) {
  if (time <= now_) return;
  sc_core::wait(time - now_, resets_);
  now_ = sc_time_stamp();
  abandoned_ = was_reset();
}

bool TransferRun::was_reset() const {
  return mover_.epoch_ != epoch_ || (context_.reset != nullptr && context_.reset->requested);
}

}  // namespace npuvp::dma
