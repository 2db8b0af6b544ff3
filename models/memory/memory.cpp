// SPDX-License-Identifier: Apache-2.0
#include "models/memory/memory.h"

#include <algorithm>
#include <stdexcept>

#include "models/base/memory_access.h"
#include "models/base/sideband.h"

namespace npuvp::memory {

using sc_core::sc_time;

namespace {

constexpr uint64_t kScrubBurst = 4096;

}  // namespace

Memory::Memory(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      ports("port", parameters.ports),
      environment_(environment),
      parameters_(parameters),
      storage_(parameters.bytes),
      array_({.count = parameters.banks,
              .block_bytes = parameters.bank_word_bytes,
              .granule_bytes = parameters.bank_word_bytes,
              .bytes_per_second = parameters.bytes_per_second / parameters.banks}) {
  for (auto& port : ports) {
    port.register_b_transport(this, &Memory::b_transport);
    port.register_get_direct_mem_ptr(this, &Memory::get_direct_mem_ptr);
    port.register_transport_dbg(this, &Memory::transport_dbg);
  }
  storage_.set_coding(parameters.ecc_at_reset);
  storage_.on_withdraw([this](uint64_t first, uint64_t last) {
    for (auto& port : ports) port->invalidate_direct_mem_ptr(first, last);
  });
}

bool Memory::load(uint64_t offset, std::span<const uint8_t> image) {
  auto& memory = storage_.memory();
  if (!memory.contains(offset, image.size())) return false;
  std::copy(image.begin(), image.end(), memory.data() + offset);
  return true;
}

void Memory::reset() {
  if (!parameters_.ecc_at_reset) storage_.set_coding(false);
  array_.reset();
  counters_ = {};
}

sc_time Memory::wipe(uint64_t offset, uint64_t bytes) {
  if (!storage_.memory().contains(offset, bytes)) throw std::invalid_argument("wipe: outside of the memory");
  storage_.wipe(offset, bytes);
  const sc_time now = sc_core::sc_time_stamp();
  energy.count(bytes, now);
  return array_.reserve(now, offset, bytes, clock.stretch()).end - now;
}

sc_time Memory::scrub(uint64_t address, uint64_t bytes, sc_time begin) {
  if (!storage_.memory().contains(address, bytes)) throw std::invalid_argument("scrub: outside of the memory");
  sc_time at = begin;
  for (const uint64_t end = address + bytes; address < end;) {
    const uint64_t chunk = std::min(end - address, kScrubBurst - address % kScrubBurst);
    const uint64_t written = storage_.scrub(address, chunk);
    energy.count(chunk + written, at);
    at = array_.reserve(at, address, chunk, clock.stretch()).end;
    if (written > 0) at = array_.reserve(at, address, written, clock.stretch()).end;
    address += chunk;
  }
  return at + latency();
}

void Memory::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const auto response = storage_.access(payload, !parameters_.read_only);
  payload.set_response_status(response);
  if (response == tlm::TLM_COMMAND_ERROR_RESPONSE) {
    environment_.diagnostics().misuse(name(), fmt::format("write to read-only memory at {:#x}", payload.get_address()),
                                      base::sideband_of(payload).origin);
  }
  if (response != tlm::TLM_OK_RESPONSE) return;
  const sc_time now = sc_core::sc_time_stamp();
  energy.count(payload.get_data_length(), now + delay);
  const auto slot = array_.reserve(now + delay, payload.get_address(), payload.get_data_length(), clock.stretch());
  delay = slot.end + latency() - now;
  ++counters_.accesses;
  counters_.bytes += payload.get_data_length();
  if (slot.waited == sc_core::SC_ZERO_TIME) return;
  ++counters_.conflicts;
  counters_.waited += slot.waited;
}

bool Memory::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  return parameters_.dmi && storage_.offer(payload, !parameters_.read_only, latency(), dmi);
}

unsigned Memory::transport_dbg(tlm::tlm_generic_payload& payload) {
  return base::access_memory_debug(storage_.memory(), payload);
}

}  // namespace npuvp::memory
