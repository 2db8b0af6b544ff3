// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace npuvp::pcie {

using sc_core::sc_time;

Endpoint::Endpoint(sc_core::sc_module_name module_name, base::Environment& environment, const Parameters& parameters)
    : sc_module(module_name),
      bar0("bar0"),
      bar2("bar2"),
      dma("dma"),
      environment_(environment),
      log_(environment.logger(name())),
      relaxed_ordering_(parameters.relaxed_ordering),
      id_based_ordering_(parameters.id_based_ordering),
      physical_(std::make_unique<PhysicalFunction>(
          fmt::format("{}.pf", name()), environment, parameters,
          Function::Outlet{
              [this](Function& function, uint64_t address, uint32_t data) { send_interrupt(function, address, data); },
              [this](Function& function, MessageCode code) { send_error(function, code); }})),
      port_(physical_->express(), physical_->link_capabilities(), physical_->errors(), *this) {
  const Function::Outlet outlet{
      [this](Function& function, uint64_t address, uint32_t data) { send_interrupt(function, address, data); },
      [this](Function& function, MessageCode code) { send_error(function, code); }};
  for (unsigned index = 1; index <= parameters.virtual_functions; ++index) {
    virtual_.push_back(std::make_unique<VirtualFunction>(fmt::format("{}.vf{}", name(), index), environment, index,
                                                         parameters, *physical_, outlet));
    auto* added = virtual_.back().get();
    added->express().on_function_level_reset([this, added] {
      added->reset(ResetKind::kFunctionLevel);
      if (on_reset_) on_reset_(added->index());
    });
  }
  physical_->express().on_function_level_reset([this] { reset(ResetKind::kFunctionLevel); });
  if (auto* sriov = physical_->sriov()) sriov->on_change([this] { virtual_functions_changed(); });
  port_.on_link_down([this](ResetKind kind) { reset(kind); });
  dma.register_b_transport(this, &Endpoint::dma_transport);
}

void Endpoint::reset(ResetKind kind) {
  physical_->reset(kind);
  for (auto& each : virtual_) each->reset(kind);
  enabled_ = 0;
  if (on_reset_) on_reset_(0);
}

void Endpoint::virtual_functions_changed() {
  const unsigned count = physical_->sriov()->vf_count();
  for (unsigned index = enabled_; index < count; ++index) {
    auto& added = *virtual_.at(index);
    added.reset(ResetKind::kFundamental);
    added.set_routing_id(physical_->sriov()->routing_id(physical_->routing_id(), index));
  }
  for (unsigned index = count; index < enabled_; ++index) {
    virtual_.at(index)->reset(ResetKind::kFundamental);
    if (on_reset_) on_reset_(index + 1);
  }
  enabled_ = count;
}

/// Virtual functions follow the physical one to another bus.
void Endpoint::capture_routing_id(RoutingId id) {
  physical_->set_routing_id(id);
  for (unsigned index = 0; index < enabled_; ++index) {
    virtual_[index]->set_routing_id(physical_->sriov()->routing_id(id, index));
  }
}

bool Endpoint::exists(unsigned index) const {
  return index <= enabled_;
}

Function* Endpoint::function(unsigned index) {
  if (!exists(index)) return nullptr;
  return index == 0 ? static_cast<Function*>(physical_.get()) : virtual_[index - 1].get();
}

Function* Endpoint::function_at(RoutingId id) {
  if (devfn_of(id) == 0) return physical_.get();
  for (unsigned index = 1; index <= enabled_; ++index) {
    auto* each = virtual_[index - 1].get();
    if (each->routing_id() == id) return each;
  }
  return nullptr;
}

Completion Endpoint::receive(Request& request, Passage& passage) {
  if (request.is_memory()) return access_memory(request, passage);
  if (request.is_config()) return access_config(request);
  return answer(*physical_, request, Completion::kUnsupportedRequest);
}

/// Reports what goes wrong with a request to `function`.
Completion Endpoint::answer(Function& function, Request& request, Completion status) {
  if (status == Completion::kSuccess) return status;
  const auto error = status == Completion::kUnsupportedRequest ? Error::kUnsupportedRequest : Error::kCompleterAbort;
  function.errors().report(error, header_of(request, port_.express().max_payload_bytes()), request.is_non_posted());
  return status;
}

