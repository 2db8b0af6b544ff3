// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <systemc>
#include <utility>
#include <vector>

#include "firmware/abi/event_log.h"
#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/base/irq.h"
#include "npuvp/registers/log_manager.h"

namespace npuvp::log_manager {

/// Collects time-stamped events of hardware and firmware in a ring in memory (firmware/abi/event_log.h) and shows them
/// on the platform's event stream; jobs, whose begin and end the firmware reports, as spans on a track a job slot.
///
/// Sockets: `registers` (target), `memory` (initiator). `interrupt`: level-sensitive.
/// Timing: an event takes the time of its cause; its 32 bytes are written at once and nobody waits for them. The newest
/// events replace the oldest. Nothing is scheduled. The vendor's block is not public; this one is ours.
class LogManager final : public sc_core::sc_module {
 public:
  /// `trace_parent`: track of the card.
  LogManager(sc_core::sc_module_name name, base::Environment& environment, base::TrackId trace_parent = 0);

  tlm_utils::simple_target_socket<LogManager> registers;
  base::InitiatorPort memory;
  base::IrqLine interrupt;

  /// Card time in ns at an absolute simulated time; without it events carry simulated time.
  void set_time_source(std::function<uint64_t(sc_core::sc_time)> source) { time_ns_ = std::move(source); }

  /// An event of a hardware block, now.
  void record(npu_event_source source, uint16_t code, uint64_t argument0 = 0, uint64_t argument1 = 0) {
    record(source, code, {argument0, argument1}, sc_core::sc_time_stamp());
  }

  void reset();

 private:
  using Arguments = std::array<uint64_t, 2>;

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void control(const base::RegisterWrite& write);
  void record(npu_event_source source, uint16_t code, const Arguments& arguments, sc_core::sc_time at);
  void show_job(uint16_t code, const Arguments& arguments, sc_core::sc_time at);
  void show(npu_event_source source, uint16_t code, const Arguments& arguments, sc_core::sc_time at);
  void store(const npu_event& event, sc_core::sc_time at);
  void update();

  base::Environment& environment_;
  LogManagerRegisters registers_;
  base::TrackId track_;
  /// A job slot of the Task Manager: a track, and when the firmware said that its job began.
  struct JobSlot {
    base::TrackId track;
    std::optional<sc_core::sc_time> begin;
  };
  static constexpr unsigned kJobSlots = 4;
  std::vector<JobSlot> job_slots_;
  std::function<uint64_t(sc_core::sc_time)> time_ns_;
  uint64_t base_ = 0;     // of the ring, as taken
  uint64_t entries_ = 0;  // a power of two
  sc_core::sc_time now_;  // of the access that is served
};

}  // namespace npuvp::log_manager
