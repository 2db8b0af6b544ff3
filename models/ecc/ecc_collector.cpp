// SPDX-License-Identifier: Apache-2.0
#include "models/ecc/ecc_collector.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace npuvp::ecc {

EccCollector::EccCollector(sc_core::sc_module_name name, base::Environment& environment)
    : sc_module(name), registers("registers"), environment_(environment), registers_(environment, sc_module::name()) {
  registers.register_b_transport(this, &EccCollector::b_transport);
  registers.register_transport_dbg(this, &EccCollector::transport_dbg);
  wire_registers();
}

void EccCollector::wire_registers() {
  const auto update = [this](const base::RegisterWrite&) { update_irq(); };
  registers_.CORRECTED_PENDING.on_write([this](const base::RegisterWrite& write) {
    for (unsigned source = 0; source < sources_.size(); ++source) {
      if (sources_[source] && write.sets(1ULL << source)) sources_[source]->until_pending = threshold();
    }
    update_irq();
  });
  registers_.UNCORRECTED_PENDING.on_write(update);
  registers_.IRQ_ENABLE.on_write(update);
  registers_.THRESHOLD.on_write([this](const base::RegisterWrite&) {
    for (auto& source : sources_) {
      if (source) source->until_pending = threshold();
    }
  });
  registers_.CLEAR.on_write([this](const base::RegisterWrite& write) {
    for (unsigned source = 0; source < sources_.size(); ++source) {
      if (write.sets(1ULL << source)) clear(source);
    }
    update_irq();
  });
  registers_.CHECK.on_write([this](const base::RegisterWrite& write) { set_check(write); });
  registers_.INIT.on_write([this](const base::RegisterWrite& write) { initialise(write); });
  registers_.INIT.on_read([this](uint64_t) { return initialising(); });
  registers_.INJECT.on_write([this](const base::RegisterWrite& write) { inject(write); });
}

void EccCollector::add_source(unsigned source, const std::string& memory, uint64_t base, uint64_t bytes,
                              Inject inject) {
  if (source >= sources_.size() || sources_[source]) {
    throw std::invalid_argument(fmt::format("ECC source {} of {} is taken or does not exist", source, memory));
  }
  sources_[source] = Source{.name = memory, .base = base, .bytes = bytes, .inject = std::move(inject)};
  registers_.SOURCES.set_reset(registers_.SOURCES.get() | 1ULL << source);
  registers_.CHECK.set_reset(registers_.CHECK.get() | 1ULL << source);
}

void EccCollector::make_switchable(unsigned source, Check check, Initialise initialise) {
  auto& memory = sources_.at(source).value();
  memory.check = std::move(check);
  memory.initialise = std::move(initialise);
  registers_.CHECK.set_reset(registers_.CHECK.get() & ~(1ULL << source));
}

void EccCollector::set_check(const base::RegisterWrite& write) {
  uint64_t on = 0;
  for (unsigned source = 0; source < sources_.size(); ++source) {
    if (!sources_[source]) continue;
    const bool wanted = (write.written >> source & 1) != 0;
    if (sources_[source]->check) sources_[source]->check(wanted);
    if (wanted || !sources_[source]->check) on |= 1ULL << source;
  }
  registers_.CHECK.set(on);
}

void EccCollector::initialise(const base::RegisterWrite& write) {
  for (unsigned source = 0; source < sources_.size(); ++source) {
    if ((write.written >> source & 1) == 0) continue;
    if (!sources_[source] || !sources_[source]->initialise) {
      environment_.diagnostics().misuse(registers_.name() + ".INIT",
                                        fmt::format("source {} does not initialise itself", source), write.origin);
      continue;
    }
    sources_[source]->busy_until = now_ + sources_[source]->initialise();
  }
}

uint64_t EccCollector::initialising() const {
  uint64_t busy = 0;
  for (unsigned source = 0; source < sources_.size(); ++source) {
    if (sources_[source] && now_ < sources_[source]->busy_until) busy |= 1ULL << source;
  }
  return busy;
}

