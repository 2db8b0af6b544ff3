// SPDX-License-Identifier: Apache-2.0
#include "models/dma/mover.h"

#include <algorithm>
#include <array>
#include <vector>

#include "firmware/abi/memory_map.h"
#include "firmware/abi/queue.h"

namespace npuvp::dma {

using base::CommandOutcome;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr uint64_t kMaxBurstBytes = 4096;

/// One side of a transfer within a row: where it is, and how far its last translation reaches.
struct Cursor {
  uint64_t address = 0;
  base::AddressSpace::Range range;

  void advance(uint64_t bytes) {
    address += bytes;
    range.physical += bytes;
    range.bytes -= bytes;
  }
  /// Bytes that one burst may move on this side.
  [[nodiscard]] uint64_t reach() const {
    const bool host = (range.physical & NPU_MAP_HOST) != 0;
    return host ? std::min<uint64_t>(range.bytes, NPU_HOST_PAGE_BYTES - range.physical % NPU_HOST_PAGE_BYTES)
                : range.bytes;
  }
};

std::span<const uint8_t> zeros(uint64_t bytes) {
  static const std::vector<uint8_t> kZeros(Mover::kFillBurstBytes);
  return std::span(kZeros).first(bytes);
}

bool is_on(Side side, uint64_t physical) {
  return side == Side::kAny || (side == Side::kHost) == ((physical & NPU_MAP_HOST) != 0);
}

}  // namespace

/// The state of one transfer under way.
class Mover::Run {
 public:
  Run(Mover& mover, const Transfer& transfer, const RunContext& context)
      : mover_(mover),
        transfer_(transfer),
        context_(context),
        epoch_(mover.epoch_),
        cancel_epoch_(context.cancellation != nullptr ? context.cancellation->epoch : 0),
        issue_(sc_time_stamp() + mover.parameters_.start_latency),
        last_(issue_),
        window_(std::max(mover.parameters_.outstanding_bursts, 1U), sc_core::SC_ZERO_TIME) {}

  std::optional<CommandOutcome> operator()() {
    for (uint32_t row = 0; row < transfer_.rows && outcome_.ok() && !abandoned_; ++row) move_row(row);
    if (!abandoned_) wait_until(last_);
    if (abandoned_) return std::nullopt;
    return outcome_;
  }

 private:
  void move_row(uint32_t row) {
    source_ = {transfer_.source + row * transfer_.source_stride, {}};
    destination_ = {transfer_.destination + row * transfer_.destination_stride, {}};
    for (uint64_t left = transfer_.row_bytes; left > 0;) {
      wait_for_slot();
      if (abandoned_) return;
      if (context_.fill) {
        if (!translate(destination_, left, context_.destination, true)) return;
        const uint64_t bytes = std::min({left, kFillBurstBytes, destination_.reach()});
        if (!fill_burst(bytes)) return;
        destination_.advance(bytes);
        left -= bytes;
        continue;
      }
      if (!translate(source_, left, context_.source, false) ||
          !translate(destination_, left, context_.destination, true)) {
        return;
      }
      const uint64_t limit = std::min(mover_.parameters_.burst_bytes, kMaxBurstBytes);
      const uint64_t bytes = std::min({left, limit, source_.reach(), destination_.reach()});
      if (!move_burst(bytes)) return;
      source_.advance(bytes);
      destination_.advance(bytes);
      left -= bytes;
    }
  }

  bool translate(Cursor& cursor, uint64_t left, Side side, bool write) {
    if (cursor.range.bytes > 0) return true;
    sc_time delay = issue_ - sc_time_stamp();
    cursor.range = context_.space.translate(cursor.address, left, write, context_.engine, delay);
    issue_ = sc_time_stamp() + delay;
    last_ = std::max(last_, issue_);
    if (cursor.range.fault != NPU_FAULT_NONE) return fail(cursor.range.fault, cursor);
    return is_on(side, cursor.range.physical) || fail(NPU_FAULT_ILLEGAL_COMMAND, cursor);
  }

