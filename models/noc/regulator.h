// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <systemc>
#include <vector>

namespace npuvp::noc {

/// Shares a resource among initiators by weight: says from when on a burst may use it.
///
/// An initiator competes from its burst's arrival until `window` after that burst has passed. While others compete, an
/// initiator's bursts are spaced so far apart that it has weight / (sum of the competing weights) of the resource, and
/// the gaps are for the others; alone it is not held back. No credit is saved up: who was idle starts at its arrival.
class Regulator {
 public:
  Regulator(std::size_t initiators, sc_core::sc_time window) : window_(window), states_(initiators) {}

  /// The earliest begin of a burst that arrives at `arrival` and occupies the resource for `duration`. `weights` has
  /// one above 0 for each initiator.
  [[nodiscard]] sc_core::sc_time admit(unsigned initiator, sc_core::sc_time arrival, sc_core::sc_time duration,
                                       const std::vector<uint32_t>& weights);
  /// The burst passes until `end`.
  void passed(unsigned initiator, sc_core::sc_time end);
  void reset();

 private:
  struct State {
    sc_core::sc_time next;   // begin of its next burst, by its share
    sc_core::sc_time until;  // end of its last one
    bool used = false;
  };

  const sc_core::sc_time window_;
  std::vector<State> states_;
};

}  // namespace npuvp::noc