void EccCollector::report(unsigned source, uint64_t offset, base::secded::Outcome outcome) {
  if (outcome == base::secded::Outcome::kClean) return;
  const bool corrected = outcome == base::secded::Outcome::kCorrected;
  auto& memory = sources_.at(source).value();
  count(source, memory.base + offset, corrected);
  if (!corrected) {
    registers_.UNCORRECTED_PENDING.set_bits(1ULL << source);
  } else if (memory.until_pending > 0 && --memory.until_pending == 0) {
    registers_.CORRECTED_PENDING.set_bits(1ULL << source);
  }
  update_irq();
}

void EccCollector::count(unsigned source, uint64_t address, bool corrected) {
  auto& counter = corrected ? registers_.CORRECTED[source] : registers_.UNCORRECTED[source];
  auto& first = corrected ? registers_.FIRST_CORRECTED[source] : registers_.FIRST_UNCORRECTED[source];
  auto& last = corrected ? registers_.LAST_CORRECTED[source] : registers_.LAST_UNCORRECTED[source];
  if (counter.get() == 0) first.set(address);
  last.set(address);
  counter.set(std::min<uint64_t>(counter.get() + 1, std::numeric_limits<uint32_t>::max()));
}

void EccCollector::clear(unsigned source) {
  for (auto* counter : {&registers_.CORRECTED[source], &registers_.UNCORRECTED[source]}) counter->reset();
  for (auto* address : {&registers_.FIRST_CORRECTED[source], &registers_.LAST_CORRECTED[source],
                        &registers_.FIRST_UNCORRECTED[source], &registers_.LAST_UNCORRECTED[source]}) {
    address->reset();
  }
}

void EccCollector::inject(const base::RegisterWrite& write) {
  const uint64_t address = registers_.INJECT_ADDRESS.get();
  const auto& fields = registers_.INJECT;
  const bool both = fields.DOUBLE.in(write) != 0;
  const auto bit0 = static_cast<unsigned>(fields.BIT0.in(write));
  const auto bit1 = static_cast<unsigned>(fields.BIT1.in(write));
  const auto place = registers_.name() + ".INJECT";
  if (bit0 >= base::secded::kCodeBits || (both && bit1 >= base::secded::kCodeBits)) {
    environment_.diagnostics().misuse(place, fmt::format("a word has bits 0 to {}", base::secded::kCodeBits - 1),
                                      write.origin);
    return;
  }
  for (auto& source : sources_) {
    if (!source || address < source->base || address - source->base >= source->bytes) continue;
    source->inject(address - source->base, bit0);
    if (both) source->inject(address - source->base, bit1);
    return;
  }
  environment_.diagnostics().misuse(place, fmt::format("no memory with ECC at {:#x}", address), write.origin);
}

uint64_t EccCollector::threshold() const {
  return std::max<uint64_t>(registers_.THRESHOLD.get(), 1);
}

void EccCollector::reset() {
  registers_.reset();
  for (auto& source : sources_) {
    if (!source) continue;
    source->until_pending = threshold();
    source->busy_until = sc_core::SC_ZERO_TIME;
    if (source->check) source->check(false);
  }
  update_irq();
}

void EccCollector::update_irq() {
  irq.set((registers_.CORRECTED_PENDING.get() != 0 && registers_.IRQ_ENABLE.CORRECTED.get() != 0) ||
          (registers_.UNCORRECTED_PENDING.get() != 0 && registers_.IRQ_ENABLE.UNCORRECTED.get() != 0));
}

void EccCollector::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  now_ = sc_core::sc_time_stamp() + delay;
  registers_.transport(payload);
}

unsigned EccCollector::transport_dbg(tlm::tlm_generic_payload& payload) {
  now_ = sc_core::sc_time_stamp();
  return registers_.transport_debug(payload);
}

}  // namespace npuvp::ecc
