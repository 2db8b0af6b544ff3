// SPDX-License-Identifier: Apache-2.0
#include "models/dram/dram.h"

#include <algorithm>
#include <stdexcept>

#include "models/base/memory_access.h"
#include "models/base/sideband.h"

namespace npuvp::dram {
namespace {

using sc_core::sc_time;

constexpr uint64_t kScrubBurst = 4096;

std::unique_ptr<Timing> make_timing(const Dram::Parameters& parameters) {
  if (parameters.jedec) return std::make_unique<JedecTiming>(*parameters.jedec);
  return std::make_unique<FastTiming>(parameters.fast);
}

}  // namespace

Dram::Dram(sc_core::sc_module_name name, base::Environment& /*environment*/, const Parameters& parameters)
    : sc_module(name),
      memory("memory"),
      parameters_(parameters),
      storage_(parameters.bytes),
      faults_(storage_),
      timing_(make_timing(parameters)) {
  memory.register_b_transport(this, &Dram::b_transport);
  memory.register_get_direct_mem_ptr(this, &Dram::get_direct_mem_ptr);
  memory.register_transport_dbg(this, &Dram::transport_dbg);
}

void Dram::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const uint64_t address = payload.get_address();
  const uint64_t bytes = payload.get_data_length();
  auto* const sideband = payload.get_extension<base::Sideband>();
  const bool poisoned_write = payload.is_write() && sideband != nullptr && sideband->poison;
  const bool check = (!faults_.empty() || poisoned_write) && bytes != 0 && storage_.contains(address, bytes);
  if (check && payload.is_write()) faults_.before_write(address, bytes);
  const auto response = base::access_memory(storage_, payload, true);
  payload.set_response_status(response);
  if (response != tlm::TLM_OK_RESPONSE) return;
  if (poisoned_write) {
    faults_.poison(address, bytes);
    memory->invalidate_direct_mem_ptr(0, storage_.size() - 1);
  }
  if (check && payload.is_read() && !faults_.after_read(address, {payload.get_data_ptr(), bytes})) {
    if (sideband == nullptr) {
      payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    } else {
      sideband->poison = true;
    }
  }
  const sc_time now = sc_core::sc_time_stamp();
  delay = timing_->access(now + delay, address, bytes, payload.is_write()) - now;
}

bool Dram::get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) {
  // Direct accesses would not see the errors.
  if (!parameters_.dmi || !faults_.empty()) return false;
  base::offer_memory(storage_, true, parameters_.fast.latency, dmi);
  return true;
}

unsigned Dram::transport_dbg(tlm::tlm_generic_payload& payload) {
  return base::access_memory_debug(storage_, payload);
}

void Dram::clear() {
  storage_.clear();
  faults_.clear();
}

void Dram::inject_error(uint64_t address, unsigned bit) {
  faults_.flip(address, bit);
  memory->invalidate_direct_mem_ptr(0, storage_.size() - 1);
}

sc_time Dram::scrub(uint64_t address, uint64_t bytes, sc_time begin) {
  if (!storage_.contains(address, bytes)) throw std::invalid_argument("DRAM scrub: outside of the memory");
  sc_time at = begin;
  for (const uint64_t end = address + bytes; address < end;) {
    const uint64_t chunk = std::min(end - address, kScrubBurst - address % kScrubBurst);
    at = timing_->access(at, address, chunk, false);
    const uint64_t written = faults_.scrub(address, chunk);
    if (written > 0) at = timing_->access(at, address, written, true);
    address += chunk;
  }
  return at;
}

}  // namespace npuvp::dram
