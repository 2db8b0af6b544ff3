// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <string>
#include <systemc>

#include "models/base/environment.h"
#include "models/otp/fuses.h"
#include "npuvp/registers/otp.h"

namespace npuvp::otp {

/// One-time programmable memory with its programming controller.
///
/// Socket: `registers` (target); accesses take no time of their own. Programming takes `program_time` for each fuse
/// that turns 1; there are no events, BUSY is computed when it is read. Fuse map: firmware/abi/otp.h.
class Otp final : public sc_core::sc_module {
 public:
  struct Parameters {
    Words fuses{};                                      ///< Contents when `file` is empty or does not exist.
    std::string file{};                                 ///< Keeps the contents; empty: they live as long as the object.
    sc_core::sc_time program_time{10, sc_core::SC_US};  ///< Of one fuse (u).
  };

  /// Throws base::FileError for an unusable file.
  Otp(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<Otp> registers;

  /// Whether a debugger may attach: decided by life cycle and debug-disable fuse alone, software has no say.
  [[nodiscard]] bool debug_allowed() const { return fuses_.debug_allowed(); }
  [[nodiscard]] const Fuses& fuses() const { return fuses_; }
  /// NPU_OTP_REGION_* that software has closed since the last card reset.
  [[nodiscard]] uint32_t locked_regions() const { return static_cast<uint32_t>(registers_.LOCK.get()); }

  /// Card reset: locks open. Fuses stay.
  void reset();

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void program(const base::RegisterWrite& write);
  /// Value of STATUS.ERROR for the word.
  [[nodiscard]] uint64_t refusal(uint64_t key, uint64_t word) const;
  [[nodiscard]] bool locked(uint64_t word) const;
  void show_fuses();

  base::Environment& environment_;
  const Parameters parameters_;
  Fuses fuses_;
  OtpRegisters registers_;
  sc_core::sc_time now_;  // of the access in progress
  sc_core::sc_time busy_until_;
};

}  // namespace npuvp::otp
