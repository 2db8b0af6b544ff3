// SPDX-License-Identifier: Apache-2.0
#include "models/base/ecc_storage.h"

#include <algorithm>

#include "models/base/memory_access.h"
#include "models/base/sideband.h"

namespace npuvp::base {
namespace {

/// What direct access is refused for around an error: a page of those who keep pointers.
constexpr uint64_t kGranule = 4096;

constexpr uint64_t kWord = 8;

}  // namespace

tlm::tlm_response_status EccStorage::access(tlm::tlm_generic_payload& payload, bool writable) {
  const uint64_t address = payload.get_address();
  const uint64_t bytes = payload.get_data_length();
  auto* const sideband = payload.get_extension<Sideband>();
  const bool poisoned = payload.is_write() && writable && sideband != nullptr && sideband->poison;
  if (unwritten_words_ != 0 && bytes != 0 && memory_.contains(address, bytes)) {
    meet_unwritten(address, bytes, payload.is_write() && writable);
  }
  if (!faults_.empty() && sideband != nullptr) sideband->lend_bytes = 0;  // a reader is not to see what is stored
  if (!coding_) return access_uncoded(payload, writable);
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

tlm::tlm_response_status EccStorage::access_uncoded(tlm::tlm_generic_payload& payload, bool writable) {
  const auto response = access_memory(memory_, payload, writable);
  if (response != tlm::TLM_OK_RESPONSE || faults_.empty()) return response;
  if (payload.is_read()) {
    faults_.apply(payload.get_address(), {payload.get_data_ptr(), payload.get_data_length()});
  } else {
    const uint64_t first = (payload.get_address() + kWord - 1) / kWord * kWord;
    const uint64_t last = (payload.get_address() + payload.get_data_length()) / kWord * kWord;
    if (first < last) faults_.forget(first, last - first);
  }
  return response;
}

void EccStorage::set_coding(bool on) {
  if (on == coding_) return;
  coding_ = on;
  unwritten_words_ = on ? size() / kWord : 0;
  unwritten_.assign(unwritten_words_, true);
  if (on) faults_.forget(0, size());
  withdraw(0, size());
}

void EccStorage::meet_unwritten(uint64_t address, uint64_t bytes, bool write) {
  const uint64_t end = address + bytes;
  for (uint64_t word = address / kWord; word * kWord < end; ++word) {
    if (!unwritten_[word]) continue;
    const bool in_full = write && word * kWord >= address && (word + 1) * kWord <= end;
    if (!in_full) faults_.poison(word * kWord, kWord);
    unwritten_[word] = false;
    --unwritten_words_;
  }
}

bool EccStorage::offer(const tlm::tlm_generic_payload& payload, bool writable, sc_core::sc_time latency,
                       tlm::tlm_dmi& dmi) {
  if (unwritten_words_ != 0) return false;
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
  if (unwritten_words_ != 0) {
    meet_unwritten(address, bytes, true);
    withdraw(address, bytes);
  }
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
