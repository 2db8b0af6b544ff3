// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/pcie/config_space.h"

namespace npuvp::tests {

/// A register as a reader of the specification would describe it; offset relative to the structure.
struct Row {
  unsigned offset;
  unsigned bytes;
  uint64_t reset = 0;
  uint64_t writable = 0;  ///< RW and RWS.
  uint64_t w1c = 0;       ///< RW1C and RW1CS.
  uint64_t sticky = 0;    ///< RWS, RW1CS, ROS: only a fundamental reset changes it.
  uint64_t flr = 0;       ///< Also kept by a function-level reset (6.6.2).
  uint64_t state = 0;     ///< Tells of the link or slot: no reset changes it.
};

/// Checks every bit of a structure against its table, through configuration space.
class CapabilityTable {
 public:
  /// `bank` is the structure at `base` of `space`, `bytes` long. Bytes without a row are reserved: they read 0.
  CapabilityTable(pcie::ConfigSpace& space, base::RegisterBank& bank, unsigned base, unsigned bytes,
                  std::vector<Row> rows)
      : space_(space), bank_(bank), base_(base), bytes_(bytes), rows_(std::move(rows)) {}

  void check() {
    check_places();
    space_.reset(pcie::ResetKind::kFundamental);
    expect_contents("after reset", {});
    for (const auto& row : rows_) {
      SCOPED_TRACE("register at " + hex(row.offset));
      check_writes(row);
      check_writes_after_hardware(row);
      check_write_one_to_clear(row);
      check_resets(row);
    }
    check_reserved_bytes();
  }

 private:
  static std::string hex(uint64_t value) {
    std::ostringstream text;
    text << "0x" << std::hex << value;
    return text.str();
  }
  static uint64_t all(const Row& row) { return row.bytes == 8 ? ~0ULL : (1ULL << (8 * row.bytes)) - 1; }

  uint64_t read(unsigned offset, unsigned bytes) {
    uint64_t value = 0;
    space_.read(base_ + offset, {reinterpret_cast<uint8_t*>(&value), bytes}, {});
    return value;
  }
  void write(unsigned offset, unsigned bytes, uint64_t value) {
    space_.write(base_ + offset, {reinterpret_cast<const uint8_t*>(&value), bytes}, {});
  }
  /// What hardware does to a register.
  void set(const Row& row, uint64_t value) {
    for (auto* each : bank_.registers()) {
      if (each->info().offset == row.offset) each->set(value);
    }
  }

  void check_places() {
    std::vector<bool> taken(bytes_);
    for (const auto& row : rows_) {
      ASSERT_LE(row.offset + row.bytes, bytes_) << hex(row.offset);
      for (unsigned at = row.offset; at < row.offset + row.bytes; ++at) {
        EXPECT_FALSE(taken[at]) << "two rows for byte " << hex(at);
        taken[at] = true;
      }
    }
  }

  /// The whole structure is as after a reset but for `changed`, whose register holds `value`.
  void expect_contents(const char* when, const Row* changed, uint64_t value = 0) {
    std::vector<uint8_t> expected(bytes_);
    for (const auto& row : rows_) {
      const uint64_t content = &row == changed ? value : row.reset;
      for (unsigned at = 0; at < row.bytes; ++at) expected[row.offset + at] = static_cast<uint8_t>(content >> (8 * at));
    }
    for (unsigned at = 0; at < bytes_; ++at) {
      EXPECT_EQ(hex(read(at, 1)), hex(expected[at])) << "byte " << hex(at) << " " << when;
    }
  }

  void check_writes(const Row& row) {
    write(row.offset, row.bytes, all(row));
    expect_contents("after ones", &row, row.reset | row.writable);
    write(row.offset, row.bytes, 0);
    expect_contents("after zeros", &row, row.reset & ~row.writable);
    space_.reset(pcie::ResetKind::kFundamental);
    for (unsigned at = 0; at < row.bytes; ++at) {
      write(row.offset + at, 1, 0xff);
      expect_contents("after a byte of ones", &row, row.reset | (row.writable & 0xffULL << (8 * at)));
      space_.reset(pcie::ResetKind::kFundamental);
    }
  }

  /// What hardware has set is only for RW1C to clear.
  void check_writes_after_hardware(const Row& row) {
    const uint64_t before = row.reset ^ (row.w1c | row.sticky | row.state);
    set(row, before);
    write(row.offset, row.bytes, 0);
    expect_contents("after zeros", &row, before & ~row.writable);
    set(row, before);
    write(row.offset, row.bytes, all(row));
    expect_contents("after ones", &row, (before | row.writable) & ~row.w1c);
    space_.reset(pcie::ResetKind::kFundamental);
    set(row, row.reset);
  }

  void check_write_one_to_clear(const Row& row) {
    for (unsigned bit = 0; bit < 8 * row.bytes; ++bit) {
      if ((row.w1c >> bit & 1) == 0) continue;
      set(row, row.reset | row.w1c);
      write(row.offset, row.bytes, row.reset & row.writable);
      EXPECT_EQ(hex(read(row.offset, row.bytes)), hex(row.reset | row.w1c)) << "a 0 must not clear";
      write(row.offset, row.bytes, (row.reset & row.writable) | 1ULL << bit);
      EXPECT_EQ(hex(read(row.offset, row.bytes)), hex((row.reset | row.w1c) & ~(1ULL << bit))) << "bit " << bit;
    }
    space_.reset(pcie::ResetKind::kFundamental);
    set(row, row.reset);
  }

  void check_resets(const Row& row) {
    using pcie::ResetKind;
    struct Case {
      ResetKind kind;
      const char* name;
      uint64_t kept;
    };
    const Case cases[] = {{ResetKind::kHot, "after a hot reset", row.sticky | row.state},
                          {ResetKind::kFunctionLevel, "after an FLR", row.sticky | row.flr | row.state},
                          {ResetKind::kFundamental, "after a fundamental reset", row.state}};
    for (const auto& each : cases) {
      // Inverted where it may change, so that a bit whose reset value is 1 is seen to come back or to stay 0.
      const uint64_t may_change = row.writable | row.w1c | row.sticky | row.state;
      const uint64_t before = row.reset ^ may_change;
      set(row, before);
      space_.reset(each.kind);
      expect_contents(each.name, &row, (before & each.kept) | (row.reset & ~each.kept));
      set(row, row.reset);
    }
  }

  void check_reserved_bytes() {
    std::vector<bool> taken(bytes_);
    for (const auto& row : rows_) std::fill_n(taken.begin() + row.offset, row.bytes, true);
    for (unsigned at = 0; at < bytes_; ++at) {
      if (!taken[at]) write(at, 1, 0xff);
    }
    expect_contents("after ones to reserved bytes", nullptr);
  }

  pcie::ConfigSpace& space_;
  base::RegisterBank& bank_;
  unsigned base_;
  unsigned bytes_;
  std::vector<Row> rows_;
};

/// A configuration space with nothing but `capability` in it, at the first place of its list.
inline void check_capability(pcie::Capability& capability, bool is_extended, const std::vector<Row>& rows) {
  base::Environment environment;
  pcie::Type0Registers header(environment, "type0", base::RegisterBank::Rules::kBytewise);
  pcie::ConfigSpace space(header);
  const unsigned offset = is_extended ? pcie::ConfigSpace::kExtendedCapabilities : pcie::ConfigSpace::kCapabilities;
  space.add(capability, offset);
  CapabilityTable(space, capability.bank(), offset, capability.bytes(), rows).check();
}

}  // namespace npuvp::tests
