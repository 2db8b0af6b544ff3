// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "models/base/command_port.h"
#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/base/irq.h"
#include "models/task_manager/job.h"
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
/// queue, `irq`. Timing: the table and then the stream are read in bursts of 4 KiB, all outstanding together; dispatch
/// starts when all of the stream has come; a command starts `dispatch_latency` after its queue is free and its tokens
/// are there. One job runs at a time. README.md has the details.
class TaskManager final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(TaskManager);
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
  base::IrqLine irq;

  /// `handler` clears the on-chip memories at once and tells how long that takes. Called before the first command of a
  /// job whose FUNCTION is not the one of the job before, or after CLEAR_MEMORIES. Function 0 owns them at power-on.
  void on_owner_change(std::function<sc_core::sc_time()> handler) { owner_change_ = std::move(handler); }

  /// Drops the job. Commands that are inside an engine end there without effect on a later job; until then their queue
  /// takes no new command. The owner of the on-chip memories stays, as their contents do.
  void reset();

  static constexpr size_t kKinds = NPU_COMMAND_DEVICE_SYNC + 1;
  /// Indexed by enum npu_command_kind.
  [[nodiscard]] const std::array<KindTime, kKinds>& time_by_kind() const { return time_by_kind_; }

 private:
  /// The hardware queue in front of one engine, served by a thread.
  struct Queue {
    Queue(unsigned queue_index, base::CommandPort& queue_port, base::TrackId queue_track)
        : index(queue_index), port(queue_port), track(queue_track) {}
    unsigned index;
    base::CommandPort& port;
    base::TrackId track;
    std::shared_ptr<Job> job;  // of the command handed over, null when there is none
    uint32_t command = 0;
    sc_core::sc_event handed_over;
  };

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void wire_registers();
  void add_queues(sc_core::sc_vector<base::CommandPort>& ports, const std::string& title);

  void start(const base::Origin& origin);
  void abort();
  void run_fetch();
  sc_core::sc_time hand_over_memories(const Job& job);
  bool fetch_segments(Job& job, sc_core::sc_time& delay);
  bool fetch_commands(Job& job, sc_core::sc_time& delay, std::vector<npu_command>& commands);
  bool fetch(uint64_t address, std::span<uint8_t> data, sc_core::sc_time& delay);

  void run_queue(Queue& queue);
  Fault execute(Queue& queue, Job& job, uint32_t index);
  void account(const Queue& queue, const npu_command& command, uint32_t index, sc_core::sc_time begin, bool ok);
  void schedule();
  void finish();
  void update_irq() { irq.set(registers_.STATUS.DONE.get() != 0); }

  base::Environment& environment_;
  const Parameters parameters_;
  const QueueLayout layout_;
  TaskManagerRegisters registers_;
  std::deque<Queue> queues_;  // in the order of layout_
  std::shared_ptr<Job> job_;  // null when idle; a thread that holds another one works for an abandoned job
  sc_core::sc_event start_event_;
  sc_core::sc_event fetch_cancelled_;
  sc_core::sc_time access_delay_;
  std::array<KindTime, kKinds> time_by_kind_{};
  std::function<sc_core::sc_time()> owner_change_;
  uint16_t owner_ = 0;       // function of the last job that could use the on-chip memories
  bool must_clear_ = false;  // whatever the next one's function
};

}  // namespace npuvp::task_manager
