// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <systemc>

#include "models/base/command_port.h"
#include "models/base/initiator_port.h"
#include "models/base/timeline.h"
#include "models/dma/parameters.h"

namespace npuvp::dma {

/// A strided copy: `rows` rows of `row_bytes`, both > 0, no address wraps around. Addresses are those of its space.
struct Transfer {
  uint64_t source;
  uint64_t destination;
  uint32_t rows;
  uint64_t row_bytes;
  uint64_t source_stride;
  uint64_t destination_stride;
};

/// Which side of the card a translated address must be on.
enum class Side : uint8_t { kAny, kDevice, kHost };

/// Ends the runs of one user of a mover and nobody else's.
struct Cancellation {
  void cancel() {
    ++epoch;
    event.notify();
  }
  uint64_t epoch = 0;
  sc_core::sc_event event;
};

/// Everything about one run besides the copy itself.
struct RunContext {
  base::AddressSpace& space;
  Side source = Side::kAny;
  Side destination = Side::kAny;
  uint16_t context = 0;
  uint16_t engine = 0;
  uint16_t function = 0;           ///< PCIe function in whose name the host is reached.
  uint16_t asid = 0;               ///< Address space of the device side.
  bool fill = false;               ///< Nothing is read: zeros are written, in bursts of kFillBurstBytes.
  base::Timeline* rate = nullptr;  ///< The channel's limit, if it has one.
  Cancellation* cancellation = nullptr;
};

/// The data path of a DMA engine: turns a transfer into bursts and keeps several of them outstanding.
///
/// A burst lies inside one row and one contiguous range of each side, and a burst to or from the host inside one 4 KiB
/// page (PCIe requests may not cross one). Its write starts when its read has completed; the next burst does not wait
/// for it unless `outstanding_bursts` are under way, which retire in order.
class Mover {
 public:
  /// Larger than other bursts, so that clearing gigabytes costs the simulation little; only memories see them.
  static constexpr uint64_t kFillBurstBytes = 256 << 10;

  Mover(base::InitiatorPort& memory, const Parameters& parameters) : memory_(memory), parameters_(parameters) {}

  /// Runs in the caller's SC_THREAD and returns when the last write is visible. A burst that fails ends the transfer
  /// after the bursts before it; the fault address is the burst's first byte as the transfer gives it.
  /// Empty: reset() or its cancellation abandoned it.
  std::optional<base::CommandOutcome> run(const Transfer& transfer, const RunContext& context);

  void reset();

  [[nodiscard]] uint64_t bytes_read() const { return bytes_read_; }
  [[nodiscard]] uint64_t bytes_written() const { return bytes_written_; }

 private:
  class Run;

  base::InitiatorPort& memory_;
  const Parameters parameters_;
  sc_core::sc_event reset_event_;
  uint64_t epoch_ = 0;
  uint64_t bytes_read_ = 0;
  uint64_t bytes_written_ = 0;
};

}  // namespace npuvp::dma
