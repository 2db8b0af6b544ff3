// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <systemc>
#include <utility>

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// The slot below a downstream port.
struct SlotParameters {
  unsigned number = 0;              ///< Physical slot number, up to 8191.
  bool hot_plug = false;            ///< Interrupts when a card comes or goes.
  bool surprise = false;            ///< A card may vanish without notice.
  unsigned power_limit_watts = 75;  ///< Up to 239. 75: what an x16 slot delivers (PCI Express CEM Specification).
};

/// What a PCI Express function is capable of.
struct ExpressParameters {
  uint64_t type = 0;                 ///< EXPRESS_CAPABILITIES.TYPE.
  unsigned generation = 5;           ///< Highest link speed, 1 to 5.
  unsigned lanes = 16;               ///< 1, 2, 4, 8 or 16.
  uint32_t max_payload_bytes = 512;  ///< Power of two, 128 to 4096.
  unsigned port_number = 0;
  bool function_level_reset = false;
  bool virtual_function = false;  ///< Controls are those of the physical function (9.3.5), but for the reset.
  bool ari_forwarding = false;    ///< Downstream ports only.
  bool ltr = false;
  std::optional<SlotParameters> slot{};  ///< Downstream ports only.
};

/// PCI Express capability, version 2 (PCI Express Base Specification 7.5.3): payload sizes, ordering, tags, time-outs,
/// link, slot. Registers and bits that the type of function does not have read 0.
class ExpressCapability final : public Capability {
 public:
  ExpressCapability(base::Environment& environment, const std::string& instance, const ExpressParameters& parameters);

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }
  /// State of link and slot survives: resetting a function does not take its link down or its card out. A
  /// function-level reset also keeps what belongs to the link (6.6.2).
  void reset(ResetKind kind) override;

  /// In use, as software programmed them; a value above the capability counts as the capability.
  [[nodiscard]] uint32_t max_payload_bytes() const;
  [[nodiscard]] uint32_t max_read_request_bytes() const;

  [[nodiscard]] unsigned generation() const { return parameters_.generation; }
  [[nodiscard]] unsigned lanes() const { return parameters_.lanes; }
  /// Highest generation that software allows at the next training.
  [[nodiscard]] unsigned target_generation() const;
  /// A root port or a downstream port of a switch.
  [[nodiscard]] bool is_downstream() const;

  /// After which a request counts as not answered: the longest time of the programmed range (7.5.3.16);
  /// sc_core::sc_max_time() if software has disabled it.
  [[nodiscard]] sc_core::sc_time completion_timeout() const;

  /// What the function may ask for in its requests and completions.
  [[nodiscard]] bool relaxed_ordering() const { return registers.DEVICE_CONTROL.RELAXED_ORDERING.get() != 0; }
  [[nodiscard]] bool id_based_ordering_request() const {
    return registers.DEVICE_CONTROL_2.ID_ORDERING_REQUEST_ENABLE.get() != 0;
  }
  [[nodiscard]] bool id_based_ordering_completion() const {
    return registers.DEVICE_CONTROL_2.ID_ORDERING_COMPLETION_ENABLE.get() != 0;
  }
  /// Number of requests that may wait for completions: 32, 256 or 768 (2.2.6.2).
  [[nodiscard]] unsigned extended_tags() const;

  [[nodiscard]] bool ari_forwarding() const { return registers.DEVICE_CONTROL_2.ARI_FORWARDING_ENABLE.get() != 0; }

  /// Result of link training; lanes 0: the link is down.
  void set_link(unsigned generation, unsigned lanes);
  /// Training is under way; downstream ports show it.
  void set_training(bool training);
  /// Neither link nor slot has changed as far as software can see: what was there at power on.
  void forget_changes() {
    registers.SLOT_STATUS.PRESENCE_CHANGED.set(0);
    registers.SLOT_STATUS.LINK_STATE_CHANGED.set(0);
  }
  /// A card is in the slot; a port without a slot always shows one.
  void set_presence(bool present);

  /// Software asks for a function-level reset (if capable of it), or for the link to be trained or disabled.
  void on_function_level_reset(std::function<void()> handler) { function_level_reset_ = std::move(handler); }
  void on_link_control(std::function<void()> handler) { link_control_ = std::move(handler); }
  /// Software has written SLOT_CONTROL or SLOT_STATUS: the condition for an interrupt may have changed.
  void on_slot_control(std::function<void()> handler) { slot_control_ = std::move(handler); }

  ExpressRegisters registers;

 private:
  void describe_device();
  void describe_link();
  void describe_slot();
  void leave_out_what_the_type_has_not();
  void connect_hooks();
  /// Sends requests of its own.
  [[nodiscard]] bool is_requester() const;

  ExpressParameters parameters_;
  std::function<void()> function_level_reset_;
  std::function<void()> link_control_;
  std::function<void()> slot_control_;
  bool is_retraining_ = false;  // because software asked for it, with the link up
};

}  // namespace npuvp::pcie
