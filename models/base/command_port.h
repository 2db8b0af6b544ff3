// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "firmware/abi/command.h"
#include "firmware/abi/status.h"

namespace npuvp::base {

/// Why a command stopped; fault NPU_FAULT_NONE means that it has finished.
struct CommandOutcome {
  npu_fault fault = NPU_FAULT_NONE;
  uint64_t fault_address = 0;  ///< As the command gave it.
  uint64_t position = 0;       ///< What the command had done before: NPU_DMA_POSITION of a DMA command.

  [[nodiscard]] bool ok() const { return fault == NPU_FAULT_NONE; }
};

/// The address space of the job that a command belongs to: command addresses (firmware/abi/command.h) to card
/// physical addresses, with bounds and permissions checked. Implemented by the Task Manager.
class AddressSpace {
 public:
  struct Range {
    npu_fault fault = NPU_FAULT_NONE;
    uint64_t physical = 0;  ///< Card physical address of the first byte.
    uint64_t bytes = 0;     ///< Contiguous from there, 1 to the number asked for.
  };

  virtual ~AddressSpace() = default;

  /// Translates the start of [address, address + bytes), which must lie inside its space as a whole; bytes > 0.
  /// `delay` grows by the time the look-up takes (a page list entry may have to be fetched from the host).
  virtual Range translate(uint64_t address, uint64_t bytes, bool write, uint16_t engine, sc_core::sc_time& delay) = 0;
};

/// Asks work that is under way to end. Whoever waits for long looks at it; what the end is like says who passes it on.
struct CancelSignal {
  void request() {
    requested = true;
    event.notify();
  }
  bool requested = false;
  sc_core::sc_event event;
};

/// A command on its way from the Task Manager to an engine.
struct CommandRequest {
  const npu_command* command;
  AddressSpace* space;
  uint16_t context;
  uint32_t index;         ///< In the command stream.
  uint16_t function = 0;  ///< PCIe function whose job it is: accesses to the host go out in its name.
  uint16_t asid = 0;      ///< Address space (device MMU) of the job's device memory.
  /// Abort of the job: a command that stops for it ends with NPU_FAULT_CANCELLED.
  const CancelSignal* cancel = nullptr;
};

/// Command input of an engine, bound to the Task Manager's queues in assembly. execute() is called in an SC_THREAD of
/// the caller, may wait() and returns when the command's writes are visible. Several threads may be inside at a time;
/// the engine models its own contention. The command comes from untrusted memory: the engine checks every field.
class CommandTarget : public virtual sc_core::sc_interface {
 public:
  virtual CommandOutcome execute(const CommandRequest& request) = 0;
};

using CommandPort = sc_core::sc_port<CommandTarget>;
using CommandExport = sc_core::sc_export<CommandTarget>;

}  // namespace npuvp::base
