// SPDX-License-Identifier: Apache-2.0
#include "tests/models/pcie/checker/memories.h"

#include <algorithm>

namespace npuvp::tests::checker {
namespace {

/// Finaliser of splitmix64: neighbours differ in all bits.
uint64_t mix(uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ value >> 27) * 0x94d0'49bb'1331'11eb;
  return value ^ value >> 31;
}

}  // namespace

uint8_t& PatternMemory::at(uint64_t offset) {
  const uint64_t number = offset / 4096;
  if (number != last_number_) {
    const auto [found, is_new] = pages_.try_emplace(number);
    if (is_new) {
      for (uint64_t index = 0; index < 4096; ++index) {
        found->second[index] = static_cast<uint8_t>(mix(salt_ << 40 ^ (number * 4096 + index)));
      }
    }
    last_number_ = number;
    last_ = &found->second;
  }
  return (*last_)[offset % 4096];
}

CardMemory::CardMemory(sc_core::sc_module_name name, const Card& card, uint64_t salt, std::vector<Touch>& touches)
    : sc_module(name), bar0("bar0"), bar2("bar2"), card_(card), salt_(salt), touches_(touches) {
  bar0.register_b_transport(this, &CardMemory::transport, 0);
  bar2.register_b_transport(this, &CardMemory::transport, 2);
}

PatternMemory& CardMemory::memory(unsigned function, unsigned bar) {
  return memories_.try_emplace({function, bar}, salt_ << 8 ^ function << 2 ^ bar).first->second;
}

void CardMemory::transport(int bar, tlm::tlm_generic_payload& payload, sc_core::sc_time& /*delay*/) {
  const unsigned function = base::sideband_of(payload).function;
  const uint64_t offset = payload.get_address();
  const uint64_t bytes = payload.get_data_length();
  touches_.push_back({.card = &card_,
                      .function = function,
                      .bar = static_cast<unsigned>(bar),
                      .offset = offset,
                      .bytes = bytes,
                      .is_write = payload.is_write()});
  if (is_absent(offset)) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  if (aborts(offset)) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  PatternMemory& memory = this->memory(function, static_cast<unsigned>(bar));
  uint8_t* data = payload.get_data_ptr();
  for (uint64_t index = 0; index < bytes; ++index) {
    if (payload.is_write()) {
      memory.at(offset + index) = data[index];
    } else {
      data[index] = memory.at(offset + index);
    }
  }
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

bool RecordingHost::record(uint64_t address, uint64_t bytes, bool is_write) {
  if (address < kBase || address - kBase > kSize || bytes > kSize - (address - kBase)) return false;
  touches_.push_back({.offset = address - kBase, .bytes = bytes, .is_write = is_write});
  return true;
}

bool RecordingHost::dma_read(uint64_t address, std::span<uint8_t> data) {
  if (!record(address, data.size(), false)) return false;
  std::ranges::generate(data, [&, offset = address - kBase]() mutable { return memory.at(offset++); });
  return true;
}

bool RecordingHost::dma_write(uint64_t address, std::span<const uint8_t> data) {
  if (!record(address, data.size(), true)) return false;
  for (uint64_t index = 0; index < data.size(); ++index) memory.at(address - kBase + index) = data[index];
  return true;
}

}  // namespace npuvp::tests::checker
