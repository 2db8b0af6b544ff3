// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/bridge.h"

#include <array>
#include <cstring>
#include <utility>

namespace npuvp::pcie {
namespace {

constexpr unsigned kExpressOffset = 0x40;
constexpr unsigned kPowerManagementOffset = 0x80;
constexpr unsigned kMsiOffset = 0x90;
constexpr unsigned kAerOffset = 0x100;
constexpr unsigned kLinkCapabilitiesOffset = 0x150;

constexpr uint64_t kWindowUnit = 1ULL << 20;

AerParameters aer_parameters(const ExpressParameters& express) {
  using Type = ExpressRegisters::ExpressCapabilitiesRegister;
  if (express.type == Type::kTypeUpstreamPort) return {.kind = AerParameters::Kind::kUpstreamPort};
  const bool is_root_port = express.type == Type::kTypeRootPort;
  return {.kind = is_root_port ? AerParameters::Kind::kRootPort : AerParameters::Kind::kDownstreamPort, .acs = true};
}

}  // namespace

Bridge::Bridge(std::string name, base::Environment& environment, const BridgeParameters& parameters)
    : name_(std::move(name)),
      header_(environment, name_ + ".type1", base::RegisterBank::Rules::kBytewise),
      express_(environment, name_ + ".express", parameters.express),
      power_(environment, name_ + ".power_management"),
      msi_(environment, name_ + ".msi"),
      aer_(environment, name_ + ".aer", aer_parameters(parameters.express)),
      link_capabilities_(environment, name_, parameters.express),
      config_(header_),
      errors_({header_.COMMAND.SERR_ENABLE, header_.STATUS.SIGNALED_SYSTEM_ERROR, express_.registers}, express_, aer_,
              aer_, [this](MessageCode code) { send_error(code); }) {
  header_.VENDOR_ID.set_reset(parameters.vendor_id);
  header_.DEVICE_ID.set_reset(parameters.device_id);
  header_.REVISION_ID.set_reset(parameters.revision_id);
  config_.add(express_, kExpressOffset);
  config_.add(power_, kPowerManagementOffset);
  config_.add(msi_, kMsiOffset);
  config_.add(aer_, kAerOffset);
  link_capabilities_.add_to(config_, kLinkCapabilitiesOffset);
  header_.BRIDGE_CONTROL.on_write([this](const base::RegisterWrite& write) {
    const auto& reset = header_.BRIDGE_CONTROL.SECONDARY_BUS_RESET;
    const bool held = reset.get() != 0;
    if (held != ((write.before & reset.mask()) != 0)) hold_below_in_reset(held);
  });
}

void Bridge::reset(ResetKind kind) {
  const bool was_held = header_.BRIDGE_CONTROL.SECONDARY_BUS_RESET.get() != 0;
  config_.reset(kind);
  if (was_held) hold_below_in_reset(false);
  reset_below(kind);
}

bool Bridge::is_below(uint8_t bus) const {
  // Bus 0 is never below a bridge: an unprogrammed one forwards nothing.
  const uint64_t secondary = header_.SECONDARY_BUS.get();
  return secondary != 0 && bus >= secondary && bus <= header_.SUBORDINATE_BUS.get();
}

bool Bridge::in_window(const Request& request) const {
  const auto inside = [&](uint64_t base, uint64_t limit) {
    const uint64_t last = limit + (kWindowUnit - 1);
    return base <= last && request.address >= base && request.address <= last &&
           request.data.size() - 1 <= last - request.address;
  };
  const auto unit = [](const base::Field& field) { return field.get() * kWindowUnit; };
  return inside(unit(header_.MEMORY_BASE.ADDRESS), unit(header_.MEMORY_LIMIT.ADDRESS)) ||
         inside(unit(header_.PREFETCHABLE_BASE.ADDRESS) | header_.PREFETCHABLE_BASE_UPPER.get() << 32,
                unit(header_.PREFETCHABLE_LIMIT.ADDRESS) | header_.PREFETCHABLE_LIMIT_UPPER.get() << 32);
}

bool Bridge::claims(const Request& request) const {
  if (!request.is_memory()) return is_below(bus_of(request.completer));
  return header_.COMMAND.MEMORY_SPACE.get() != 0 && power_.in_d0() && in_window(request);
}

Completion Bridge::receive(Request& request, Passage& passage) {
  if (request.is_config() && !request.is_type1) {
    if (!is_at(request.completer)) return refuse(request);
    access_config(request);
    return Completion::kSuccess;
  }
  if (!claims(request)) return refuse(request);
  if (header_.BRIDGE_CONTROL.SECONDARY_BUS_RESET.get() != 0) return Completion::kUnsupportedRequest;
  if (request.poison && request.is_write()) errors_.report(Error::kPoisonedTlp, header_of(request), true);
  request.is_type1 = request.is_config() && bus_of(request.completer) != header_.SECONDARY_BUS.get();
  return send_below(request, passage);
}

void Bridge::access_config(const Request& request) {
  const base::Origin origin{base::Origin::Kind::kHost, request.requester, 0};
  const auto offset = static_cast<unsigned>(request.address);
  if (request.is_read()) {
    config_.read(offset, request.data, origin);
  } else {
    routing_id_ = request.completer;
    config_.write(offset, request.data, origin);
  }
}

Completion Bridge::refuse(const Request& request) {
  errors_.report(Error::kUnsupportedRequest, header_of(request), request.is_non_posted());
  return Completion::kUnsupportedRequest;
}

Completion Bridge::send_above(Request& request, Passage& passage) {
  if (primary_ == nullptr) return Completion::kTimeout;
  const bool may = header_.COMMAND.BUS_MASTER.get() != 0 && power_.in_d0();
  if (request.is_memory() && !may) return refuse(request);
  return primary_->receive(request, passage);
}

bool Bridge::forwards(MessageCode code) {
  if (code != MessageCode::kErrorCorrectable) header_.SECONDARY_STATUS.RECEIVED_SYSTEM_ERROR.set(1);
  if (header_.BRIDGE_CONTROL.SERR_ENABLE.get() == 0) return false;
  const auto& control = express_.registers.DEVICE_CONTROL;
  switch (code) {
    case MessageCode::kErrorCorrectable:
      return true;
    case MessageCode::kErrorNonFatal:
      return header_.COMMAND.SERR_ENABLE.get() != 0 || control.NON_FATAL_ERROR_ENABLE.get() != 0;
    case MessageCode::kErrorFatal:
      return header_.COMMAND.SERR_ENABLE.get() != 0 || control.FATAL_ERROR_ENABLE.get() != 0;
  }
  return false;
}

void Bridge::send_error(MessageCode code) {
  Request message{RequestKind::kMessage};
  message.requester = routing_id_;
  message.message = code;
  Passage passage;
  send_above(message, passage);
}

void Bridge::interrupt() {
  const auto& registers = msi_.registers;
  if (registers.MESSAGE_CONTROL.ENABLE.get() == 0 || header_.COMMAND.BUS_MASTER.get() == 0) return;
  const auto value = static_cast<uint32_t>(registers.DATA.get());
  std::array<uint8_t, sizeof value> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  Request request{RequestKind::kMemoryWrite};
  request.address = registers.ADDRESS.get() | registers.ADDRESS_UPPER.get() << 32;
  request.requester = routing_id_;
  request.data = bytes;
  Passage passage;
  send_above(request, passage);
}

}  // namespace npuvp::pcie
