// SPDX-License-Identifier: Apache-2.0
#include "models/base/ecc_storage.h"

#include <algorithm>

#include "models/base/memory_access.h"
#include "models/base/sideband.h"

namespace npuvp::base {
namespace {

/// What direct access is refused for around an error: a page of those who keep pointers.
constexpr uint64_t kGranule = 4096;

}  // namespace

tlm::tlm_response_status EccStorage::access(tlm::tlm_generic_payload& payload, bool writable) {
  const uint64_t address = payload.get_address();
  const uint64_t bytes = payload.get_data_length();
  auto* const sideband = payload.get_extension<Sideband>();
  const bool poisoned = payload.is_write() && writable && sideband != nullptr && sideband->poison;
  if (faults_.empty() && !poisoned) return access_memory(memory_, payload, writable);

  const size_t errors = faults_.size();
  const bool inside = bytes != 0 && memory_.contains(address, bytes);
  if (inside && payload.is_write() && writable) faults_.before_write(address, bytes);
  auto response = access_memory(memory_, payload, writable);
  if (response != tlm::TLM_OK_RESPONSE) return response;
  if (poisoned) faults_.poison(address, bytes);
  if (faults_.size() != errors) withdraw(address, bytes);
  if (payload.is_read() && !faults_.after_read(address, {payload.get_data_ptr(), bytes})) {
    if (sideband == nullptr) return tlm::TLM_GENERIC_ERROR_RESPONSE;
    sideband->poison = true;
  }
  return response;
}

bool EccStorage::offer(const tlm::tlm_generic_payload& payload, bool writable, sc_core::sc_time latency,
                       tlm::tlm_dmi& dmi) {
  uint64_t first = 0;
  uint64_t last = memory_.size() - 1;
  if (!faults_.empty()) {
    const uint64_t granule = payload.get_address() / kGranule * kGranule;
    const auto above = faults_.next(granule);
    if (above) {
      if (*above - granule < kGranule) return false;
      last = *above / kGranule * kGranule - 1;
    }
    if (const auto below = faults_.previous(granule)) first = (*below / kGranule + 1) * kGranule;
  }
  offer_memory(memory_, writable, latency, dmi);
  dmi.set_dmi_ptr(dmi.get_dmi_ptr() + first);
  dmi.set_start_address(first);
  dmi.set_end_address(last);
  return true;
}

void EccStorage::inject(uint64_t address, unsigned bit) {
  faults_.flip(address, bit);
  withdraw(address, 1);
}

uint64_t EccStorage::scrub(uint64_t address, uint64_t bytes) {
  const uint64_t written = faults_.scrub(address, bytes);
  if (written > 0) withdraw(address, bytes);
  return written;
}

void EccStorage::clear() {
  faults_.clear();
  wipe();
}

void EccStorage::wipe(uint64_t address, uint64_t bytes) {
  if (!faults_.empty()) {
    faults_.before_write(address, bytes);
    withdraw(address, bytes);
  }
  memory_.clear(address, bytes);
}

void EccStorage::withdraw(uint64_t address, uint64_t bytes) {
  const uint64_t first = address / kGranule * kGranule;
  const uint64_t last = std::min(memory_.size(), (address + bytes + kGranule - 1) / kGranule * kGranule) - 1;
  if (withdraw_) withdraw_(first, last);
}

}  // namespace npuvp::base
