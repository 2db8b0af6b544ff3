// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <optional>
#include <span>
#include <systemc>
#include <vector>

#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/base/irq.h"
#include "models/crypto/algorithms.h"
#include "npuvp/registers/crypto.h"

namespace npuvp::crypto {

/// SHA-2, ECDSA verification and AES-GCM, one operation at a time.
///
/// Sockets: `registers` (target; accesses take no time of their own), `memory` (initiator, data by card physical
/// address). `irq`: DONE, to the PLIC. Timing: README.md. Data are read at START and results appear when the operation
/// ends; an idle block has no events.
class Crypto final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Crypto);

  struct Parameters {
    double stream_bytes_per_second = 4e9;               ///< SHA and AES (u): 4 bytes a cycle at 1 GHz.
    sc_core::sc_time verify_p256{250, sc_core::SC_US};  ///< (u)
    sc_core::sc_time verify_p384{700, sc_core::SC_US};  ///< (u)
    sc_core::sc_time setup{100, sc_core::SC_NS};        ///< Of any operation (u).
  };

  Crypto(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);
  ~Crypto() override;

  tlm_utils::simple_target_socket<Crypto> registers;
  base::InitiatorPort memory;
  base::IrqLine irq;

  /// Card reset: forgets keys, hash in progress and operation.
  void reset();

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void start(const base::RegisterWrite& write);
  /// Each computes the outcome and returns STATUS.ERROR; `end` grows by what the operation takes.
  uint64_t run(sc_core::sc_time& end);
  uint64_t run_sha(Hash hash, sc_core::sc_time& end);
  uint64_t run_verify(Curve curve, sc_core::sc_time& end);
  uint64_t run_gcm(bool encrypt, sc_core::sc_time& end);
  [[nodiscard]] bool read(uint64_t address, std::span<uint8_t> data, sc_core::sc_time& end);
  [[nodiscard]] bool write(uint64_t address, std::span<const uint8_t> data, sc_core::sc_time& end);
  [[nodiscard]] sc_core::sc_time stream_time(uint64_t bytes) const;
  void finish();
  void update_irq() { irq.set(registers_.STATUS.DONE.get() != 0 && registers_.IRQ_ENABLE.DONE.get() != 0); }

  /// What appears in the registers when the operation ends.
  struct Outcome {
    uint64_t error = 0;
    bool passed = false;
    std::vector<uint8_t> digest;
    std::optional<GcmTag> tag;
  };

  base::Environment& environment_;
  const Parameters parameters_;
  CryptoRegisters registers_;
  std::optional<Hasher> hasher_;
  std::vector<uint8_t> key_;
  Outcome outcome_;
  sc_core::sc_time now_;  // of the access in progress
  sc_core::sc_event done_event_;
};

}  // namespace npuvp::crypto
