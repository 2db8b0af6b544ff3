// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/dram/command.h"

namespace npuvp::dram {

/// Fields of a transaction's place.
enum class Field : uint8_t { kChannel, kPseudoChannel, kStackId, kBankGroup, kBank, kRow, kColumn };
constexpr size_t kFields = 7;
constexpr std::array<const char*, kFields> kFieldNames{"channel", "pseudo_channel", "stack_id", "bank_group", "bank",
                                                       "row",     "column"};

/// From a byte address to channel, pseudo-channel, stack id, bank group, bank, row and column, bit by bit: every bit of
/// a field is the XOR of some address bits.
class AddressMap {
 public:
  /// For every field its bits, lowest first, each a mask of the address bits that are XORed.
  struct Formula {
    std::array<std::vector<uint64_t>, kFields> fields;
  };

  /// `transaction_bits`: address bits inside a transaction, which no formula may use. Throws std::invalid_argument for
  /// fields that are too wide, and when two addresses would share a place or a place would have no address.
  AddressMap(const Formula& formula, uint32_t transaction_bits);

  /// Bits from `lowest` on dealt out in the order given: the usual maps without hashing.
  static Formula in_order(uint32_t lowest, const std::vector<std::pair<Field, uint32_t>>& widths);

  /// "13^19" or "7" -> mask. Throws std::invalid_argument with the reason.
  static uint64_t parse_bit(const std::string& text);

  [[nodiscard]] uint32_t channel(uint64_t address) const { return take(look_up(address), Field::kChannel); }
  [[nodiscard]] Location location(uint64_t address, uint32_t& channel) const;

  /// Bytes that the map covers; addresses beyond wrap around.
  [[nodiscard]] uint64_t bytes() const { return uint64_t{1} << address_bits_; }
  /// Bytes from 0 on whose stack ids are below `stack_ids`. For a number that is no power of two (three of RNGD's HBM3)
  /// the stack id must be the topmost address bits as they are; otherwise the answer is 0.
  [[nodiscard]] uint64_t bytes_on(uint32_t stack_ids) const;
  [[nodiscard]] uint32_t width(Field field) const { return widths_[static_cast<size_t>(field)]; }

 private:
  [[nodiscard]] uint64_t look_up(uint64_t address) const;
  [[nodiscard]] uint32_t take(uint64_t packed, Field field) const {
    const auto i = static_cast<size_t>(field);
    return static_cast<uint32_t>(packed >> shifts_[i] & ((uint64_t{1} << widths_[i]) - 1));
  }

  // A XOR map is linear: the packed fields of an address are the XOR of those of its bytes.
  std::vector<std::array<uint64_t, 256>> tables_;
  std::array<uint32_t, kFields> shifts_{};
  std::array<uint32_t, kFields> widths_{};
  uint32_t address_bits_ = 0;
  bool stack_on_top_ = true;  // the stack id is the topmost address bits
};

}  // namespace npuvp::dram
