// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <random>
#include <systemc>

#include "models/base/environment.h"
#include "models/trng/health_tests.h"
#include "npuvp/registers/trng.h"

namespace npuvp::trng {

/// Random number generator that is deterministic: the same seed, the same words.
///
/// Socket: `registers` (target); accesses take no time of their own. Words come at the rate of the entropy source into
/// a FIFO of four; there are no events, the level is computed when a register is read.
class Trng final : public sc_core::sc_module {
 public:
  static constexpr unsigned kFifoWords = 4;

  struct Parameters {
    uint64_t seed = 1;
    sc_core::sc_time word_time{2, sc_core::SC_US};      ///< From one word to the next (u): 16 Mbit/s.
    sc_core::sc_time startup_time{70, sc_core::SC_US};  ///< 1024 raw samples (SP 800-90B, 4.3) at 16 a word_time (u).
  };

  Trng(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<Trng> registers;

  /// Fault injection: from now on the source gives the same sample for ever, or is well again.
  void set_stuck(bool stuck) { stuck_ = stuck; }

  /// Card reset: off. The sequence goes on, it does not start again.
  void reset();

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void start();
  void collect(unsigned samples);
  [[nodiscard]] bool failed() const { return tests_.repetition_failed() || tests_.proportion_failed(); }
  /// Words in the FIFO now.
  [[nodiscard]] unsigned level() const;
  [[nodiscard]] uint64_t status(uint64_t stored) const;
  uint64_t next_word();

  base::Environment& environment_;
  const Parameters parameters_;
  TrngRegisters registers_;
  std::mt19937_64 source_;
  HealthTests tests_;
  bool stuck_ = false;
  base::Origin origin_;           // of the access in progress
  sc_core::sc_time now_;          // the same
  sc_core::sc_time filled_from_;  // the FIFO was empty then
};

}  // namespace npuvp::trng