Completion Endpoint::access_config(Request& request) {
  auto* function = request.is_type1 ? nullptr : function_at(request.completer);
  if (function == nullptr) return answer(*physical_, request, Completion::kUnsupportedRequest);
  if (request.poison && request.is_write()) {
    function->note_poison(false);
    function->errors().report(Error::kPoisonedTlp, header_of(request, port_.express().max_payload_bytes()), false);
    return Completion::kUnsupportedRequest;  // 2.7.2.2
  }
  if (request.is_write() && function == physical_.get()) capture_routing_id(request.completer);
  function->access_config(request);
  return Completion::kSuccess;
}

Completion Endpoint::access_memory(Request& request, Passage& passage) {
  Function* function = physical_.get();
  std::optional<Function::Hit> hit;
  if (physical_->answers_memory()) hit = physical_->decode(request);
  if (auto* sriov = physical_->sriov(); !hit && sriov != nullptr && enabled_ > 0) {
    if (const auto place = sriov->decode(request.address, request.data.size())) {
      function = this->function(place->vf + 1);
      if (function != nullptr && function->answers_memory()) hit = Function::Hit{place->bar, place->offset};
    }
  }
  if (!hit || function == nullptr) return answer(*physical_, request, Completion::kUnsupportedRequest);
  if (joins_functions(request, *function)) return answer(*function, request, Completion::kUnsupportedRequest);
  if (request.poison && request.is_write()) {
    // Bad data must not get into registers or memory (PCI Express Base Specification 2.7.2.2).
    function->note_poison(false);
    function->errors().report(Error::kPoisonedTlp, header_of(request, port_.express().max_payload_bytes()), false);
    return Completion::kSuccess;
  }
  auto* msix = function->msix_table();
  if (msix != nullptr && msix->covers(hit->bar, hit->offset, request.data.size())) {
    if (request.is_read()) {
      msix->read(hit->bar, hit->offset, request.data);
      passage.begin = passage.end;
    } else {
      msix->write(hit->bar, hit->offset, request.data);
    }
    return Completion::kSuccess;
  }
  return answer(*function, request, access_bar(*function, *hit, request, passage));
}

/// True if a virtual function asks for another function's registers or memory: what comes back from the root complex by
/// ACS redirection, or because that returns requests to where they came from, must not get around their isolation.
bool Endpoint::joins_functions(const Request& request, const Function& target) {
  const auto* requester = function_at(request.requester);
  return requester != nullptr && requester != physical_.get() && requester != &target;
}

Completion Endpoint::access_bar(Function& function, const Function::Hit& hit, Request& request, Passage& passage) {
  auto& bar = hit.bar == 0 ? bar0 : bar2;
  auto& sideband = bar.sideband();
  sideband.origin = {base::Origin::Kind::kHost, request.requester, 0};
  sideband.requester_id = request.requester;
  sideband.function = static_cast<uint16_t>(function.index());
  sc_time done = passage.begin;
  const auto response =
      request.is_read() ? bar.read(hit.offset, request.data, done) : bar.write(hit.offset, request.data, done);
  passage.end = std::max(passage.end, done);
  passage.drained = passage.end;
  if (request.is_read()) {
    passage.begin = passage.end;
    request.poison = sideband.poison;
  }
  if (response == tlm::TLM_OK_RESPONSE) return Completion::kSuccess;
  return response == tlm::TLM_ADDRESS_ERROR_RESPONSE ? Completion::kUnsupportedRequest : Completion::kCompleterAbort;
}

