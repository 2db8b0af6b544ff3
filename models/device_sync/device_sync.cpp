// SPDX-License-Identifier: Apache-2.0
#include "models/device_sync/device_sync.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <span>

#include "firmware/abi/queue.h"
#include "models/base/sideband.h"

namespace npuvp::device_sync {

using base::CommandOutcome;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr uint64_t kWordBytes = sizeof(uint32_t);
constexpr uint64_t kFlagBytes = NPU_SYNC_FLAGS * kWordBytes;

bool in_window(uint64_t offset) {
  return offset >= NPU_BAR0_DEVICE_SYNC && offset - NPU_BAR0_DEVICE_SYNC < NPU_DEVICE_SYNC_WINDOW_BYTES;
}

bool is_true(const npu_device_sync& sync, uint32_t flag) {
  if (sync.compare == NPU_SYNC_EQUAL) return flag == sync.value;
  return static_cast<int32_t>(flag - sync.value) >= 0;
}

bool fields_legal(const npu_command& command) {
  const auto& sync = command.u.sync;
  const bool reserved = sync.reserved0 != 0 || std::any_of(std::begin(sync.reserved), std::end(sync.reserved),
                                                           [](uint32_t word) { return word != 0; });
  if (reserved || sync.flag >= NPU_SYNC_FLAGS) return false;
  const bool compares = sync.compare == NPU_SYNC_GREATER_EQUAL || sync.compare == NPU_SYNC_EQUAL;
  const bool updates = sync.update == NPU_SYNC_SET || sync.update == NPU_SYNC_ADD;
  const bool nothing_of_wait = sync.compare == 0 && sync.addend == 0 && sync.timeout_us == 0;
  switch (command.opcode) {
    case NPU_SYNC_WAIT:
      return sync.address == 0 && compares && (sync.update == NPU_SYNC_ADD || (sync.update == 0 && sync.addend == 0));
    case NPU_SYNC_SIGNAL:
      return sync.flag == 0 && sync.update == 0 && nothing_of_wait && sync.address % kWordBytes == 0;
    case NPU_SYNC_UPDATE:
      return sync.address == 0 && updates && nothing_of_wait;
    default:
      return false;
  }
}

}  // namespace

CommandOutcome DeviceSync::Channel::execute(const base::CommandRequest& request) {
  if (const auto checked = block_.check(request, number_); !checked.ok()) return checked;
  const uint64_t epoch = block_.epoch_;
  const auto outcome = block_.run(request);
  if (epoch != block_.epoch_) return {NPU_FAULT_BUS, 0};
  ++block_.finished_;
  return outcome;
}

