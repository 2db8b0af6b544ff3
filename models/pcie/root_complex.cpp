// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/root_complex.h"

#include <algorithm>
#include <cstring>

namespace npuvp::pcie {
namespace {

using sc_core::sc_time;

// Fields of an ECAM address, PCI Express Base Specification 7.2.2.
constexpr unsigned kEcamFunctionShift = 12;
constexpr uint64_t kEcamRegisterMask = 0xfff;
constexpr uint64_t kEcamBytes = 1ULL << 28;
constexpr uint64_t kConfigBytes = 4;    // a configuration request is one double word
constexpr unsigned kMostWarnings = 20;  // of DMA that misses memory: a guest can cause any number

/// Calls `access(address, data)` for the parts of a payload between multiples of `boundary`.
template <typename Access>
void split(tlm::tlm_generic_payload& payload, uint64_t boundary, Access access) {
  uint64_t address = payload.get_address();
  std::span<uint8_t> rest(payload.get_data_ptr(), payload.get_data_length());
  while (!rest.empty()) {
    const auto bytes = std::min<uint64_t>(rest.size(), boundary - address % boundary);
    access(address, rest.first(bytes));
    address += bytes;
    rest = rest.subspan(bytes);
  }
}

}  // namespace

RootComplex::RootComplex(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      config("config"),
      memory("memory"),
      log_(environment.logger(sc_module::name())),
      parameters_(parameters) {
  config.register_b_transport(this, &RootComplex::config_transport);
  memory.register_b_transport(this, &RootComplex::memory_transport);
  SC_HAS_PROCESS(RootComplex);
  SC_METHOD(deliver_interrupts);
  sensitive << interrupt_due_;
  dont_initialize();
}

void RootComplex::add(RootPort& port, uint8_t devfn) {
  bus_.attach(port, devfn);
  from_ports_.push_back(std::make_unique<FromPort>(*this, port));
  port.bind_primary(*from_ports_.back());
}

void RootComplex::fundamental_reset() {
  interrupts_.clear();
  interrupt_due_.cancel();
  bus_.reset(ResetKind::kFundamental);
}

void RootComplex::config_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  split(payload, kConfigBytes, [&](uint64_t address, std::span<uint8_t> data) {
    Request request{payload.is_read() ? RequestKind::kConfigRead : RequestKind::kConfigWrite};
    request.address = address & kEcamRegisterMask;
    request.completer = static_cast<RoutingId>(address >> kEcamFunctionShift);
    request.is_type1 = bus_of(request.completer) != 0;
    request.data = data;
    if (address < kEcamBytes) {
      access(request, delay);
    } else if (request.is_read()) {
      std::fill(data.begin(), data.end(), uint8_t{0xff});
    }
  });
}

void RootComplex::memory_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  split(payload, kBurstBytes, [&](uint64_t address, std::span<uint8_t> data) {
    Request request{payload.is_read() ? RequestKind::kMemoryRead : RequestKind::kMemoryWrite};
    request.address = address;
    request.data = data;
    request.max_read_bytes = parameters_.host_read_bytes;
    access(request, delay);
  });
}

void RootComplex::access(Request& request, sc_time& delay) {
  Passage passage{delay, delay, {}};
  passage.shift(parameters_.latency);
  auto* port = static_cast<RootPort*>(bus_.find(request));
  const auto status = port == nullptr ? Completion::kUnsupportedRequest : port->receive(request, passage);
  if (request.is_non_posted()) passage.shift(parameters_.latency);
  delay = std::max(delay, passage.end);
  if (status == Completion::kSuccess && !(request.is_read() && request.poison)) return;
  // Of a request that was under way when the link went down the port disposes itself (2.9.1).
  if (status == Completion::kTimeout && request.is_non_posted() && port->port().is_link_up()) {
    delay += parameters_.completion_timeout;
    port->errors().report(Error::kCompletionTimeout);
  }
  log_->debug("{} of {} bytes at {:#x} (function {:#06x}): completion status {}", request.is_read() ? "read" : "write",
              request.data.size(), request.address, request.completer, static_cast<unsigned>(status));
  if (request.is_read()) std::fill(request.data.begin(), request.data.end(), uint8_t{0xff});
}

