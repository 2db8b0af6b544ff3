// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <systemc>

#include "models/base/command_port.h"
#include "models/base/initiator_port.h"
#include "models/base/power_meter.h"
#include "models/base/timeline.h"
#include "models/dma/arbiter.h"
#include "models/dma/parameters.h"
#include "models/dma/transfer.h"

namespace npuvp::dma {

/// Which side of the card a translated address must be on.
enum class Side : uint8_t { kAny, kDevice, kHost };

/// Everything about one run besides the copy itself.
struct RunContext {
  base::AddressSpace& space;
  Side source = Side::kAny;
  Side destination = Side::kAny;
  uint16_t context = 0;
  uint16_t engine = 0;
  uint16_t function = 0;                       ///< PCIe function in whose name the host is reached.
  uint16_t asid = 0;                           ///< Address space of the device side.
  unsigned channel = 0;                        ///< For the arbitration of outstanding bursts.
  bool clear = false;                          ///< Nothing is read: zeros are written, in bursts of kClearBurstBytes.
  uint64_t kept_bytes = UINT64_MAX;            ///< A transfer of more moves no contents.
  base::Timeline* rate = nullptr;              ///< The channel's limit, if it has one.
  const base::CancelSignal* cancel = nullptr;  ///< Of the job: the run ends in good order, NPU_FAULT_CANCELLED.
  const base::CancelSignal* reset = nullptr;   ///< Of the channel: the run is abandoned where it is.
};

class TransferRun;

/// The data path of a DMA engine: turns transfers into bursts and keeps several of them outstanding.
///
/// A burst lies inside one contiguous range of each side, and a burst to or from the host inside one 4 KiB page (PCIe
/// requests may not cross one). Its write starts when its read has completed; the next burst does not wait for it
/// unless `outstanding_bursts` are under way, which retire in order. README.md has the details.
class Mover {
 public:
  /// Larger than other bursts, so that clearing gigabytes costs the simulation little; only memories see them.
  static constexpr uint64_t kClearBurstBytes = 256 << 10;

  Mover(base::InitiatorPort& memory, const Parameters& parameters);
  ~Mover();

  /// Runs in the caller's SC_THREAD and returns when the last write is visible. What fails ends the transfer after all
  /// that comes before it has been moved; the outcome's position says how much that is.
  /// Empty: reset() or its channel's abandoned it.
  std::optional<base::CommandOutcome> run(const Transfer& transfer, const RunContext& context);

  /// The same for the descriptors of a chain, which is checked but for what stands in memory.
  std::optional<base::CommandOutcome> run(const npu_dma_chain& chain, const RunContext& context);

  void reset();

  base::EnergyCounter energy;  ///< Of each byte moved.

  [[nodiscard]] uint64_t bytes_read() const { return bytes_read_; }
  [[nodiscard]] uint64_t bytes_written() const { return bytes_written_; }

 private:
  friend class TransferRun;
  class Run;

  base::InitiatorPort& memory_;
  const Parameters parameters_;
  Arbiter arbiter_;
  sc_core::sc_event reset_event_;
  uint64_t epoch_ = 0;
  std::list<TransferRun> runs_;  // under way
  uint64_t bytes_read_ = 0;
  uint64_t bytes_written_ = 0;
};

}  // namespace npuvp::dma
