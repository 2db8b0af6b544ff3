// SPDX-License-Identifier: Apache-2.0
#include "models/log_manager/log_manager.h"

#include <fmt/format.h>

#include <algorithm>

#include "npu/registers/log_manager.h"

namespace npuvp::log_manager {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr uint64_t kRingAlignment = 64;

const char* name_of(npu_event_source source) {
  static constexpr const char* kNames[] = {"firmware", "system", "sensors", "watchdog"};
  return source < std::size(kNames) ? kNames[source] : "hardware";
}

}  // namespace

LogManager::LogManager(sc_core::sc_module_name name, base::Environment& environment, base::TrackId trace_parent)
    : sc_module(name),
      registers("registers"),
      memory("memory"),
      environment_(environment),
      registers_(environment, sc_module::name()),
      track_(environment.trace().add_track("events", trace_parent)) {
  for (unsigned slot = 0; slot < kJobSlots; ++slot) {
    job_slots_.push_back({environment.trace().add_track(fmt::format("job slot {}", slot), trace_parent), std::nullopt});
  }
  registers.register_b_transport(this, &LogManager::b_transport);
  registers.register_transport_dbg(this, &LogManager::transport_dbg);
  memory.sideband().origin = {base::Origin::Kind::kEngine, 0, 0};
  registers_.CONTROL.on_write([this](const base::RegisterWrite& write) { control(write); });
  registers_.EVENT.on_write([this](const base::RegisterWrite& write) {
    record(NPU_EVENT_FIRMWARE, static_cast<uint16_t>(registers_.EVENT.CODE.in(write)),
           {registers_.ARGUMENT[0].get(), registers_.ARGUMENT[1].get()}, now_);
  });
  for (base::Register* each : {static_cast<base::Register*>(&registers_.TAIL), &registers_.THRESHOLD}) {
    each->on_write([this](const base::RegisterWrite&) { update(); });
  }
  registers_.STATUS.on_write([this](const base::RegisterWrite&) { update(); });
  registers_.IRQ_ENABLE.on_write([this](const base::RegisterWrite&) { update(); });
}

void LogManager::reset() {
  registers_.reset();
  for (auto& slot : job_slots_) slot.begin.reset();
  entries_ = 0;
  update();
}

void LogManager::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  now_ = sc_time_stamp() + delay;
  registers_.transport(payload);
}

unsigned LogManager::transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

void LogManager::control(const base::RegisterWrite& write) {
  const uint64_t enable = registers_.CONTROL.ENABLE.mask();
  if ((registers_.CONTROL.get() & enable) == 0) {
    entries_ = 0;
    return;
  }
  if ((write.before & enable) != 0) return;
  const uint64_t log2 = registers_.LOG2_ENTRIES.get();
  if (log2 < NPU_EVENT_LOG_LOG2_MIN || log2 > NPU_EVENT_LOG_LOG2_MAX || registers_.BASE.get() % kRingAlignment != 0) {
    registers_.CONTROL.ENABLE.set(0);
    environment_.diagnostics().misuse(
        registers_.name() + ".CONTROL",
        fmt::format("ring of 2^{} entries at {:#x}: 2^{} to 2^{} entries at a multiple of {} are possible", log2,
                    registers_.BASE.get(), NPU_EVENT_LOG_LOG2_MIN, NPU_EVENT_LOG_LOG2_MAX, kRingAlignment),
        write.origin);
    return;
  }
  base_ = registers_.BASE.get();
  entries_ = uint64_t{1} << log2;
  registers_.WRITTEN.set(0);
  registers_.TAIL.set(0);
  registers_.STATUS.set(0);
  update();
}

void LogManager::record(npu_event_source source, uint16_t code, const Arguments& arguments, sc_time at) {
  if (environment_.trace().enabled()) show(source, code, arguments, at);
  if (entries_ == 0 || (registers_.SOURCES.get() >> source & 1) == 0) return;
  const uint64_t written = registers_.WRITTEN.get();
  const npu_event event{.time_ns = time_ns_ ? time_ns_(at) : static_cast<uint64_t>(at / sc_time(1, sc_core::SC_NS)),
                        .sequence = static_cast<uint32_t>(written),
                        .source = static_cast<uint16_t>(source),
                        .code = code,
                        .argument = {arguments[0], arguments[1]}};
  store(event, at);
  update();
}

/// A job is shown when it has ended.
void LogManager::show_job(uint16_t code, const Arguments& arguments, sc_time at) {
  static constexpr const char* kStatus[] = {"ok", "bad submission", "fault", "timeout", "aborted"};
  const uint32_t number = NPU_EVENT_JOB_SLOT(arguments[0]);
  if (number >= job_slots_.size()) return;
  auto& slot = job_slots_[number];
  if (code == NPU_EVENT_JOB_START) slot.begin = at;
  if (code != NPU_EVENT_JOB_END || !slot.begin) return;
  const uint32_t status = NPU_EVENT_JOB_STATUS(arguments[0]);
  environment_.trace().span(slot.track, fmt::format("job {}", arguments[1]), *slot.begin, at,
                            {{"context", uint64_t{NPU_EVENT_JOB_CONTEXT(arguments[0])}},
                             {"function", uint64_t{NPU_EVENT_JOB_FUNCTION(arguments[0])}},
                             {"queue", uint64_t{NPU_EVENT_JOB_QUEUE(arguments[0])}},
                             {"status", status < std::size(kStatus) ? kStatus[status] : "unknown"}});
  slot.begin.reset();
}

void LogManager::show(npu_event_source source, uint16_t code, const Arguments& arguments, sc_time at) {
  if (source == NPU_EVENT_FIRMWARE) show_job(code, arguments, at);
  environment_.trace().instant(track_, name_of(source), at,
                               {{"code", uint64_t{code}}, {"argument0", arguments[0]}, {"argument1", arguments[1]}});
}

void LogManager::store(const npu_event& event, sc_time at) {
  const uint64_t written = registers_.WRITTEN.get();
  sc_time delay = std::max(at, sc_time_stamp()) - sc_time_stamp();
  const uint64_t address = base_ + (written & (entries_ - 1)) * sizeof(event);
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(&event), sizeof(event));
  if (memory.write(address, bytes, delay) != tlm::TLM_OK_RESPONSE) {
    registers_.STATUS.BUS_ERROR.set(1);
    return;
  }
  registers_.WRITTEN.set(written + 1);
  if (written + 1 - registers_.TAIL.get() > entries_) registers_.STATUS.OVERRUN.set(1);
}

void LogManager::update() {
  const uint64_t threshold = registers_.THRESHOLD.get();
  const uint64_t unread = registers_.WRITTEN.get() - registers_.TAIL.get();
  const bool reached = threshold != 0 && registers_.WRITTEN.get() >= registers_.TAIL.get() && unread >= threshold;
  registers_.STATUS.THRESHOLD.set(reached ? 1 : 0);
  interrupt.set((registers_.STATUS.get() & registers_.IRQ_ENABLE.get()) != 0);
}

}  // namespace npuvp::log_manager
