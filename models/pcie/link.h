// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "models/base/environment.h"
#include "models/pcie/link_direction.h"
#include "models/pcie/port.h"

namespace npuvp::pcie {

/// A PCI Express link between two ports: state, speed and width from training, transfer of TLPs and their faults.
///
/// Timing: LinkDirection, one each way. Training after the link was down takes `training_time`, a retraining or change
/// of speed `recovery_time`, during which nothing is transferred. A TLP that arrives with an LCRC error is replayed
/// after a round trip; the fourth replay of a TLP in a row retrains the link (PCI Express Base Specification 3.6.2).
class Link final : public sc_core::sc_module {
 public:
  struct Parameters {
    unsigned generation = 5;  ///< Limits of the wiring; the ports may have lower ones.
    unsigned lanes = 16;
    /// One way, last transmit queue to receiver's transaction layer. Not public for the card; assumed.
    sc_core::sc_time latency{200, sc_core::SC_NS};
    sc_core::sc_time training_time{1, sc_core::SC_MS};   ///< Assumed; the specification allows 100 ms.
    sc_core::sc_time recovery_time{10, sc_core::SC_US};  ///< Assumed.
    unsigned read_completion_boundary_bytes = 64;        ///< As LINK_CONTROL says.
  };

  Link(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  /// Connects the downstream port `upper` with the upstream port `lower`; the link is up at once. Both must outlive the
  /// link's use. Before the simulation starts.
  void connect(Port& upper, Port& lower);

  [[nodiscard]] bool is_up() const { return state_ == State::kUp; }
  /// Raw rate of one direction, 0 when the link is down.
  [[nodiscard]] double bytes_per_second() const { return bytes_per_second_; }
  [[nodiscard]] const LinkDirection& downstream() const { return down_.timing; }
  [[nodiscard]] const LinkDirection& upstream() const { return up_.timing; }

  /// Takes what is below out of its slot, or puts it in again. It loses power.
  void set_present(bool present);
  [[nodiscard]] bool is_present() const { return is_present_; }

  /// The link goes down by itself and trains again.
  void drop();

  /// For Port: its reasons to keep the link down have changed.
  void update();
  /// For Port: the speed that it allows has changed.
  void change_speed();
  /// For Port: a reset of the upper component goes on.
  void reset_below(ResetKind kind);

 private:
  enum class State : uint8_t { kDown, kTraining, kUp };

  /// One direction, as the target of the port that transmits into it.
  struct Way final : public RequestSink {
    explicit Way(Link& owner) : link(owner) {}
    Completion receive(Request& request, Passage& passage) override { return link.carry(*this, request, passage); }

    Link& link;
    Port* transmitter = nullptr;
    Port* receiver = nullptr;
    Way* opposite = nullptr;
    LinkDirection timing;
  };

  Completion carry(Way& way, Request& request, Passage& passage);
  /// Faults that strike a request at its receiver. kSuccess: it goes on, if need be poisoned.
  Completion strike_request(Port& receiver, Request& request);
  Completion strike_completion(Port& requester, Request& request, Completion status);
  void transmit(Way& way, const LinkDirection::Burst& burst, Passage& passage);

  void go_down(ResetKind kind, bool surprise);
  void start_training();
  void retrain();
  [[nodiscard]] unsigned wanted_generation() const;
  void finish_training();

  std::shared_ptr<spdlog::logger> log_;
  Parameters parameters_;
  State state_ = State::kDown;
  bool is_present_ = true;
  double bytes_per_second_ = 0;
  unsigned generation_ = 0;  // at the last training
  Way down_{*this};
  Way up_{*this};
  sc_core::sc_event trained_;
};

}  // namespace npuvp::pcie
