// SPDX-License-Identifier: Apache-2.0
#include "models/dma/dma_engine.h"

#include <algorithm>
#include <utility>

#include "firmware/abi/memory_map.h"
#include "models/base/sideband.h"
#include "models/dma/command_check.h"

namespace npuvp::dma {

using base::CommandOutcome;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

uint64_t to_ns(sc_time time) {
  return time.value() / sc_time(1, sc_core::SC_NS).value();
}

constexpr uint64_t kCopyGranule = 4096;

/// Where the ends of a command must be: channel 0 of an HDMA comes from the host or the peer, channel 1 goes there.
std::pair<Side, Side> sides(npu_command_kind kind, unsigned channel) {
  if (kind != NPU_COMMAND_EXTERNAL_HDMA && kind != NPU_COMMAND_DEVICE_HDMA) return {Side::kDevice, Side::kDevice};
  return channel == 0 ? std::pair(Side::kHost, Side::kDevice) : std::pair(Side::kDevice, Side::kHost);
}

/// The firmware channel's address space: card physical addresses. Ranges end at multiples of `granule`, at which the
/// windows of the card's map begin, so that no burst can cross from one into the next.
class PhysicalSpace final : public base::AddressSpace {
 public:
  explicit PhysicalSpace(uint64_t granule) : granule_(granule) {}
  Range translate(uint64_t address, uint64_t bytes, bool, uint16_t, sc_time&) override {
    return {NPU_FAULT_NONE, address, std::min(bytes, granule_ - address % granule_)};
  }

 private:
  const uint64_t granule_;
};

}  // namespace

DmaEngine::Channel::Channel(DmaEngine& engine, unsigned number) : engine_(engine), number_(number) {
  const double rate = engine.parameters_.channel_bytes_per_second;
  if (rate > 0) rate_.emplace(rate);
}

void DmaEngine::Channel::reset() {
  if (rate_) rate_->reset();
  hang_next_ = false;
  show_work(nullptr);
  abandon();
}

/// Tells in the registers whose command is being worked on; null: none.
void DmaEngine::Channel::show_work(const base::CommandRequest* request) {
  auto& status = engine_.registers_.CHANNEL_STATUS.at(number_);
  status.BUSY.set(request != nullptr ? 1 : 0);
  status.ASID.set(request != nullptr ? request->context : 0);
  engine_.registers_.CHANNEL_COMMAND.at(number_).set(request != nullptr ? request->index : 0);
}

CommandOutcome DmaEngine::Channel::execute(const base::CommandRequest& request) {
  const auto& command = *request.command;
  if (const auto checked = check_command(command, engine_.parameters_.kind, number_); !checked.ok()) return checked;

  const uint64_t epoch = engine_.epoch_;
  reset_.requested = false;
  engine_.begin_command();
  show_work(&request);
  const auto outcome = move(request);
  if (engine_.epoch_ != epoch) return {NPU_FAULT_BUS, 0};
  show_work(nullptr);
  engine_.end_command(outcome.has_value());
  return outcome.value_or(CommandOutcome{NPU_FAULT_BUS, 0});
}

/// Empty: it was abandoned.
std::optional<CommandOutcome> DmaEngine::Channel::move(const base::CommandRequest& request) {
  if (std::exchange(hang_next_, false)) {
    while (!reset_.requested) sc_core::wait(reset_.event);
    return std::nullopt;
  }
  const auto& command = *request.command;
  const auto [source, destination] = sides(engine_.parameters_.kind, number_);
  const RunContext context{.space = *request.space,
                           .source = source,
                           .destination = destination,
                           .context = request.context,
                           .engine = command.engine,
                           .function = request.function,
                           .asid = request.asid,
                           .channel = number_,
                           .kept_bytes = engine_.parameters_.kept_bytes,
                           .rate = rate_ ? &*rate_ : nullptr,
                           .cancel = request.cancel,
                           .reset = &reset_};
  return engine_.run_command(command, context);
}

std::optional<CommandOutcome> DmaEngine::run_command(const npu_command& command, const RunContext& context) {
  switch (command.opcode) {
    case NPU_DMA_COPY:
      return mover_.run(Transfer::from(command.u.dma), context);
    case NPU_DMA_TENSOR:
      return mover_.run(Transfer::from(command.u.tensor), context);
    default:
      return mover_.run(command.u.chain, context);
  }
}