DeviceSync::DeviceSync(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      host("host"),
      others("others"),
      registers("registers"),
      memory("memory"),
      commands("commands", NPU_SYNC_CHANNELS),
      environment_(environment),
      parameters_(parameters),
      registers_(environment, sc_module::name()),
      flags_(parameters.functions) {
  host.register_b_transport(this, &DeviceSync::host_transport);
  host.register_transport_dbg(this, &DeviceSync::host_transport_dbg);
  registers.register_b_transport(this, &DeviceSync::registers_transport);
  registers.register_transport_dbg(this, &DeviceSync::registers_transport_dbg);
  for (unsigned i = 0; i < NPU_SYNC_CHANNELS; ++i) commands[i].bind(channels_.emplace_back(*this, i));
  wire_registers();
  SC_METHOD(arrive);
  sensitive << arrival_event_;
  dont_initialize();
}

void DeviceSync::wire_registers() {
  const auto limit = [this](base::Register& given, uint64_t count) {
    given.on_write([this, &given, count](const base::RegisterWrite& write) {
      if (given.get() < count) return;
      environment_.diagnostics().misuse(registers_.name() + "." + given.info().name,
                                        fmt::format("{} is not below {}", given.get(), count), write.origin);
      given.set(write.before);
    });
  };
  const auto update = [this](npu_sync_update kind, uint64_t value) {
    change({static_cast<unsigned>(registers_.FUNCTION.get()), static_cast<uint32_t>(registers_.FLAG.get()), kind,
            static_cast<uint32_t>(value)});
  };
  limit(registers_.FUNCTION, parameters_.functions);
  limit(registers_.FLAG, NPU_SYNC_FLAGS);
  registers_.VALUE.on_read([this](uint64_t) {
    return flags_.read(static_cast<unsigned>(registers_.FUNCTION.get()), static_cast<uint32_t>(registers_.FLAG.get()),
                       sc_time_stamp());
  });
  registers_.VALUE.on_write([update](const base::RegisterWrite& write) { update(NPU_SYNC_SET, write.written); });
  registers_.ADD.on_write([update](const base::RegisterWrite& write) { update(NPU_SYNC_ADD, write.written); });
  registers_.CLEAR.on_write([this](const base::RegisterWrite& write) {
    if (write.written < parameters_.functions) function_reset(static_cast<unsigned>(write.written));
  });
  registers_.CHANGED.on_write([this](const base::RegisterWrite&) { update_irq(); });
  registers_.IRQ_ENABLE.on_write([this](const base::RegisterWrite&) { update_irq(); });
  registers_.ARRIVALS.on_read([this](uint64_t) { return arrivals_; });
  registers_.COMMANDS.on_read([this](uint64_t) { return finished_; });
}

void DeviceSync::reset() {
  ++epoch_;
  flags_.clear();
  arrival_event_.cancel();
  registers_.reset();
  arrivals_ = 0;
  finished_ = 0;
  update_irq();
  changed_event_.notify();
}

void DeviceSync::function_reset(unsigned function) {
  if (function >= parameters_.functions) return;
  flags_.clear(function);
  registers_.CHANGED.clear_bits(1ULL << function);
  update_irq();
  changed_event_.notify();
}

void DeviceSync::registers_transport(tlm::tlm_generic_payload& payload, sc_time&) {
  registers_.transport(payload);
}

unsigned DeviceSync::registers_transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

void DeviceSync::host_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  if (!in_window(payload.get_address())) {
    others->b_transport(payload, delay);
    return;
  }
  const bool done = access_window(payload, base::sideband_of(payload).function, sc_time_stamp() + delay);
  payload.set_response_status(done ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

unsigned DeviceSync::host_transport_dbg(tlm::tlm_generic_payload& payload) {
  if (!in_window(payload.get_address())) return others->transport_dbg(payload);
  const unsigned function = base::sideband_of(payload).function;
  const bool done = payload.is_read() && access_window(payload, function, sc_time_stamp());
  return done ? payload.get_data_length() : 0;
}

/// Words of the window, one flag after the other. False: not aligned to words, beyond the flags, or nobody's.
bool DeviceSync::access_window(tlm::tlm_generic_payload& payload, unsigned function, sc_time time) {
  const uint64_t offset = payload.get_address() - NPU_BAR0_DEVICE_SYNC;
  const uint64_t bytes = payload.get_data_length();
  if (function >= parameters_.functions || offset % kWordBytes != 0 || bytes % kWordBytes != 0 || bytes == 0 ||
      offset + bytes > 2 * kFlagBytes || payload.get_byte_enable_ptr() != nullptr) {
    return false;
  }
  for (uint64_t at = 0; at < bytes; at += kWordBytes) {
    const auto flag = static_cast<uint32_t>((offset + at) % kFlagBytes / kWordBytes);
    const bool adds = offset + at >= NPU_SYNC_WINDOW_ADD;
    uint8_t* const data = payload.get_data_ptr() + at;
    uint32_t value = 0;
    if (payload.is_read()) {
      if (!adds) value = flags_.read(function, flag, time);
      std::memcpy(data, &value, kWordBytes);
    } else {
      std::memcpy(&value, data, kWordBytes);
      flags_.post(time, {function, flag, adds ? NPU_SYNC_ADD : NPU_SYNC_SET, value});
      arrival_event_.notify(time - sc_time_stamp());
    }
  }
  return true;
}

void DeviceSync::arrive() {
  const auto next = flags_.arrive([this](const FlagStore::Write& write) {
    ++arrivals_;
    registers_.CHANGED.set_bits(1ULL << write.function);
  });
  update_irq();
  changed_event_.notify();
  if (next != sc_core::sc_max_time()) arrival_event_.notify(next - sc_time_stamp());
}

void DeviceSync::change(const FlagStore::Write& write) {
  flags_.apply(write);
  changed_event_.notify();
}

void DeviceSync::update_irq() {
  irq.set((registers_.CHANGED.get() & registers_.IRQ_ENABLE.get()) != 0);
}

CommandOutcome DeviceSync::check(const base::CommandRequest& request, unsigned channel) const {
  const auto& command = *request.command;
  const bool legal = command.kind == NPU_COMMAND_DEVICE_SYNC && command.engine == channel && command.flags == 0 &&
                     fields_legal(command) && request.function < parameters_.functions;
  return legal ? CommandOutcome{} : CommandOutcome{NPU_FAULT_ILLEGAL_COMMAND, 0};
}

CommandOutcome DeviceSync::run(const base::CommandRequest& request) {
  const uint64_t epoch = epoch_;
  sc_core::wait(parameters_.latency);
  if (epoch != epoch_) return {};
  const auto& sync = request.command->u.sync;
  switch (request.command->opcode) {
    case NPU_SYNC_WAIT:
      return wait_for_flag(request);
    case NPU_SYNC_SIGNAL:
      return signal(request);
    default:
      change({request.function, sync.flag, static_cast<npu_sync_update>(sync.update), sync.value});
      return {};
  }
}

CommandOutcome DeviceSync::wait_for_flag(const base::CommandRequest& request) {
  const auto& sync = request.command->u.sync;
  const uint64_t epoch = epoch_;
  const sc_time end = sync.timeout_us == 0
                          ? sc_core::sc_max_time()
                          : sc_time_stamp() + sc_time(static_cast<double>(sync.timeout_us), sc_core::SC_US);
  while (!is_true(sync, flags_.read(request.function, sync.flag, sc_time_stamp()))) {
    if (request.cancel != nullptr && request.cancel->requested) return {NPU_FAULT_CANCELLED, 0};
    if (sc_time_stamp() >= end) return {NPU_FAULT_SYNC_TIMEOUT, 0};
    sc_core::sc_event_or_list events(changed_event_);
    if (request.cancel != nullptr) events |= request.cancel->event;
    if (end == sc_core::sc_max_time()) {
      sc_core::wait(events);
    } else {
      sc_core::wait(end - sc_time_stamp(), events);
    }
    if (epoch != epoch_) return {};
  }
  if (sync.update == NPU_SYNC_ADD) change({request.function, sync.flag, NPU_SYNC_ADD, sync.addend});
  return {};
}

/// A posted write to another card, behind all that this card has sent there.
CommandOutcome DeviceSync::signal(const base::CommandRequest& request) {
  const auto& sync = request.command->u.sync;
  sc_time delay;
  const auto range = request.space->translate(sync.address, kWordBytes, true, request.command->engine, delay);
  if (range.fault != NPU_FAULT_NONE) return {range.fault, sync.address};
  if ((range.physical & NPU_MAP_HOST) == 0) return {NPU_FAULT_ILLEGAL_COMMAND, sync.address};
  auto& sideband = memory.sideband();
  sideband.origin = {base::Origin::Kind::kEngine, request.command->engine, 0};
  sideband.context = request.context;
  sideband.function = request.function;
  std::array<uint8_t, kWordBytes> data{};
  std::memcpy(data.data(), &sync.value, kWordBytes);
  const uint64_t epoch = epoch_;
  const auto response = memory.write(range.physical, data, delay);
  sc_core::wait(delay);
  if (epoch != epoch_) return {};
  return response == tlm::TLM_OK_RESPONSE ? CommandOutcome{} : CommandOutcome{NPU_FAULT_BUS, sync.address};
}

}  // namespace npuvp::device_sync
