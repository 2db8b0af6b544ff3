// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <systemc>

#include "firmware/abi/ecc.h"
#include "models/base/environment.h"
#include "models/base/irq.h"
#include "models/base/secded.h"
#include "npuvp/registers/ecc.h"

namespace npuvp::ecc {

/// Collects the errors of the card's memories for the firmware.
///
/// Socket: `registers` (target); `irq`. Memories report through report(), and take injected errors through the handler
/// that add_source() is given. Takes no time.
class EccCollector final : public sc_core::sc_module {
 public:
  /// Flips `bit` of the word at `offset` in the memory, which lies in it.
  using Inject = std::function<void(uint64_t offset, unsigned bit)>;

  EccCollector(sc_core::sc_module_name name, base::Environment& environment);

  tlm_utils::simple_target_socket<EccCollector> registers;
  base::IrqLine irq;

  /// A memory of `bytes` at card physical address `base`. Throws std::invalid_argument for a number that is taken or
  /// beyond NPU_ECC_SOURCES.
  void add_source(unsigned source, const std::string& memory, uint64_t base, uint64_t bytes, Inject inject);

  /// Lets software switch the ECC of a source, which is off after a reset, and have its hardware write zeros
  /// everywhere; `initialise` returns how long that takes from now on.
  using Check = std::function<void(bool on)>;
  using Initialise = std::function<sc_core::sc_time()>;
  void make_switchable(unsigned source, Check check, Initialise initialise);

  /// A memory has met an error in the word at `offset`.
  void report(unsigned source, uint64_t offset, base::secded::Outcome outcome);

  /// Card reset: counters, addresses and pending bits.
  void reset();

 private:
  struct Source {
    std::string name;
    uint64_t base;
    uint64_t bytes;
    Inject inject;
    uint64_t until_pending = 1;  // corrected errors that are left to the threshold
    Check check{};               // none: always on
    Initialise initialise{};
    sc_core::sc_time busy_until{};  // writing zeros
  };

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void wire_registers();
  void count(unsigned source, uint64_t address, bool corrected);
  void clear(unsigned source);
  void inject(const base::RegisterWrite& write);
  [[nodiscard]] uint64_t threshold() const;
  void update_irq();
  void set_check(const base::RegisterWrite& write);
  void initialise(const base::RegisterWrite& write);
  [[nodiscard]] uint64_t initialising() const;

  sc_core::sc_time now_;  // of the access in progress
  base::Environment& environment_;
  EccRegisters registers_;
  std::array<std::optional<Source>, NPU_ECC_SOURCES> sources_;
};

}  // namespace npuvp::ecc
