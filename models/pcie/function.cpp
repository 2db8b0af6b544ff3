// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/function.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace npuvp::pcie {
namespace {

using sc_core::sc_time;

constexpr unsigned kExpressOffset = 0x40;
constexpr unsigned kPowerManagementOffset = 0x80;
constexpr unsigned kMsixOffset = 0x90;

ExpressParameters express_parameters(const Function::Parameters& parameters) {
  ExpressParameters express;
  express.type = ExpressRegisters::ExpressCapabilitiesRegister::kTypeEndpoint;
  express.generation = parameters.generation;
  express.lanes = parameters.lanes;
  express.max_payload_bytes = parameters.max_payload_bytes;
  express.function_level_reset = true;
  return express;
}

}  // namespace

Function::Function(sc_core::sc_module_name module_name, base::Environment& environment, const Parameters& parameters)
    : sc_module(module_name),
      bar0("bar0"),
      bar2("bar2"),
      dma("dma"),
      environment_(environment),
      log_(environment.logger(name())),
      parameters_(parameters),
      header_(environment, name() + std::string(".type0"), base::RegisterBank::Rules::kBytewise),
      bars_(header_),
      express_(environment, name() + std::string(".express"), express_parameters(parameters)),
      power_(environment, name() + std::string(".power_management")),
      serial_number_(environment, name() + std::string(".serial_number"), parameters.serial_number),
      config_(header_),
      port_(express_, *this) {
  header_.VENDOR_ID.set_reset(parameters.vendor_id);
  header_.DEVICE_ID.set_reset(parameters.device_id);
  header_.REVISION_ID.set_reset(parameters.revision_id);
  header_.PROGRAMMING_INTERFACE.set_reset(parameters.class_code & 0xff);
  header_.SUB_CLASS.set_reset(parameters.class_code >> 8 & 0xff);
  header_.BASE_CLASS.set_reset(parameters.class_code >> 16 & 0xff);
  header_.SUBSYSTEM_VENDOR_ID.set_reset(parameters.subsystem_vendor_id);
  header_.SUBSYSTEM_ID.set_reset(parameters.subsystem_id);
  bars_.add({.index = 0, .bytes = parameters.bar0_bytes, .is_64bit = true, .prefetchable = false});
  if (parameters.bar2_bytes > 0) {
    bars_.add({.index = 2, .bytes = parameters.bar2_bytes, .is_64bit = true, .prefetchable = true});
  }
  config_.add(express_, kExpressOffset);
  config_.add(power_, kPowerManagementOffset);
  if (parameters.msix.vectors > 0) {
    msix_ = std::make_unique<MsixCapability>(environment, name() + std::string(".msix"), parameters.msix);
    msix_table_ = std::make_unique<MsixTable>(
        *msix_, [this](uint64_t address, uint32_t data) { send_interrupt(address, data); },
        [this] { return !may_master(); });
    config_.add(*msix_, kMsixOffset);
    const auto update = [this](const base::RegisterWrite&) { msix_table_->update(); };
    msix_->registers.MESSAGE_CONTROL.on_write(update);
    header_.COMMAND.on_write(update);
    power_.on_power_state([this] { msix_table_->update(); });
  }
  config_.add(serial_number_, ConfigSpace::kExtendedCapabilities);

  express_.on_function_level_reset([this] { reset(ResetKind::kFunctionLevel); });
  port_.on_hot_reset([this] { reset(ResetKind::kHot); });
  dma.register_b_transport(this, &Function::dma_transport);
}

void Function::reset(ResetKind kind) {
  config_.reset(kind);
  if (msix_table_) msix_table_->reset();
  posted_.clear();
  if (on_reset_) on_reset_();
}

Completion Function::receive(Request& request, Passage& passage) {
  const auto status = request.is_memory() ? access_memory(request, passage) : access_config(request);
  if (status == Completion::kUnsupportedRequest) express_.registers.DEVICE_STATUS.UNSUPPORTED_REQUEST.set(1);
  return status;
}

Completion Function::access_config(Request& request) {
  if (request.is_type1 || devfn_of(request.completer) != 0) return Completion::kUnsupportedRequest;
  const base::Origin origin{base::Origin::Kind::kHost, request.requester, 0};
  const auto offset = static_cast<unsigned>(request.address);
  if (request.is_read()) {
    config_.read(offset, request.data, origin);
  } else {
    routing_id_ = request.completer;
    config_.write(offset, request.data, origin);
  }
  return Completion::kSuccess;
}

