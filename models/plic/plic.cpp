// SPDX-License-Identifier: Apache-2.0
#include "models/plic/plic.h"

#include <stdexcept>

namespace npuvp::plic {
namespace {

constexpr uint32_t kNoSourceZero = ~1u;
constexpr uint32_t bit(unsigned source) {
  return 1u << source;
}

}  // namespace

Plic::Plic(const sc_core::sc_module_name& name, base::Environment& environment)
    : sc_module(name), socket("socket"), registers(environment, std::string(this->name())) {
  socket.register_b_transport(this, &Plic::b_transport);
  socket.register_transport_dbg(this, &Plic::transport_dbg);
  for (auto& priority : registers.PRIORITY) {
    priority.on_write([this](const base::RegisterWrite&) {
      registers.PRIORITY[0].set(0);
      update();
    });
  }
  for (unsigned context = 0; context < kContexts; ++context) {
    registers.ENABLE[context].on_write([this, context](const base::RegisterWrite&) {
      registers.ENABLE[context].clear_bits(~static_cast<uint64_t>(kNoSourceZero));
      update();
    });
    registers.THRESHOLD[context].on_write([this](const base::RegisterWrite&) { update(); });
    registers.CLAIM[context].on_read([this, context](uint64_t) { return claim(context); });
    registers.CLAIM[context].on_write(
        [this, context](const base::RegisterWrite& write) { complete(context, write.written); });
  }
}

base::IrqSink Plic::source_input(unsigned source) {
  if (source == 0 || source >= kSources)
    throw std::out_of_range("PLIC source " + std::to_string(source) + " is not in 1..31");
  return [this, source](bool level) { set_level(source, level); };
}

void Plic::reset() {
  registers.reset();
  in_service_ = 0;
  open_gateways();
  update();
}

void Plic::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& /*delay*/) {
  registers.transport(payload);
}

unsigned Plic::transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers.transport_debug(payload);
}

void Plic::set_level(unsigned source, bool level) {
  level_ = level ? level_ | bit(source) : level_ & ~bit(source);
  open_gateways();
  update();
}

void Plic::open_gateways() {
  registers.PENDING.set_bits(level_ & ~in_service_);
}

unsigned Plic::best_source(unsigned context) const {
  const uint64_t candidates = registers.PENDING.get() & registers.ENABLE[context].get();
  unsigned best = 0;  // its priority is 0, which is never delivered
  for (unsigned source = 1; source < kSources; ++source) {
    const bool better = registers.PRIORITY[source].get() > registers.PRIORITY[best].get();
    if ((candidates & bit(source)) != 0 && better) best = source;
  }
  return best;
}

uint64_t Plic::claim(unsigned context) {
  const unsigned source = best_source(context);
  if (source != 0) {
    registers.PENDING.clear_bits(bit(source));
    in_service_ |= bit(source);
    update();
  }
  return source;
}

void Plic::complete(unsigned context, uint64_t source) {
  // A completion of a source that is not enabled for the context is ignored.
  if (source >= kSources || (registers.ENABLE[context].get() & bit(static_cast<unsigned>(source))) == 0) return;
  in_service_ &= ~bit(static_cast<unsigned>(source));
  open_gateways();
  update();
}

void Plic::update() {
  for (unsigned context = 0; context < kContexts; ++context) {
    const uint64_t priority = registers.PRIORITY[best_source(context)].get();
    external_interrupt[context].set(priority > registers.THRESHOLD[context].get());
  }
}

}  // namespace npuvp::plic