DmaEngine::DmaEngine(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      registers("registers"),
      memory("memory"),
      commands("commands", parameters.channels),
      environment_(environment),
      parameters_(parameters),
      registers_(environment, sc_module::name()),
      mover_(memory, parameters) {
  registers.register_b_transport(this, &DmaEngine::b_transport);
  registers.register_transport_dbg(this, &DmaEngine::transport_dbg);
  for (unsigned i = 0; i < parameters.channels; ++i) commands[i].bind(channels_.emplace_back(*this, i));
  wire_registers();
  SC_THREAD(run_firmware_channel);
}

void DmaEngine::wire_registers() {
  registers_.KIND.set_reset(parameters_.kind);
  registers_.CONTROL.on_write([this](const base::RegisterWrite& write) {
    const bool fill = registers_.CONTROL.FILL.in(write) != 0;
    if (fill || registers_.CONTROL.START.in(write) != 0) start_channel(fill, write.origin);
  });
  registers_.CHANNEL_RESET.on_write([this](const base::RegisterWrite& write) {
    for (size_t i = 0; i < channels_.size(); ++i) {
      if (write.sets(uint64_t{1} << i)) channels_[i].abandon();
    }
  });
  registers_.FUNCTION.on_write([this](const base::RegisterWrite& write) {
    if (registers_.FUNCTION.get() <= NPU_MAX_VFS) return;
    environment_.diagnostics().misuse(registers_.name() + ".FUNCTION",
                                      fmt::format("there is no function {}", registers_.FUNCTION.get()), write.origin);
    registers_.FUNCTION.set(write.before);
  });
  registers_.STATUS.on_write([this](const base::RegisterWrite&) { update_irq(); });
  registers_.IRQ_ENABLE.on_write([this](const base::RegisterWrite&) { update_irq(); });
  registers_.BYTES_READ.on_read([this](uint64_t) { return mover_.bytes_read(); });
  registers_.BYTES_WRITTEN.on_read([this](uint64_t) { return mover_.bytes_written(); });
  registers_.COMMANDS.on_read([this](uint64_t) { return finished_; });
  registers_.BUSY_NS.on_read([this](uint64_t) { return to_ns(busy_time()); });
}

void DmaEngine::reset() {
  ++epoch_;
  mover_.reset();
  start_event_.cancel();
  registers_.reset();
  for (auto& channel : channels_) channel.reset();
  running_ = 0;
  finished_ = 0;
  busy_ = sc_core::SC_ZERO_TIME;
  update_irq();
}

void DmaEngine::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  access_delay_ = delay;
  registers_.transport(payload);
}

unsigned DmaEngine::transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

void DmaEngine::start_channel(bool fill, const base::Origin& origin) {
  if (registers_.STATUS.BUSY.get() != 0) {
    environment_.diagnostics().misuse(registers_.name() + ".CONTROL", "START while BUSY is ignored", origin);
    return;
  }
  const uint64_t bytes = registers_.BYTES.get();
  clear_ = fill;
  function_ = static_cast<uint16_t>(registers_.FUNCTION.get());
  copy_ = Transfer::line(registers_.SOURCE.get(), registers_.DESTINATION.get(), bytes);
  registers_.STATUS.BUSY.set(1);
  registers_.STATUS.DONE.set(0);
  registers_.STATUS.ERROR.set(0);
  registers_.ERROR_ADDRESS.set(0);
  update_irq();
  start_event_.notify(access_delay_);
}

void DmaEngine::run_firmware_channel() {
  for (;;) {
    // A reset and a new start may have come while the last copy was being abandoned: then its event is still to come.
    wait(start_event_);
    const uint64_t epoch = epoch_;
    const auto outcome = run_for_firmware(epoch);
    if (epoch != epoch_) continue;
    registers_.STATUS.BUSY.set(0);
    registers_.STATUS.DONE.set(1);
    registers_.STATUS.ERROR.set(outcome.ok() ? 0 : 1);
    registers_.ERROR_ADDRESS.set(outcome.fault_address);
    update_irq();
  }
}

CommandOutcome DmaEngine::run_for_firmware(uint64_t epoch) {
  uint64_t end = 0;
  const uint64_t bytes = copy_.size[0];
  if (bytes == 0 || (!clear_ && __builtin_add_overflow(copy_.source.address, bytes - 1, &end))) {
    return {NPU_FAULT_ADDRESS, clear_ ? copy_.destination.address : copy_.source.address};
  }
  if (__builtin_add_overflow(copy_.destination.address, bytes - 1, &end)) {
    return {NPU_FAULT_ADDRESS, copy_.destination.address};
  }
  Transfer transfer = copy_;
  if (clear_) transfer.fill = 0;
  PhysicalSpace space(clear_ ? Mover::kClearBurstBytes : kCopyGranule);
  const RunContext context{.space = space,
                           .destination = clear_ ? Side::kDevice : Side::kAny,
                           .function = function_,
                           .channel = parameters_.channels,
                           .clear = clear_};
  const auto outcome = mover_.run(transfer, context);
  return outcome && epoch == epoch_ ? *outcome : CommandOutcome{};
}

void DmaEngine::update_irq() {
  irq.set(registers_.STATUS.DONE.get() != 0 && registers_.IRQ_ENABLE.DONE.get() != 0);
}

void DmaEngine::begin_command() {
  if (running_++ == 0) busy_since_ = sc_time_stamp();
}

void DmaEngine::end_command(bool finished) {
  if (finished) ++finished_;
  if (--running_ == 0) busy_ += sc_time_stamp() - busy_since_;
}

sc_time DmaEngine::busy_time() const {
  return running_ == 0 ? busy_ : busy_ + (sc_time_stamp() - busy_since_);
}

}  // namespace npuvp::dma
