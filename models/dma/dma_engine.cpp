// SPDX-License-Identifier: Apache-2.0
#include "models/dma/dma_engine.h"

#include <algorithm>

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
  const auto kind = engine_.parameters_.kind;
  if (const auto checked = check_command(command, kind, number_); !checked.ok()) return checked;

  const uint64_t epoch = engine_.epoch_;
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
  if (hang_next_) {
    hang_next_ = false;
    sc_core::wait(cancellation_.event);
    return std::nullopt;
  }
  const auto& command = *request.command;
  const auto kind = engine_.parameters_.kind;
  const auto& dma = command.u.dma;
  const bool external = kind == NPU_COMMAND_EXTERNAL_HDMA;
  const bool to_card = external && number_ == 0;
  const bool to_host = external && number_ != 0;
  const RunContext context{.space = *request.space,
                           .source = to_card ? Side::kHost : Side::kDevice,
                           .destination = to_host ? Side::kHost : Side::kDevice,
                           .context = request.context,
                           .engine = command.engine,
                           .function = request.function,
                           .asid = request.asid,
                           .rate = rate_ ? &*rate_ : nullptr,
                           .cancellation = &cancellation_};
  const Transfer transfer{dma.source,    dma.destination,   dma.rows,
                          dma.row_bytes, dma.source_stride, dma.destination_stride};
  return engine_.mover_.run(transfer, context);
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
  fill_ = fill;
  function_ = static_cast<uint16_t>(registers_.FUNCTION.get());
  copy_ = {registers_.SOURCE.get(), registers_.DESTINATION.get(), 1, bytes, 0, 0};
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
  if (copy_.row_bytes == 0 || (!fill_ && __builtin_add_overflow(copy_.source, copy_.row_bytes - 1, &end))) {
    return {NPU_FAULT_ADDRESS, fill_ ? copy_.destination : copy_.source};
  }
  if (__builtin_add_overflow(copy_.destination, copy_.row_bytes - 1, &end)) {
    return {NPU_FAULT_ADDRESS, copy_.destination};
  }
  const Transfer transfer = copy_;
  PhysicalSpace space(fill_ ? Mover::kFillBurstBytes : kCopyGranule);
  const RunContext context{
      .space = space, .destination = fill_ ? Side::kDevice : Side::kAny, .function = function_, .fill = fill_};
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