Completion RootComplex::route_from(RootPort& source, Request& request, Passage& passage) {
  passage.shift(parameters_.latency);
  const bool is_interrupt = request.is_memory() && request.address - kInterruptBase < kInterruptBytes;
  if (auto* peer = is_interrupt ? nullptr : static_cast<RootPort*>(bus_.find(request))) {
    return to_peer(source, *peer, request, passage);
  }
  const auto status =
      host_ != nullptr && request.is_memory() ? to_host(request, passage) : Completion::kUnsupportedRequest;
  // The root port answers for the root complex.
  return status == Completion::kSuccess ? status : source.refuse(request);
}

Completion RootComplex::to_peer(RootPort& source, RootPort& peer, Request& request, Passage& passage) {
  if (request.kind == RequestKind::kCompletion) {
    ++counters_.completions;
    return peer.receive(request, passage);
  }
  if (!parameters_.peer_to_peer) {
    ++counters_.refused;
    return source.refuse(request);
  }
  if (&source != &peer && source.peer_action(request, peer) == DownstreamPort::PeerAction::kBlock) {
    return source.violate(request);
  }
  ++counters_.requests;
  counters_.bytes += request.data.size();
  const auto status = peer.receive(request, passage);
  if (request.is_non_posted()) passage.shift(parameters_.latency);
  return status;
}

Completion RootComplex::to_host(Request& request, Passage& passage) {
  if (request.address - kInterruptBase < kInterruptBytes) {
    if (request.is_read() || request.data.size() != 4) return Completion::kUnsupportedRequest;
    schedule_interrupt(request, passage);
    return Completion::kSuccess;
  }
  bool ok = false;
  if (request.is_read()) {
    const auto view =
        request.may_lend ? host_->dma_view(request.address, request.data.size()) : std::span<const uint8_t>();
    if (!view.empty()) request.lent = view.data();
    ok = !view.empty() || host_->dma_read(request.address, request.data);
    passage.shift(parameters_.host_memory_latency + parameters_.latency);
  } else {
    ok = host_->dma_write(request.address, request.data);
  }
  if (ok) return Completion::kSuccess;
  warn_of_missed_memory(request);
  return Completion::kUnsupportedRequest;
}

void RootComplex::warn_of_missed_memory(const Request& request) {
  if (warnings_ >= kMostWarnings) return;
  log_->warn("DMA {} of {} bytes at {:#x} by function {:#06x}: not host memory", request.is_read() ? "read" : "write",
             request.data.size(), request.address, request.requester);
  if (++warnings_ == kMostWarnings) log_->warn("further DMA that misses host memory is not shown");
}

void RootComplex::schedule_interrupt(const Request& request, const Passage& passage) {
  uint32_t data = 0;
  std::memcpy(&data, request.data.data(), sizeof data);
  const sc_time now = sc_core::sc_time_stamp();
  const sc_time due = std::max(now + passage.end, request.not_before);
  interrupts_.emplace(due, Interrupt{request.address, data});
  interrupt_due_.notify(interrupts_.begin()->first - now);
}

void RootComplex::deliver_interrupts() {
  const sc_time now = sc_core::sc_time_stamp();
  while (!interrupts_.empty() && interrupts_.begin()->first <= now) {
    const auto interrupt = interrupts_.begin()->second;
    interrupts_.erase(interrupts_.begin());
    host_->interrupt(interrupt.address, interrupt.data);
  }
  if (!interrupts_.empty()) interrupt_due_.notify(interrupts_.begin()->first - now);
}

}  // namespace npuvp::pcie
