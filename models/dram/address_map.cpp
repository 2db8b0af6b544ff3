// SPDX-License-Identifier: Apache-2.0
#include "models/dram/address_map.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <stdexcept>

namespace npuvp::dram {
namespace {

constexpr uint32_t kMaxAddressBits = 48;
constexpr size_t kMaxFieldBits = 20;

/// Rank of the masks as vectors over GF(2).
size_t rank_of(std::vector<uint64_t> masks) {
  size_t rank = 0;
  for (uint32_t bit = 0; bit < 64; ++bit) {
    size_t pivot = rank;
    while (pivot < masks.size() && (masks[pivot] >> bit & 1) == 0) ++pivot;
    if (pivot == masks.size()) continue;
    std::swap(masks[rank], masks[pivot]);
    for (size_t i = 0; i < masks.size(); ++i) {
      if (i != rank && (masks[i] >> bit & 1) != 0) masks[i] ^= masks[rank];
    }
    ++rank;
  }
  return rank;
}

}  // namespace

AddressMap::AddressMap(const Formula& formula, uint32_t transaction_bits) {
  std::vector<uint64_t> bits;
  for (size_t field = 0; field < kFields; ++field) {
    if (formula.fields[field].size() > kMaxFieldBits) {
      throw std::invalid_argument(fmt::format("{} has more than {} bits", kFieldNames[field], kMaxFieldBits));
    }
    shifts_[field] = static_cast<uint32_t>(bits.size());
    widths_[field] = static_cast<uint32_t>(formula.fields[field].size());
    bits.insert(bits.end(), formula.fields[field].begin(), formula.fields[field].end());
  }
  address_bits_ = transaction_bits + static_cast<uint32_t>(bits.size());
  if (bits.empty() || address_bits_ > kMaxAddressBits) {
    throw std::invalid_argument(
        fmt::format("the fields must have 1 to {} bits together", kMaxAddressBits - transaction_bits));
  }
  uint64_t used = 0;
  for (const uint64_t mask : bits) used |= mask;
  const uint64_t allowed = bytes() - (uint64_t{1} << transaction_bits);
  if ((used & ~allowed) != 0) {
    throw std::invalid_argument(
        fmt::format("address bit {} is outside of bits {} to {}, which the fields' {} bits cover",
                    std::countr_zero(used & ~allowed), transaction_bits, address_bits_ - 1, bits.size()));
  }
  if (rank_of(bits) != bits.size()) {
    throw std::invalid_argument("two addresses would share a place: the fields' bits are not independent");
  }
  const auto& stack = formula.fields[static_cast<size_t>(Field::kStackId)];
  for (size_t i = 0; i < stack.size(); ++i) {
    stack_on_top_ = stack_on_top_ && stack[i] == uint64_t{1} << (address_bits_ - stack.size() + i);
  }
  tables_.resize((address_bits_ + 7) / 8);
  for (size_t byte = 0; byte < tables_.size(); ++byte) {
    for (uint64_t value = 0; value < 256; ++value) {
      uint64_t packed = 0;
      for (size_t i = 0; i < bits.size(); ++i) {
        packed |= static_cast<uint64_t>(std::popcount(bits[i] & value << (8 * byte)) & 1) << i;
      }
      tables_[byte][value] = packed;
    }
  }
}

uint64_t AddressMap::bytes_on(uint32_t stack_ids) const {
  const uint64_t numbers = uint64_t{1} << width(Field::kStackId);
  if (numbers <= stack_ids) return bytes();
  return stack_on_top_ ? bytes() / numbers * stack_ids : 0;
}

AddressMap::Formula AddressMap::in_order(uint32_t lowest, const std::vector<std::pair<Field, uint32_t>>& widths) {
  Formula formula;
  for (const auto& [field, width] : widths) {
    for (uint32_t i = 0; i < width; ++i) {
      formula.fields[static_cast<size_t>(field)].push_back(uint64_t{1} << lowest++);
    }
  }
  return formula;
}

uint64_t AddressMap::parse_bit(const std::string& text) {
  uint64_t mask = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    uint32_t bit = 0;
    const auto [next, error] = std::from_chars(at, end, bit);
    if (error != std::errc{} || bit >= kMaxAddressBits || (next != end && *next != '^')) {
      throw std::invalid_argument(fmt::format(
          "'{}' is not an address bit from 0 to {}, or several joined by ^, like 13^19", text, kMaxAddressBits - 1));
    }
    mask ^= uint64_t{1} << bit;
    if (next == end) return mask;
    at = next + 1;
  }
}

uint64_t AddressMap::look_up(uint64_t address) const {
  uint64_t packed = 0;
  for (size_t byte = 0; byte < tables_.size(); ++byte) packed ^= tables_[byte][address >> (8 * byte) & 0xff];
  return packed;
}

Location AddressMap::location(uint64_t address, uint32_t& channel) const {
  const uint64_t packed = look_up(address);
  channel = take(packed, Field::kChannel);
  return {.row = take(packed, Field::kRow),
          .column = take(packed, Field::kColumn),
          .bank = static_cast<uint16_t>(take(packed, Field::kBank)),
          .bank_group = static_cast<uint16_t>(take(packed, Field::kBankGroup)),
          .stack_id = static_cast<uint16_t>(take(packed, Field::kStackId)),
          .pseudo_channel = static_cast<uint16_t>(take(packed, Field::kPseudoChannel))};
}

}  // namespace npuvp::dram