Completion Function::access_memory(Request& request, Passage& passage) {
  if (header_.COMMAND.MEMORY_SPACE.get() == 0 || !power_.in_d0()) return Completion::kUnsupportedRequest;
  const auto hit = bars_.decode(request.address, request.data.size());
  if (!hit) return Completion::kUnsupportedRequest;
  if (msix_table_ && msix_table_->covers(hit->index, hit->offset, request.data.size())) {
    if (request.is_read()) {
      msix_table_->read(hit->index, hit->offset, request.data);
      passage.begin = passage.end;
    } else {
      msix_table_->write(hit->index, hit->offset, request.data);
    }
    return Completion::kSuccess;
  }
  return access_bar(hit->index == 0 ? bar0 : bar2, hit->offset, request, passage);
}

Completion Function::access_bar(base::InitiatorPort& bar, uint64_t offset, Request& request, Passage& passage) {
  auto& sideband = bar.sideband();
  sideband.origin = {base::Origin::Kind::kHost, request.requester, 0};
  sideband.requester_id = request.requester;
  sideband.poison = request.poison;
  sc_time done = passage.begin;
  const auto response =
      request.is_read() ? bar.read(offset, request.data, done) : bar.write(offset, request.data, done);
  passage.end = std::max(passage.end, done);
  if (request.is_read()) {
    passage.begin = passage.end;
    request.poison = sideband.poison;
  }
  if (response == tlm::TLM_OK_RESPONSE) return Completion::kSuccess;
  return response == tlm::TLM_ADDRESS_ERROR_RESPONSE ? Completion::kUnsupportedRequest : Completion::kCompleterAbort;
}

void Function::dma_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  std::span<uint8_t> rest(payload.get_data_ptr(), payload.get_data_length());
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  if (payload.get_byte_enable_ptr() != nullptr || payload.get_streaming_width() < rest.size()) {
    payload.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  if (!may_master()) {
    log_->debug("DMA at {:#x} while bus mastering is off", payload.get_address());
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  auto* sideband = payload.get_extension<base::Sideband>();
  uint64_t address = payload.get_address();
  const sc_time start = delay;
  while (!rest.empty()) {
    const auto bytes = std::min<uint64_t>(rest.size(), kBurstBytes - address % kBurstBytes);
    Request request{payload.is_read() ? RequestKind::kMemoryRead : RequestKind::kMemoryWrite};
    request.address = address;
    request.requester = routing_id_;
    request.data = rest.first(bytes);
    request.max_read_bytes = express_.max_read_request_bytes();
    request.poison = payload.is_write() && sideband != nullptr && sideband->poison;
    Passage passage{start, start};
    const auto status = payload.is_read() ? port_.transmit(request, passage) : post(request, passage);
    delay = std::max(delay, passage.end);
    if (status != Completion::kSuccess) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    if (sideband != nullptr && request.poison) sideband->poison = true;
    address += bytes;
    rest = rest.subspan(bytes);
  }
}

Completion Function::post(Request& request, Passage& passage) {
  const sc_time now = sc_core::sc_time_stamp();
  while (!posted_.empty() && posted_.front().arrived <= now) posted_.pop_front();
  const sc_time issued = now + passage.begin;
  const auto status = port_.transmit(request, passage);
  posted_.push_back({issued, now + passage.end});
  return status;
}

void Function::raise_vector(unsigned vector) {
  if (vector >= parameters_.msix.vectors) {
    environment_.diagnostics().misuse(name(), fmt::format("raised vector {} of {}", vector, parameters_.msix.vectors),
                                      {});
    return;
  }
  msix_table_->raise(vector);
}

void Function::send_interrupt(uint64_t address, uint32_t data) {
  std::array<uint8_t, sizeof data> bytes;
  std::memcpy(bytes.data(), &data, sizeof data);
  Request request{RequestKind::kMemoryWrite};
  request.address = address;
  request.requester = routing_id_;
  request.data = bytes;
  const sc_time now = sc_core::sc_time_stamp();
  for (const auto& write : posted_) {
    if (write.issued <= now) request.not_before = std::max(request.not_before, write.arrived);
  }
  Passage passage;
  if (port_.transmit(request, passage) != Completion::kSuccess) {
    log_->warn("interrupt message to {:#x} was lost on the way to the host", address);
  }
}

}  // namespace npuvp::pcie