void Endpoint::dma_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  std::span<uint8_t> rest(payload.get_data_ptr(), payload.get_data_length());
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  if (payload.get_byte_enable_ptr() != nullptr || payload.get_streaming_width() < rest.size()) {
    payload.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  auto* sideband = payload.get_extension<base::Sideband>();
  const unsigned index = sideband == nullptr ? 0 : sideband->function;
  auto* requester = function(index);
  if (requester == nullptr || !requester->may_master()) {
    log_->debug("DMA at {:#x}: function {} does not exist or may not master", payload.get_address(), index);
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  const auto& express = physical_->express();
  uint64_t address = payload.get_address();
  const sc_time start = delay;
  while (!rest.empty()) {
    const auto bytes = std::min<uint64_t>(rest.size(), kBurstBytes - address % kBurstBytes);
    Request request{payload.is_read() ? RequestKind::kMemoryRead : RequestKind::kMemoryWrite};
    request.address = address;
    request.requester = requester->routing_id();
    request.data = rest.first(bytes);
    request.max_read_bytes = express.max_read_request_bytes();
    request.relaxed_ordering = relaxed_ordering_ && express.relaxed_ordering();
    request.id_based_ordering = id_based_ordering_ && express.id_based_ordering_request();
    request.may_lend = payload.is_read() && sideband != nullptr && sideband->lend_bytes == bytes;
    request.poison = payload.is_write() && sideband != nullptr && sideband->poison;
    Passage passage{start, start, start};
    if (payload.is_read()) {
      payload.set_response_status(read(*requester, request, passage));
    } else {
      write(*requester, request, passage);
    }
    delay = std::max(delay, passage.end);
    if (payload.get_response_status() != tlm::TLM_OK_RESPONSE) return;
    if (sideband != nullptr && request.poison) sideband->poison = true;
    if (request.lent != nullptr) sideband->lent = request.lent;
    address += bytes;
    rest = rest.subspan(bytes);
  }
}

tlm::tlm_response_status Endpoint::read(Function& function, Request& request, Passage& passage) {
  const sc_time now = sc_core::sc_time_stamp();
  const auto& express = physical_->express();
  const uint64_t tags = (request.data.size() + request.max_read_bytes - 1) / request.max_read_bytes;
  function.set_tags(express.extended_tags());
  passage.begin = function.tags().available(now + passage.begin, tags) - now;
  passage.end = std::max(passage.end, passage.begin);
  const auto status = port_.transmit(request, passage);
  if (status == Completion::kTimeout) {
    passage.end += express.completion_timeout();
    function.errors().report(Error::kCompletionTimeout, header_of(request, express.max_payload_bytes()), false);
  }
  function.tags().hold(tags, now + passage.end);
  function.note_received(status);
  if (status == Completion::kTimeout) return tlm::TLM_GENERIC_ERROR_RESPONSE;
  if (status != Completion::kSuccess) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (request.poison) {
    function.note_poison(true);
    function.errors().report(Error::kPoisonedTlp, data_completion_header(request, express.max_payload_bytes()), false);
  }
  return tlm::TLM_OK_RESPONSE;
}

void Endpoint::write(Function& function, Request& request, Passage& passage) {
  const sc_time now = sc_core::sc_time_stamp();
  const sc_time issued = now + passage.begin;
  port_.transmit(request, passage);
  function.note_posted(issued, now + passage.end);
}

void Endpoint::raise_vector(unsigned index, unsigned vector) {
  auto* raised = function(index);
  const unsigned known = raised == nullptr ? 0 : raised->vectors();
  if (vector >= known) {
    environment_.diagnostics().misuse(name(),
                                      fmt::format("raised vector {} of {} of function {}", vector, known, index), {});
    return;
  }
  raised->msix_table()->raise(vector);
}

void Endpoint::send_interrupt(Function& function, uint64_t address, uint32_t data) {
  std::array<uint8_t, sizeof data> bytes;
  std::memcpy(bytes.data(), &data, sizeof data);
  Request request{RequestKind::kMemoryWrite};
  request.address = address;
  request.requester = function.routing_id();
  request.data = bytes;
  request.not_before = function.posted_arrived(sc_core::sc_time_stamp());
  Passage passage;
  if (port_.transmit(request, passage) != Completion::kSuccess) {
    log_->warn("interrupt message to {:#x} was lost on the way to the host", address);
  }
}

void Endpoint::send_error(Function& function, MessageCode code) {
  Request message{RequestKind::kMessage};
  message.requester = function.routing_id();
  message.message = code;
  Passage passage;
  port_.transmit(message, passage);
}

}  // namespace npuvp::pcie
