// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/express_capability.h"

#include <algorithm>
#include <bit>
#include <systemc>

namespace npuvp::pcie {
namespace {

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
  auto& r = registers;
  const bool is_downstream = parameters.type == r.EXPRESS_CAPABILITIES.kTypeRootPort ||
                             parameters.type == r.EXPRESS_CAPABILITIES.kTypeDownstreamPort;

  r.EXPRESS_CAPABILITIES.TYPE.set(parameters.type);
  r.DEVICE_CAPABILITIES.MAX_PAYLOAD.set(size_code(parameters.max_payload_bytes));
  r.DEVICE_CAPABILITIES.FUNCTION_LEVEL_RESET.set(parameters.function_level_reset);
  r.LINK_CAPABILITIES.MAX_SPEED.set(parameters.generation);
  r.LINK_CAPABILITIES.MAX_WIDTH.set(parameters.lanes);
  r.LINK_CAPABILITIES.ACTIVE_REPORTING.set(is_downstream);
  r.LINK_CAPABILITIES.PORT_NUMBER.set(parameters.port_number);
  r.LINK_CAPABILITIES_2.SUPPORTED_SPEEDS.set((1u << parameters.generation) - 1);
  r.LINK_CONTROL_2.TARGET_SPEED.set(parameters.generation);
  for (auto* each : r.registers()) each->set_reset(each->get());

  r.DEVICE_CONTROL.on_write([this](const base::RegisterWrite& write) {
    if (parameters_.function_level_reset && registers.DEVICE_CONTROL.FUNCTION_LEVEL_RESET.in(write) != 0 &&
        function_level_reset_) {
      function_level_reset_();
    }
  });
  if (!is_downstream) return;
  r.LINK_CONTROL.on_write([this](const base::RegisterWrite& write) {
    const auto& disable = registers.LINK_CONTROL.LINK_DISABLE;
    const bool changed = ((registers.LINK_CONTROL.get() ^ write.before) & disable.mask()) != 0;
    if ((changed || registers.LINK_CONTROL.RETRAIN_LINK.in(write) != 0) && link_control_) link_control_();
  });
}

void ExpressCapability::reset() {
  const uint64_t status = registers.LINK_STATUS.get();
  registers.reset();
  registers.LINK_STATUS.set(status);
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

void ExpressCapability::set_link(unsigned generation, unsigned lanes) {
  auto& status = registers.LINK_STATUS;
  status.SPEED.set(generation);
  status.WIDTH.set(lanes);
  status.ACTIVE.set(registers.LINK_CAPABILITIES.ACTIVE_REPORTING.get() != 0 && lanes > 0);
}

}  // namespace npuvp::pcie
