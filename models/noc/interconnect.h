// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <systemc>
#include <vector>

#include "models/base/clock.h"
#include "models/base/environment.h"
#include "models/noc/address_map.h"

namespace npuvp::noc {

/// What all interconnects have in common: sockets, the address decoder, direct and debug access. When an access arrives
/// is the derived class's.
///
/// Sockets: `initiators[i]`, targets that initiators bind to; `targets[t]`, initiators that blocks are bound to. The
/// target sees addresses relative to its window. An access must lie inside one window, otherwise
/// TLM_ADDRESS_ERROR_RESPONSE after the latency of a way there and back.
class Interconnect : public sc_core::sc_module {
 public:
  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<Interconnect>> initiators;
  sc_core::sc_vector<tlm_utils::simple_initiator_socket_tagged<Interconnect>> targets;

  base::ClockInput clock;  ///< Stretches hops; what else of an interconnect, it says itself.

  [[nodiscard]] const AddressMap& map() const { return map_; }

 protected:
  /// Throws std::invalid_argument for a wrong map (AddressMap).
  Interconnect(sc_core::sc_module_name name, base::Environment& environment, size_t initiator_count,
               size_t target_count, std::vector<Range> map, sc_core::sc_time hop_latency);

  /// Moves the payload between `initiator` and the target of `range`, first beat at `arrival`; returns the completion.
  /// Both absolute.
  virtual sc_core::sc_time move(unsigned initiator, const Range& range, tlm::tlm_generic_payload& payload,
                                sc_core::sc_time arrival) = 0;
  /// Hops of the way from an initiator to a target: of DMI, and of an access that leads nowhere.
  [[nodiscard]] virtual unsigned hops(unsigned initiator, unsigned target) const = 0;

  /// The target's part of move().
  sc_core::sc_time forward(const Range& range, tlm::tlm_generic_payload& payload, sc_core::sc_time arrival);

  /// Of `hops` hops at the present clock.
  [[nodiscard]] sc_core::sc_time latency_of(size_t hops) const {
    return base::stretched(hop_latency_, hops * clock.stretch());
  }

  base::Environment& environment_;

 private:
  void b_transport(int initiator, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool get_direct_mem_ptr(int initiator, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  unsigned transport_dbg(int initiator, tlm::tlm_generic_payload& payload);
  void invalidate_direct_mem_ptr(int target, sc_dt::uint64 start, sc_dt::uint64 end);
  const Range* decode(const tlm::tlm_generic_payload& payload);

  const sc_core::sc_time hop_latency_;
  const AddressMap map_;
};

}  // namespace npuvp::noc
