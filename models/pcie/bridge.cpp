// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/bridge.h"

#include <utility>

namespace npuvp::pcie {
namespace {

constexpr unsigned kExpressOffset = 0x40;
constexpr unsigned kPowerManagementOffset = 0x80;
constexpr unsigned kMsiOffset = 0x90;

constexpr uint64_t kWindowUnit = 1ULL << 20;

}  // namespace

Bridge::Bridge(std::string name, base::Environment& environment, const BridgeParameters& parameters)
    : name_(std::move(name)),
      header_(environment, name_ + ".type1", base::RegisterBank::Rules::kBytewise),
      express_(environment, name_ + ".express", parameters.express),
      power_(environment, name_ + ".power_management"),
      msi_(environment, name_ + ".msi"),
      config_(header_) {
  header_.VENDOR_ID.set_reset(parameters.vendor_id);
  header_.DEVICE_ID.set_reset(parameters.device_id);
  header_.REVISION_ID.set_reset(parameters.revision_id);
  config_.add(express_, kExpressOffset);
  config_.add(power_, kPowerManagementOffset);
  config_.add(msi_, kMsiOffset);
  header_.BRIDGE_CONTROL.on_write([this](const base::RegisterWrite& write) {
    const auto& reset = header_.BRIDGE_CONTROL.SECONDARY_BUS_RESET;
    if (reset.get() != 0 && (write.before & reset.mask()) == 0) reset_below();
  });
}

void Bridge::fundamental_reset() {
  config_.reset(ResetKind::kFundamental);
  reset_below();
}

bool Bridge::is_below(uint8_t bus) const {
  // Bus 0 is never below a bridge: an unprogrammed one forwards nothing.
  const uint64_t secondary = header_.SECONDARY_BUS.get();
  return secondary != 0 && bus >= secondary && bus <= header_.SUBORDINATE_BUS.get();
}

bool Bridge::in_window(uint64_t address, uint64_t bytes) const {
  const auto inside = [&](uint64_t base, uint64_t limit) {
    const uint64_t last = limit + (kWindowUnit - 1);
    return base <= last && address >= base && address <= last && bytes - 1 <= last - address;
  };
  const auto unit = [](const base::Field& field) { return field.get() * kWindowUnit; };
  return inside(unit(header_.MEMORY_BASE.ADDRESS), unit(header_.MEMORY_LIMIT.ADDRESS)) ||
         inside(unit(header_.PREFETCHABLE_BASE.ADDRESS) | header_.PREFETCHABLE_BASE_UPPER.get() << 32,
                unit(header_.PREFETCHABLE_LIMIT.ADDRESS) | header_.PREFETCHABLE_LIMIT_UPPER.get() << 32);
}

bool Bridge::claims(const Request& request) const {
  if (!request.is_memory()) return is_below(bus_of(request.completer));
  return header_.COMMAND.MEMORY_SPACE.get() != 0 && power_.in_d0() && in_window(request.address, request.data.size());
}

Completion Bridge::receive(Request& request, Passage& passage) {
  if (!request.is_memory() && !request.is_type1) {
    access_config(request);
    return Completion::kSuccess;
  }
  if (!claims(request) || header_.BRIDGE_CONTROL.SECONDARY_BUS_RESET.get() != 0) {
    return Completion::kUnsupportedRequest;
  }
  request.is_type1 = !request.is_memory() && bus_of(request.completer) != header_.SECONDARY_BUS.get();
  return send_below(request, passage);
}

void Bridge::access_config(const Request& request) {
  const base::Origin origin{base::Origin::Kind::kHost, request.requester, 0};
  const auto offset = static_cast<unsigned>(request.address);
  if (request.is_read()) {
    config_.read(offset, request.data, origin);
  } else {
    config_.write(offset, request.data, origin);
  }
}

Completion Bridge::send_above(Request& request, Passage& passage) {
  const bool may = header_.COMMAND.BUS_MASTER.get() != 0 && power_.in_d0();
  if (!may || !request.is_memory() || primary_ == nullptr) return Completion::kUnsupportedRequest;
  return primary_->receive(request, passage);
}

}  // namespace npuvp::pcie