  bool move_burst(uint64_t bytes) {
    const sc_time now = sc_time_stamp();
    const std::span<uint8_t> data(buffer_.data(), bytes);
    auto& sideband = label();
    sc_time begin = issue_;
    if (context_.rate != nullptr) {
      const auto slot = context_.rate->reserve_bytes(issue_, bytes);
      begin = slot.begin;
      last_ = std::max(last_, slot.end);
    }
    sc_time delay = begin - now;
    const auto read = mover_.memory_.read(source_.range.physical, data, delay);
    const bool poisoned = sideband.poison;
    sideband.poison = false;
    last_ = std::max(last_, now + delay);
    if (read != tlm::TLM_OK_RESPONSE) return fail(bus_fault(), source_);
    mover_.bytes_read_ += bytes;
    if (poisoned) return fail(NPU_FAULT_POISON, source_);
    return write_burst(data, delay);
  }

  bool fill_burst(uint64_t bytes) {
    auto& sideband = label();
    sideband.zeros = true;
    const bool written = write_burst(zeros(bytes), issue_ - sc_time_stamp());
    sideband.zeros = false;
    return written;
  }

  bool write_burst(std::span<const uint8_t> data, sc_time delay) {
    const sc_time now = sc_time_stamp();
    const auto written = mover_.memory_.write(destination_.range.physical, data, delay);
    last_ = std::max(last_, now + delay);
    if (written != tlm::TLM_OK_RESPONSE) return fail(bus_fault(), destination_);
    mover_.bytes_written_ += data.size();
    window_[slot_] = now + delay;
    slot_ = (slot_ + 1) % window_.size();
    return true;
  }

  /// Tells the bus whose accesses come.
  base::Sideband& label() {
    auto& sideband = mover_.memory_.sideband();
    sideband.origin = {base::Origin::Kind::kEngine, context_.engine, 0};
    sideband.context = context_.context;
    sideband.asid = context_.asid;
    sideband.function = context_.function;
    return sideband;
  }

  /// Why the bus has just refused an access.
  [[nodiscard]] npu_fault bus_fault() const {
    return mover_.memory_.sideband().translation_fault ? NPU_FAULT_TRANSLATION : NPU_FAULT_BUS;
  }

  bool fail(npu_fault fault, const Cursor& cursor) {
    outcome_ = {fault, cursor.address};
    return false;
  }

  /// The slot of the oldest burst is free for the next one when that burst has completed.
  void wait_for_slot() {
    wait_until(window_[slot_]);
    issue_ = std::max(issue_, sc_time_stamp());
  }

  void wait_until(sc_time time) {
    if (time <= sc_time_stamp()) return;
    if (context_.cancellation == nullptr) {
      sc_core::wait(time - sc_time_stamp(), mover_.reset_event_);
    } else {
      sc_core::wait(time - sc_time_stamp(), mover_.reset_event_ | context_.cancellation->event);
      abandoned_ = context_.cancellation->epoch != cancel_epoch_;
    }
    abandoned_ |= mover_.epoch_ != epoch_;
  }

  Mover& mover_;
  const Transfer& transfer_;
  const RunContext& context_;
  const uint64_t epoch_;
  const uint64_t cancel_epoch_;
  sc_time issue_;  // when the next burst may start
  sc_time last_;   // when everything issued so far has ended
  std::vector<sc_time> window_;
  size_t slot_ = 0;
  Cursor source_;
  Cursor destination_;
  CommandOutcome outcome_;
  bool abandoned_ = false;
  std::array<uint8_t, kMaxBurstBytes> buffer_;
};

std::optional<CommandOutcome> Mover::run(const Transfer& transfer, const RunContext& context) {
  return Run(*this, transfer, context)();
}

void Mover::reset() {
  ++epoch_;
  bytes_read_ = 0;
  bytes_written_ = 0;
  reset_event_.notify();
}

}  // namespace npuvp::dma
