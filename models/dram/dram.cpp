// SPDX-License-Identifier: Apache-2.0
#include "models/dram/dram.h"

#include <algorithm>
#include <stdexcept>

#include "models/base/memory_access.h"
#include "models/base/sideband.h"

namespace npuvp::dram {
namespace {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

constexpr uint64_t kScrubBurst = Patrol::kBurstBytes;

std::unique_ptr<Timing> make_timing(const Dram::Parameters& parameters) {
  if (parameters.jedec) {
    auto timing = std::make_unique<JedecTiming>(*parameters.jedec);
    if (timing->bytes() < parameters.bytes) {
      throw std::invalid_argument("DRAM: the address map does not reach all of it with the part's stack ids");
    }
    return timing;
  }
  return std::make_unique<FastTiming>(parameters.fast);
}

}  // namespace

Dram::Dram(sc_core::sc_module_name name, base::Environment& /*environment*/, const Parameters& parameters)
    : sc_module(name),
      memory("memory"),
      parameters_(parameters),
      storage_(parameters.bytes),
      timing_(make_timing(parameters)) {
  memory.register_b_transport(this, &Dram::b_transport);
  memory.register_get_direct_mem_ptr(this, &Dram::get_direct_mem_ptr);
  memory.register_transport_dbg(this, &Dram::transport_dbg);
  storage_.on_withdraw([this](uint64_t first, uint64_t last) {
    memory->invalidate_direct_mem_ptr(first, last);
    await_patrol();
  });
  if (parameters.patrol_period == sc_core::SC_ZERO_TIME) return;
  patrol_.emplace(parameters.bytes, parameters.patrol_period);
  SC_METHOD(patrol_error);
  sensitive << patrol_event_;
  dont_initialize();
}

sc_time Dram::access(sc_time begin, uint64_t address, uint64_t bytes, bool write) {
  energy.count(bytes, begin);
  return timing_->access(begin, address, bytes, write);
}

void Dram::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const auto response = storage_.access(payload, true);
  payload.set_response_status(response);
  if (response != tlm::TLM_OK_RESPONSE) return;
  const sc_time now = sc_time_stamp();
  if (patrol_) {
    const auto due = patrol_->take_due(now + delay);
    if (due) (void)access(std::max(now, patrol_->time_of(*due)), patrol_->address_of(*due), kScrubBurst, false);
  }
  delay = access(now + delay, payload.get_address(), payload.get_data_length(), payload.is_write()) - now;
}

bool Dram::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  return parameters_.dmi && storage_.offer(payload, true, parameters_.fast.latency, dmi);
}

unsigned Dram::transport_dbg(tlm::tlm_generic_payload& payload) {
  return base::access_memory_debug(storage_.memory(), payload);
}

void Dram::clear() {
  storage_.clear();
}

void Dram::inject_error(uint64_t address, unsigned bit) {
  met_.erase(address / sizeof(uint64_t) * sizeof(uint64_t));
  storage_.inject(address, bit);
}

sc_time Dram::scrub(uint64_t address, uint64_t bytes, sc_time begin) {
  if (!storage_.memory().contains(address, bytes)) throw std::invalid_argument("DRAM scrub: outside of the memory");
  sc_time at = begin;
  for (const uint64_t end = address + bytes; address < end;) {
    const uint64_t chunk = std::min(end - address, kScrubBurst - address % kScrubBurst);
    at = access(at, address, chunk, false);
    const uint64_t written = storage_.scrub(address, chunk);
    if (written > 0) at = access(at, address, written, true);
    address += chunk;
  }
  return at;
}

uint64_t Dram::patrolled_bytes() const {
  return patrol_ ? patrol_->bursts_until(sc_time_stamp()) * kScrubBurst : 0;
}

/// An event only while there is an error that the patrol has not met: the next one that it comes to.
void Dram::await_patrol() {
  if (!patrol_) return;
  patrol_event_.cancel();
  const auto& faults = storage_.faults();
  std::erase_if(met_, [&](uint64_t word) { return !faults.contains(word); });
  std::optional<sc_time> first;
  for (auto word = faults.next(0); word; word = faults.next(*word + 1)) {
    if (met_.contains(*word)) continue;
    const sc_time visit = patrol_->next_visit(*word, sc_time_stamp());
    first = std::min(first.value_or(visit), visit);
  }
  if (first) patrol_event_.notify(*first - sc_time_stamp());
}

void Dram::patrol_error() {
  const uint64_t burst = patrol_->bursts_until(sc_time_stamp()) - 1;
  const uint64_t address = patrol_->address_of(burst);
  storage_.scrub(address, kScrubBurst);
  const auto& faults = storage_.faults();
  for (auto word = faults.next(address); word && *word - address < kScrubBurst; word = faults.next(*word + 1)) {
    met_.insert(*word);
  }
  await_patrol();
}

}  // namespace npuvp::dram
