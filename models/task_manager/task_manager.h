// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "firmware/abi/memory_map.h"
#include "models/base/command_port.h"
#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/base/irq.h"
#include "models/task_manager/job.h"
#include "models/task_manager/on_chip_memories.h"
#include "npuvp/registers/task_manager.h"

namespace npuvp::task_manager {

/// What one kind of command has done since construction or reset().
struct KindTime {
  sc_core::sc_time busy;  ///< Sum over the kind's queues of the time in execute(): two engines busy for 1 us make 2 us.
  uint64_t commands = 0;  ///< Finished without a fault.
  uint64_t bytes = 0;     ///< Moved by DMA commands.
};

/// Fetches a job's command stream, orders commands by tokens, dispatches them and reports the job's end.
///
/// Sockets: `registers` (target), `memory` (initiator: segment table, commands, page lists), a command port for every
/// queue, `irq`. Timing: the table and then the stream are read in bursts of 4 KiB, all outstanding together; commands
/// are dispatched from the first burst on; a command starts `dispatch_latency` after its queue is free and its tokens
/// are there. kSlots jobs at a time; each has its part of the on-chip memories. README.md has the details.
class TaskManager final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(TaskManager);
  static constexpr unsigned kSlots = 4;
  static constexpr uint64_t kSlotStride = 0x100;  ///< From slot to slot in the register map.

  struct Parameters {
    Memories memories;
    sc_core::sc_time dispatch_latency{20, sc_core::SC_NS};  ///< (u) 20 cycles at 1 GHz.
    base::TrackId trace_parent = 0;
  };

  TaskManager(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<TaskManager> registers;
  base::InitiatorPort memory;
  sc_core::sc_vector<base::CommandPort> neural_engines;  ///< One an engine.
  sc_core::sc_vector<base::CommandPort> neural_vector;   ///< The second queue of each engine.
  sc_core::sc_vector<base::CommandPort> neural_dma;      ///< One an engine.
  sc_core::sc_vector<base::CommandPort> task_dma;        ///< 1
  sc_core::sc_vector<base::CommandPort> external_hdma;   ///< 0 host to card, 1 card to host
  sc_core::sc_vector<base::CommandPort> device_hdma;     ///< 0 peer to card, 1 card to peer
  sc_core::sc_vector<base::CommandPort> device_sync;     ///< NPU_SYNC_CHANNELS
  base::IrqLine irq;                                     ///< Some slot has DONE set.

  /// `handler` clears the given part of the on-chip memories at once and tells how long that takes. Called before the
  /// first command of a job that gets what another FUNCTION's job has used, or after CLEAR_MEMORIES. Function 0 owns
  /// all at power-on.
  using OwnerChange = std::function<sc_core::sc_time(const OnChipPart& part)>;
  void on_owner_change(OwnerChange handler) { memories_.on_owner_change(std::move(handler)); }

  /// Drops the jobs. Commands that are inside an engine end there without effect on a later job; until then their queue
  /// takes no new command. The owners of the on-chip memories stay, as their contents do.
  void reset();

  static constexpr size_t kKinds = NPU_COMMAND_CONTROL + 1;
  /// Indexed by enum npu_command_kind.
  [[nodiscard]] const std::array<KindTime, kKinds>& time_by_kind() const { return time_by_kind_; }

 private:
  /// A job's registers, and the job.
  struct Slot {
    Slot(base::Environment& environment, std::string name, unsigned slot_number)
        : number(slot_number), registers(environment, std::move(name)) {}
    unsigned number;
    TaskManagerRegisters registers;
    std::shared_ptr<Job> job;  // null when idle; a thread that holds another one works for an abandoned job
    uint64_t age = 0;          // order of START
    bool claimed = false;      // its part of the on-chip memories is its own
    sc_core::sc_time usable;   // from then on: absolute
    sc_core::sc_time blocked;  // BLOCKED_NS without the time since blocked_since
    std::optional<sc_core::sc_time> blocked_since;
    sc_core::sc_event started;
    sc_core::sc_event cancelled;
    sc_core::sc_time access_delay;
  };
  /// The hardware queue in front of one engine, served by a thread.
  struct Queue {
    Queue(unsigned queue_index, base::CommandPort* queue_port, base::TrackId queue_track)
        : index(queue_index), port(queue_port), track(queue_track) {}
    unsigned index;
    base::CommandPort* port;  // null: the Task Manager's own commands
    base::TrackId track;
    Slot* slot = nullptr;                  // of the command handed over or running
    unsigned last_slot = kSlots - 1;       // whose command it took last: the others go first
    uint16_t last_function = NPU_MAX_VFS;  // the same of functions
    std::shared_ptr<Job> job;              // the same; null when the queue is free
    Job::Dispatch dispatch;
    sc_core::sc_event handed_over;
  };

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  [[nodiscard]] Slot& slot_of(uint64_t address);
  void wire_registers(Slot& slot);
  void add_queues(sc_core::sc_vector<base::CommandPort>& ports, const std::string& title);
  void add_queue(base::CommandPort* port, const std::string& title);

  void start(Slot& slot, const base::Origin& origin);
  void abort(Slot& slot);
  [[nodiscard]] JobSettings settings_of(Slot& slot, bool& legal) const;
  void run_fetch(Slot& slot);
  void claim_memories();
  bool fetch_segments(Slot& slot, Job& job, sc_core::sc_time& delay);
  void stream_commands(Slot& slot, const std::shared_ptr<Job>& job, sc_core::sc_time delay);
  bool fetch(uint64_t address, std::span<uint8_t> data, sc_core::sc_time& delay);

  void run_queue(Queue& queue);
  Fault execute(const Queue& queue, Job& job, const Job::Dispatch& dispatch);
  void account(const Queue& queue, const Job::Dispatch& dispatch, sc_core::sc_time begin, bool ok);
  void schedule();
  void schedule_soon();
  [[nodiscard]] Slot* choose(const Queue& queue);
  [[nodiscard]] bool blocked(const Slot& slot) const;
  void count_blocked(Slot& slot);
  void finish(Slot& slot);
  void update_irq();

  base::Environment& environment_;
  const Parameters parameters_;
  const QueueLayout layout_;
  std::deque<Slot> slots_;
  std::deque<Queue> queues_;  // in the order of layout_
  OnChipMemories memories_;
  sc_core::sc_event look_event_;
  std::array<KindTime, kKinds> time_by_kind_{};
  uint64_t starts_ = 0;
};

}  // namespace npuvp::task_manager
