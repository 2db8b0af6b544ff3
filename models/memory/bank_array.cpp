// SPDX-License-Identifier: Apache-2.0
#include "models/memory/bank_array.h"

#include <algorithm>
#include <stdexcept>

namespace npuvp::memory {

using sc_core::sc_time;

namespace {

double rate_of_bank(const BankArray::Parameters& parameters) {
  if (parameters.banks == 0 || parameters.word_bytes == 0 || !(parameters.bytes_per_second > 0)) {
    throw std::invalid_argument("a memory needs banks, words and a rate above 0");
  }
  return parameters.bytes_per_second / parameters.banks;
}

}  // namespace

BankArray::BankArray(const Parameters& parameters)
    : word_bytes_(parameters.word_bytes),
      banks_(parameters.banks, base::Timeline(rate_of_bank(parameters))),
      common_(rate_of_bank(parameters)) {}

BankArray::Slot BankArray::reserve(sc_time arrival, uint64_t address, uint64_t bytes, unsigned stretch) {
  const uint64_t first = address / word_bytes_;
  const uint64_t words = (address + bytes - 1) / word_bytes_ - first + 1;
  const uint64_t each = words / banks_.size();
  const uint64_t more = words % banks_.size();  // banks from that of the first word on that have one word more
  // What lies in the past binds nobody, so an idle array is in step again.
  if (!in_step_ && last_end_ <= sc_core::sc_time_stamp()) {
    reset();
  }
  const auto duration = [&](uint64_t words_of_bank) {
    return sc_time::from_value(common_.duration_of(words_of_bank * word_bytes_).value() * stretch);
  };
  const sc_time longest = duration(each + (more > 0 ? 1 : 0));
  Slot slot{arrival, {}};
  if (more == 0 && in_step_) {
    slot.end = common_.reserve(arrival, longest).end;
  } else {
    leave_step();
    for (uint64_t i = 0; i < std::min<uint64_t>(words, banks_.size()); ++i) {
      auto& bank = banks_[(first + i) % banks_.size()];
      slot.end = std::max(slot.end, bank.reserve(arrival, duration(each + (i < more ? 1 : 0))).end);
    }
  }
  slot.waited = slot.end - arrival - longest;
  last_end_ = std::max(last_end_, slot.end);
  return slot;
}

void BankArray::leave_step() {
  if (!in_step_) return;
  std::fill(banks_.begin(), banks_.end(), common_);
  in_step_ = false;
}

void BankArray::reset() {
  common_.reset();
  for (auto& bank : banks_) bank.reset();
  in_step_ = true;
}

}  // namespace npuvp::memory
