// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/msix_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace npuvp::pcie {
namespace {

// Layout of a table entry.
constexpr unsigned kEntryBytes = 16;
constexpr unsigned kAddress = 0;
constexpr unsigned kData = 8;
constexpr unsigned kVectorControl = 12;
constexpr uint8_t kMaskBit = 1;

/// Bits of byte `index` of an entry that software can write: the address is aligned to 4, of vector control only the
/// mask is defined.
uint8_t writable_bits(uint64_t index) {
  if (index == kAddress) return 0xfc;
  if (index < kVectorControl) return 0xff;
  return index == kVectorControl ? kMaskBit : 0;
}

}  // namespace

MsixTable::MsixTable(const MsixCapability& capability, Send send, std::function<bool()> blocked)
    : capability_(capability), send_(std::move(send)), blocked_(std::move(blocked)) {
  const auto& parameters = capability.parameters();
  table_.resize(parameters.vectors * size_t{kEntryBytes});
  pending_.resize((parameters.vectors + 63) / 64 * size_t{8});
  table_place_ = {parameters.table_bar, parameters.table_offset, table_.size()};
  pending_place_ = {parameters.pending_bar, parameters.pending_offset, pending_.size()};
  reset();
}

void MsixTable::reset() {
  std::fill(table_.begin(), table_.end(), uint8_t{0});
  std::fill(pending_.begin(), pending_.end(), uint8_t{0});
  for (size_t entry = 0; entry < table_.size(); entry += kEntryBytes) table_[entry + kVectorControl] = kMaskBit;
}

uint64_t MsixTable::field(unsigned vector, unsigned offset, unsigned bytes) const {
  uint64_t value = 0;
  std::memcpy(&value, &table_[size_t{vector} * kEntryBytes + offset], bytes);
  return value;
}

bool MsixTable::masked(unsigned vector) const {
  return (table_[size_t{vector} * kEntryBytes + kVectorControl] & kMaskBit) != 0;
}

bool MsixTable::is_pending(unsigned vector) const {
  return (pending_[vector / 8] >> (vector % 8) & 1) != 0;
}

void MsixTable::set_pending(unsigned vector, bool pending) {
  const unsigned bit = 1u << (vector % 8);
  const unsigned byte = pending_[vector / 8];
  pending_[vector / 8] = static_cast<uint8_t>(pending ? byte | bit : byte & ~bit);
}

void MsixTable::raise(unsigned vector) {
  sc_assert(vector < capability_.parameters().vectors);
  if (capability_.registers.MESSAGE_CONTROL.ENABLE.get() == 0) return;
  if (capability_.may_send() && !masked(vector) && !blocked_()) {
    send(vector);
  } else {
    set_pending(vector, true);
  }
}

void MsixTable::send(unsigned vector) {
  set_pending(vector, false);
  send_(field(vector, kAddress, 8), static_cast<uint32_t>(field(vector, kData, 4)));
}

void MsixTable::update() {
  if (!capability_.may_send() || blocked_()) return;
  for (unsigned vector = 0; vector < capability_.parameters().vectors; ++vector) {
    if (is_pending(vector) && !masked(vector)) send(vector);
  }
}

bool MsixTable::covers(unsigned bar, uint64_t offset, uint64_t bytes) const {
  const auto overlaps = [&](const Place& place) {
    return bar == place.bar && offset < place.offset + place.bytes && place.offset < offset + bytes;
  };
  return overlaps(table_place_) || overlaps(pending_place_);
}

void MsixTable::read(unsigned bar, uint64_t offset, std::span<uint8_t> data) const {
  for (size_t byte = 0; byte < data.size(); ++byte) {
    data[byte] = 0;
    if (const auto at = table_place_.index(bar, offset + byte)) data[byte] = table_[*at];
    if (const auto at = pending_place_.index(bar, offset + byte)) data[byte] = pending_[*at];
  }
}

void MsixTable::write(unsigned bar, uint64_t offset, std::span<const uint8_t> data) {
  for (size_t byte = 0; byte < data.size(); ++byte) {
    const auto at = table_place_.index(bar, offset + byte);
    if (!at) continue;
    const uint8_t writable = writable_bits(*at % kEntryBytes);
    table_[*at] = static_cast<uint8_t>((table_[*at] & ~writable) | (data[byte] & writable));
  }
  update();
}

}  // namespace npuvp::pcie
