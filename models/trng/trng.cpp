// SPDX-License-Identifier: Apache-2.0
#include "models/trng/trng.h"

#include <algorithm>

#include "npu/registers/trng.h"

namespace npuvp::trng {
namespace {

constexpr unsigned kStartupSamples = 1024;
constexpr unsigned kSamplesPerWord = 16;  // of 4 bits of entropy each: twice what a word needs

}  // namespace

Trng::Trng(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      registers("registers"),
      environment_(environment),
      parameters_(parameters),
      registers_(environment, sc_module::name()),
      source_(parameters.seed) {
  registers.register_b_transport(this, &Trng::b_transport);
  registers.register_transport_dbg(this, &Trng::transport_dbg);
  registers_.CONTROL.on_write([this](const base::RegisterWrite& write) {
    if (registers_.CONTROL.ENABLE.get() != 0 && (write.before & registers_.CONTROL.ENABLE.mask()) == 0) start();
  });
  registers_.STATUS.on_read([this](uint64_t stored) { return status(stored); });
  registers_.DATA.on_read([this](uint64_t) { return next_word(); });
  registers_.SAMPLES.on_read([this](uint64_t) { return uint64_t{tests_.samples()}; });
}

void Trng::reset() {
  registers_.reset();
  tests_.reset();
}

void Trng::start() {
  tests_.reset();
  filled_from_ = now_ + parameters_.startup_time;
  collect(kStartupSamples);
}

void Trng::collect(unsigned samples) {
  for (unsigned i = 0; i < samples; ++i) tests_.sample(stuck_ ? 0 : static_cast<uint8_t>(source_()));
}

unsigned Trng::level() const {
  if (registers_.CONTROL.get() == 0 || failed() || now_ < filled_from_) return 0;
  const double words = (now_ - filled_from_) / parameters_.word_time;
  return words >= kFifoWords ? kFifoWords : static_cast<unsigned>(words);
}

uint64_t Trng::status(uint64_t stored) const {
  const bool started = registers_.CONTROL.get() != 0 && now_ >= filled_from_;
  uint64_t value = stored & ~uint64_t{TRNG_STATUS_LEVEL_MASK};
  if (level() != 0) value |= TRNG_STATUS_READY_MASK;
  if (started) value |= TRNG_STATUS_STARTED_MASK;
  if (started && tests_.repetition_failed()) value |= TRNG_STATUS_REPETITION_MASK;
  if (started && tests_.proportion_failed()) value |= TRNG_STATUS_PROPORTION_MASK;
  return value | uint64_t{level()} << TRNG_STATUS_LEVEL_SHIFT;
}

uint64_t Trng::next_word() {
  const unsigned words = level();
  if (words == 0) {
    environment_.diagnostics().misuse(registers_.name() + ".DATA", "read while not READY", origin_);
    return 0;
  }
  collect(kSamplesPerWord);
  if (failed()) return 0;
  // A full FIFO made the source wait: the next word begins now.
  filled_from_ = std::max(filled_from_ + parameters_.word_time, now_ - (words - 1) * parameters_.word_time);
  return source_() & 0xffffffffU;
}

void Trng::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  now_ = sc_core::sc_time_stamp() + delay;
  origin_ = base::sideband_of(payload).origin;
  registers_.transport(payload);
}

unsigned Trng::transport_dbg(tlm::tlm_generic_payload& payload) {
  now_ = sc_core::sc_time_stamp();
  return registers_.transport_debug(payload);
}

}  // namespace npuvp::trng
