// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/capabilities/express_capability.h"

#include <algorithm>
#include <array>
#include <bit>

namespace npuvp::pcie {
namespace {

using sc_core::sc_time;

[[maybe_unused]] constexpr unsigned kMaxPowerLimit = 239;  // larger codes mean something else, 7.5.3.9
[[maybe_unused]] constexpr unsigned kMaxSlotNumber = 0x1fff;
constexpr uint64_t kTimeoutRangesAbcd = 0xf;

/// Encoding of payload and read request sizes: 128 bytes << code.
uint64_t size_code(uint32_t bytes) {
  return static_cast<uint64_t>(std::countr_zero(bytes / 128));
}
uint32_t size_of(uint64_t code) {
  return 128u << std::min<uint64_t>(code, 5);
}

}  // namespace

ExpressCapability::ExpressCapability(base::Environment& environment, const std::string& instance,
                                     const ExpressParameters& parameters)
    : registers(environment, instance, base::RegisterBank::Rules::kBytewise), parameters_(parameters) {
  sc_assert(parameters.generation >= 1 && parameters.generation <= 5);
  sc_assert(std::has_single_bit(parameters.lanes) && parameters.lanes <= 16);
  sc_assert(std::has_single_bit(parameters.max_payload_bytes) && parameters.max_payload_bytes >= 128 &&
            parameters.max_payload_bytes <= 4096);
  sc_assert(is_downstream() || (!parameters.slot && !parameters.ari_forwarding));
  registers.EXPRESS_CAPABILITIES.TYPE.set(parameters.type);
  describe_device();
  describe_link();
  describe_slot();
  for (auto* each : registers.registers()) each->set_reset(each->get());
  leave_out_what_the_type_has_not();
  connect_hooks();
}

bool ExpressCapability::is_downstream() const {
  const auto& capabilities = registers.EXPRESS_CAPABILITIES;
  return parameters_.type == capabilities.kTypeRootPort || parameters_.type == capabilities.kTypeDownstreamPort;
}

bool ExpressCapability::is_requester() const {
  const auto& capabilities = registers.EXPRESS_CAPABILITIES;
  return parameters_.type != capabilities.kTypeUpstreamPort && parameters_.type != capabilities.kTypeDownstreamPort;
}

void ExpressCapability::describe_device() {
  registers.DEVICE_CAPABILITIES.MAX_PAYLOAD.set(size_code(parameters_.max_payload_bytes));
  registers.DEVICE_CAPABILITIES.FUNCTION_LEVEL_RESET.set(parameters_.function_level_reset);
  auto& capabilities = registers.DEVICE_CAPABILITIES_2;
  capabilities.TIMEOUT_RANGES.set(is_requester() ? kTimeoutRangesAbcd : 0);
  capabilities.TIMEOUT_DISABLE.set(is_requester());
  capabilities.ARI_FORWARDING.set(parameters_.ari_forwarding);
  capabilities.LTR.set(parameters_.ltr);
  // Whoever does 16 GT/s has to answer 10-bit tags. Those of a virtual function are in the SR-IOV capability.
  capabilities.TAG_10_BIT_COMPLETER.set(parameters_.generation >= 4);
  capabilities.TAG_10_BIT_REQUESTER.set(parameters_.generation >= 4 && is_requester() && !parameters_.virtual_function);
}

void ExpressCapability::describe_link() {
  auto& capabilities = registers.LINK_CAPABILITIES;
  capabilities.MAX_SPEED.set(parameters_.generation);
  capabilities.MAX_WIDTH.set(parameters_.lanes);
  capabilities.SURPRISE_DOWN_REPORTING.set(is_downstream());
  capabilities.ACTIVE_REPORTING.set(is_downstream());
  capabilities.BANDWIDTH_NOTIFICATION.set(is_downstream());
  capabilities.PORT_NUMBER.set(parameters_.port_number);
  registers.LINK_CAPABILITIES_2.SUPPORTED_SPEEDS.set((1u << parameters_.generation) - 1);
  registers.LINK_CAPABILITIES_2.RETIMER_DETECTION.set(parameters_.generation >= 4);
  registers.LINK_CAPABILITIES_2.TWO_RETIMERS_DETECTION.set(parameters_.generation >= 4);
  registers.LINK_CONTROL_2.TARGET_SPEED.set(parameters_.generation);
}

void ExpressCapability::describe_slot() {
  registers.SLOT_STATUS.PRESENCE.set(is_downstream() && !parameters_.slot);
  if (!parameters_.slot) return;
  sc_assert(parameters_.slot->number <= kMaxSlotNumber && parameters_.slot->power_limit_watts <= kMaxPowerLimit);
  registers.EXPRESS_CAPABILITIES.SLOT.set(1);
  auto& capabilities = registers.SLOT_CAPABILITIES;
  capabilities.HOT_PLUG.set(parameters_.slot->hot_plug);
  capabilities.HOT_PLUG_SURPRISE.set(parameters_.slot->surprise);
  capabilities.POWER_LIMIT.set(parameters_.slot->power_limit_watts);
  capabilities.NO_COMMAND_COMPLETED.set(1);
  capabilities.NUMBER.set(parameters_.slot->number);
}

void ExpressCapability::leave_out_what_the_type_has_not() {
  auto& r = registers;
  const bool is_virtual = parameters_.virtual_function;
  if (is_virtual) {
    r.DEVICE_CONTROL.implement_only(r.DEVICE_CONTROL.FUNCTION_LEVEL_RESET.mask());
    r.DEVICE_CONTROL_2.implement_only(0);
  }
  if (!parameters_.function_level_reset) r.DEVICE_CONTROL.implement_only(~r.DEVICE_CONTROL.FUNCTION_LEVEL_RESET.mask());
  uint64_t missing = 0;
  auto& control = r.DEVICE_CONTROL_2;
  if (!is_requester()) {
    missing |= control.TIMEOUT_VALUE.mask() | control.TIMEOUT_DISABLE.mask() |
               control.ID_ORDERING_REQUEST_ENABLE.mask() | control.ID_ORDERING_COMPLETION_ENABLE.mask();
  }
  if (!parameters_.ari_forwarding) missing |= control.ARI_FORWARDING_ENABLE.mask();
  if (!parameters_.ltr) missing |= control.LTR_ENABLE.mask();
  if (r.DEVICE_CAPABILITIES_2.TAG_10_BIT_REQUESTER.get() == 0) missing |= control.TAG_10_BIT_ENABLE.mask();
  control.implement_only(~missing);

  const auto remove = [](auto&... each) { (each.implement_only(0), ...); };
  const bool has_link = parameters_.type != r.EXPRESS_CAPABILITIES.kTypeIntegratedEndpoint;
  if (!has_link) remove(r.LINK_CAPABILITIES, r.LINK_CAPABILITIES_2);
  if (!has_link || is_virtual) remove(r.LINK_CONTROL, r.LINK_STATUS, r.LINK_CONTROL_2, r.LINK_STATUS_2);
  if (!is_downstream()) {
    const auto& link = r.LINK_CONTROL;
    r.LINK_CONTROL.implement_only(~(link.LINK_DISABLE.mask() | link.RETRAIN_LINK.mask() |
                                    link.BANDWIDTH_INTERRUPT_ENABLE.mask() |
                                    link.AUTONOMOUS_BANDWIDTH_INTERRUPT_ENABLE.mask()));
    r.LINK_STATUS.implement_only(
        ~(r.LINK_STATUS.BANDWIDTH_MANAGEMENT.mask() | r.LINK_STATUS.AUTONOMOUS_BANDWIDTH.mask()));
  }
  if (!parameters_.slot) {
    remove(r.SLOT_CONTROL);
    r.SLOT_STATUS.implement_only(r.SLOT_STATUS.PRESENCE.mask());
  } else if (!parameters_.slot->hot_plug) {
    r.SLOT_CONTROL.implement_only(r.SLOT_CONTROL.LINK_STATE_ENABLE.mask());
  }
  if (parameters_.type != r.EXPRESS_CAPABILITIES.kTypeRootPort) remove(r.ROOT_CONTROL, r.ROOT_STATUS);
}

void ExpressCapability::connect_hooks() {
  auto& r = registers;
  r.DEVICE_CONTROL.on_write([this](const base::RegisterWrite& write) {
    if (parameters_.function_level_reset && registers.DEVICE_CONTROL.FUNCTION_LEVEL_RESET.in(write) != 0 &&
        function_level_reset_) {
      function_level_reset_();
    }
  });
  if (!is_downstream()) return;
  r.LINK_CONTROL.on_write([this](const base::RegisterWrite& write) {
    const auto& disable = registers.LINK_CONTROL.LINK_DISABLE;
    const bool changed = ((registers.LINK_CONTROL.get() ^ write.before) & disable.mask()) != 0;
    const bool retrain = registers.LINK_CONTROL.RETRAIN_LINK.in(write) != 0;
    if (retrain && registers.LINK_STATUS.ACTIVE.get() != 0) is_retraining_ = true;
    if ((changed || retrain) && link_control_) link_control_();
  });
  if (!parameters_.slot) return;
  const auto tell = [this](const base::RegisterWrite&) {
    if (slot_control_) slot_control_();
  };
  r.SLOT_CONTROL.on_write(tell);
  r.SLOT_STATUS.on_write(tell);
}

void ExpressCapability::reset(ResetKind kind) {
  auto& r = registers;
  const auto& device = r.DEVICE_CONTROL;
  const auto& link = r.LINK_CONTROL;
  const std::array state = {KeptBits(r.LINK_STATUS, ~r.LINK_STATUS.info().access.w1c),
                            KeptBits(r.LINK_STATUS_2, ~r.LINK_STATUS_2.info().access.w1c),
                            KeptBits(r.SLOT_STATUS, r.SLOT_STATUS.PRESENCE.mask())};
  const std::array link_settings = {
      KeptBits(r.DEVICE_CONTROL, device.MAX_PAYLOAD.mask()),
      KeptBits(r.LINK_CONTROL, link.ASPM.mask() | link.READ_COMPLETION_BOUNDARY.mask() | link.COMMON_CLOCK.mask() |
                                   link.EXTENDED_SYNCH.mask() | link.CLOCK_POWER_MANAGEMENT.mask() |
                                   link.AUTONOMOUS_WIDTH_DISABLE.mask())};
  Capability::reset(kind);
  for (const auto& each : state) each.restore();
  if (kind != ResetKind::kFunctionLevel) return;
  for (const auto& each : link_settings) each.restore();
}

uint32_t ExpressCapability::max_payload_bytes() const {
  return std::min(size_of(registers.DEVICE_CONTROL.MAX_PAYLOAD.get()), parameters_.max_payload_bytes);
}

uint32_t ExpressCapability::max_read_request_bytes() const {
  return size_of(registers.DEVICE_CONTROL.MAX_READ_REQUEST.get());
}

unsigned ExpressCapability::target_generation() const {
  const auto target = static_cast<unsigned>(registers.LINK_CONTROL_2.TARGET_SPEED.get());
  return std::clamp(target, 1u, parameters_.generation);
}

sc_time ExpressCapability::completion_timeout() const {
  const auto& control = registers.DEVICE_CONTROL_2;
  if (control.TIMEOUT_DISABLE.get() != 0) return sc_core::sc_max_time();
  switch (control.TIMEOUT_VALUE.get()) {
    case 0b0001:
      return {100, sc_core::SC_US};
    case 0b0010:
      return {10, sc_core::SC_MS};
    case 0b0101:
      return {55, sc_core::SC_MS};
    case 0b0110:
      return {210, sc_core::SC_MS};
    case 0b1001:
      return {900, sc_core::SC_MS};
    case 0b1010:
      return {3500, sc_core::SC_MS};
    case 0b1101:
      return {13, sc_core::SC_SEC};
    case 0b1110:
      return {64, sc_core::SC_SEC};
    default:  // 0, and what is reserved
      return {50, sc_core::SC_MS};
  }
}

unsigned ExpressCapability::extended_tags() const {
  if (registers.DEVICE_CONTROL_2.TAG_10_BIT_ENABLE.get() != 0)
    return 768;  // the quarter with bits 9:8 zero is not used
  return registers.DEVICE_CONTROL.EXTENDED_TAG.get() != 0 ? 256 : 32;
}

void ExpressCapability::set_link(unsigned generation, unsigned lanes) {
  auto& status = registers.LINK_STATUS;
  const uint64_t was_active = status.ACTIVE.get();
  status.SPEED.set(generation);
  status.WIDTH.set(lanes);
  status.ACTIVE.set(registers.LINK_CAPABILITIES.ACTIVE_REPORTING.get() != 0 && lanes > 0);
  if (is_retraining_ && lanes > 0) status.BANDWIDTH_MANAGEMENT.set(1);
  is_retraining_ = false;

  auto& equalization = registers.LINK_STATUS_2;
  const bool is_equalized = lanes > 0 && generation >= 3;
  equalization.EQUALIZATION_COMPLETE.set(is_equalized);
  equalization.EQUALIZATION_PHASE_1.set(is_equalized);
  equalization.EQUALIZATION_PHASE_2.set(is_equalized);
  equalization.EQUALIZATION_PHASE_3.set(is_equalized);
  if (parameters_.slot && status.ACTIVE.get() != was_active) registers.SLOT_STATUS.LINK_STATE_CHANGED.set(1);
}

void ExpressCapability::set_training(bool training) {
  if (is_downstream()) registers.LINK_STATUS.TRAINING.set(training);
}

void ExpressCapability::set_presence(bool present) {
  auto& status = registers.SLOT_STATUS;
  if (!parameters_.slot || present == (status.PRESENCE.get() != 0)) return;
  status.PRESENCE.set(present);
  status.PRESENCE_CHANGED.set(1);
}

}  // namespace npuvp::pcie
