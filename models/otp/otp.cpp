// SPDX-License-Identifier: Apache-2.0
#include "models/otp/otp.h"

#include <bit>

#include "npu/registers/otp.h"

namespace npuvp::otp {

Otp::Otp(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      registers("registers"),
      environment_(environment),
      parameters_(parameters),
      fuses_(parameters.fuses, parameters.file),
      registers_(environment, sc_module::name()) {
  registers.register_b_transport(this, &Otp::b_transport);
  registers.register_transport_dbg(this, &Otp::transport_dbg);
  registers_.CONTROL.on_write([this](const base::RegisterWrite& write) {
    if (registers_.CONTROL.PROGRAM.in(write) != 0) program(write);
  });
  registers_.STATUS.on_read([this](uint64_t stored) {
    if (now_ < busy_until_) return (stored & ~uint64_t{OTP_STATUS_DONE_MASK}) | OTP_STATUS_BUSY_MASK;
    return stored;
  });
  show_fuses();
}

void Otp::reset() {
  registers_.reset();
  show_fuses();
}

void Otp::show_fuses() {
  for (unsigned index = 0; index < NPU_OTP_WORDS; ++index) registers_.FUSE[index].set(fuses_.word(index));
  registers_.LIFECYCLE.STATE.set(static_cast<uint64_t>(fuses_.lifecycle()));
  registers_.LIFECYCLE.DEBUG_ALLOWED.set(fuses_.debug_allowed() ? 1 : 0);
  registers_.ROLLBACK.set(fuses_.rollback());
}

bool Otp::locked(uint64_t word) const {
  const uint64_t closed = registers_.LOCK.get() | fuses_.word(NPU_OTP_CLOSED);
  if (word <= NPU_OTP_DEBUG_DISABLE) return (closed & NPU_OTP_REGION_LIFECYCLE) != 0;
  if (word >= NPU_OTP_ROLLBACK && word < NPU_OTP_ROLLBACK + NPU_OTP_ROLLBACK_WORDS) {
    return (closed & NPU_OTP_REGION_ROLLBACK) != 0;
  }
  const bool keys = (word >= NPU_OTP_SERIAL && word < NPU_OTP_SERIAL + NPU_OTP_SERIAL_WORDS) ||
                    (word >= NPU_OTP_KEY_HASH(0) && word < NPU_OTP_KEY_HASH(NPU_OTP_KEY_SLOTS));
  return keys && (closed & NPU_OTP_REGION_KEYS) != 0;
}

uint64_t Otp::refusal(uint64_t key, uint64_t word) const {
  if (key != OTP_CONTROL_KEY_PROGRAM) return OTP_STATUS_ERROR_KEY;
  if (word >= NPU_OTP_WORDS) return OTP_STATUS_ERROR_RANGE;
  return locked(word) ? OTP_STATUS_ERROR_LOCKED : OTP_STATUS_ERROR_NONE;
}

void Otp::program(const base::RegisterWrite& write) {
  if (now_ < busy_until_) {
    environment_.diagnostics().misuse(registers_.name() + ".CONTROL", "PROGRAM while BUSY", write.origin);
    return;
  }
  const uint64_t word = registers_.WORD.get();
  uint64_t error = refusal(registers_.CONTROL.KEY.in(write), word);
  if (error == OTP_STATUS_ERROR_NONE) {
    const auto bits = static_cast<uint32_t>(registers_.BITS.get());
    const int fresh = std::popcount(bits & ~fuses_.word(static_cast<unsigned>(word)));
    if (fuses_.program(static_cast<unsigned>(word), bits)) {
      busy_until_ = now_ + fresh * parameters_.program_time;
    } else {
      error = OTP_STATUS_ERROR_MEDIUM;
    }
    show_fuses();
  }
  registers_.STATUS.ERROR.set(error);
  registers_.STATUS.DONE.set(1);
}

void Otp::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  now_ = sc_core::sc_time_stamp() + delay;
  registers_.transport(payload);
}

unsigned Otp::transport_dbg(tlm::tlm_generic_payload& payload) {
  now_ = sc_core::sc_time_stamp();
  return registers_.transport_debug(payload);
}

}  // namespace npuvp::otp
