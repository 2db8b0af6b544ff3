// SPDX-License-Identifier: Apache-2.0
#include "models/base/register_bank.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace npuvp::base {
namespace {

const Origin kHart{Origin::Kind::kHart, 0, 0x80};

class FlagsRegister final : public Register {
 public:
  using Register::Register;
  Field BUSY{*this, 0, 0x1};
  Field DONE{*this, 1, 0x2};
  Field LEVEL{*this, 4, 0xf0};
};

/// One register of each access kind, and one with a mix.
class TestBank final : public RegisterBank {
 public:
  explicit TestBank(Environment& environment, Rules rules = Rules::kStrict)
      : RegisterBank(environment, "bank", 0x100, rules) {}

  static constexpr FieldInfo kFlagsFields[] = {{"BUSY", 0, 0x1}, {"DONE", 1, 0x2}, {"LEVEL", 4, 0xf0}};

  // Declared out of order on purpose: registers() is in order of offset.
  Register WIDE{*this, {"WIDE", 0x18, 8, 0x1122334455667788, {.rw = ~0ULL}, {}, 0, false}};
  Register RW{*this, {"RW", 0x0, 4, 0x11, {.rw = 0xffffffff}, {}, 0, false}};
  Register RO{*this, {"RO", 0x4, 4, 0x22, {.ro = 0xffffffff}, {}, 0, false}};
  Register WO{*this, {"WO", 0x8, 4, 0, {.wo = 0xffffffff}, {}, 0, false}};
  Register W1S{*this, {"W1S", 0xc, 4, 0x1, {.w1s = 0xff}, {}, 0, false}};
  Register RC{*this, {"RC", 0x10, 4, 0x5, {.rc = 0xffffffff}, {}, 0, true}};
  FlagsRegister FLAGS{*this, {"FLAGS", 0x14, 4, 0x1, {.rw = 0xf0, .ro = 0x1, .w1c = 0x2}, kFlagsFields, 0, false}};
  Register BYTE{*this, {"BYTE", 0x20, 1, 0, {.rw = 0xff}, {}, 0, false}};
  std::array<Register, 2> ARRAY{{Register{*this, {"ARRAY[0]", 0x30, 4, 0, {.rw = 0xffffffff}, {}, 0, false}},
                                 Register{*this, {"ARRAY[1]", 0x38, 4, 0, {.rw = 0xffffffff}, {}, 1, false}}}};
};

class RegisterBankTest : public testing::Test {
 protected:
  RegisterBankTest() { environment.set_log_level("all", spdlog::level::off); }

  template <typename Value>
  bool write(uint64_t offset, Value value) {
    std::array<uint8_t, sizeof(Value)> data;
    std::memcpy(data.data(), &value, sizeof(Value));
    return bank.write(offset, data, kHart);
  }
  template <typename Value>
  Value read(uint64_t offset) {
    std::array<uint8_t, sizeof(Value)> data;
    ok = bank.read(offset, data, kHart);
    Value value;
    std::memcpy(&value, data.data(), sizeof(Value));
    return value;
  }
  [[nodiscard]] uint64_t misuses() const { return environment_misuses(); }
  [[nodiscard]] uint64_t environment_misuses() const {
    return const_cast<Environment&>(environment).diagnostics().misuse_count();
  }

  Environment environment;
  TestBank bank{environment};
  bool ok = false;
};

TEST_F(RegisterBankTest, KeepsRegistersInOrderOfOffset) {
  uint64_t last = 0;
  for (const auto* each : bank.registers()) {
    EXPECT_GE(each->info().offset, last);
    last = each->info().offset;
  }
  EXPECT_EQ(bank.registers().size(), 10U);
}

TEST_F(RegisterBankTest, ReadWriteTakesTheValueAndResets) {
  EXPECT_EQ(read<uint32_t>(0x0), 0x11U);
  EXPECT_TRUE(write(0x0, 0xdeadbeefU));
  EXPECT_EQ(read<uint32_t>(0x0), 0xdeadbeefU);
  bank.reset();
  EXPECT_EQ(read<uint32_t>(0x0), 0x11U);
  EXPECT_EQ(misuses(), 0U);
}

TEST_F(RegisterBankTest, ReadOnlyKeepsItsValueAndReportsAChange) {
  EXPECT_TRUE(write(0x4, 0x22U));
  EXPECT_EQ(misuses(), 0U);
  EXPECT_TRUE(write(0x4, 0x23U));
  EXPECT_EQ(misuses(), 1U);
  EXPECT_EQ(environment.diagnostics().last_misuse(),
            "bank.RO: write of 0x23 to a read-only register, by hart 0 at pc 0x80");
  EXPECT_EQ(read<uint32_t>(0x4), 0x22U);
}

TEST_F(RegisterBankTest, WriteOnlyReachesItsHookAndReadsZero) {
  uint64_t seen = 0;
  bank.WO.on_write([&seen](const RegisterWrite& write) { seen = write.written; });
  EXPECT_TRUE(write(0x8, 0x77U));
  EXPECT_EQ(seen, 0x77U);
  EXPECT_EQ(read<uint32_t>(0x8), 0U);
}

TEST_F(RegisterBankTest, WriteOneSetsAndDefinedBitsOnly) {
  EXPECT_TRUE(write(0xc, 0x6U));
  EXPECT_EQ(read<uint32_t>(0xc), 0x7U);
  EXPECT_EQ(misuses(), 0U);
  EXPECT_TRUE(write(0xc, 0x100U));
  EXPECT_EQ(misuses(), 1U);
  EXPECT_EQ(read<uint32_t>(0xc), 0x7U);
}

TEST_F(RegisterBankTest, ReadClearsOnTheBusButNotForTheDebugger) {
  tlm::tlm_generic_payload payload;
  std::array<uint8_t, 4> data{};
  payload.set_command(tlm::TLM_READ_COMMAND);
  payload.set_address(0x10);
  payload.set_data_ptr(data.data());
  payload.set_data_length(4);
  EXPECT_EQ(bank.transport_debug(payload), 4U);
  EXPECT_EQ(data[0], 5U);
  EXPECT_EQ(read<uint32_t>(0x10), 5U);
  EXPECT_EQ(read<uint32_t>(0x10), 0U);
}

TEST_F(RegisterBankTest, MixedRegisterAppliesEachFieldsRule) {
  bank.FLAGS.DONE.set(1);
  EXPECT_TRUE(write(0x14, 0xa1U));  // BUSY stays 1, LEVEL taken, DONE not cleared
  EXPECT_EQ(bank.FLAGS.get(), 0xa3U);
  EXPECT_TRUE(write(0x14, 0x03U));
  EXPECT_EQ(bank.FLAGS.get(), 0x01U);
  EXPECT_EQ(misuses(), 0U);
}

TEST_F(RegisterBankTest, ClearingAFlagDoesNotRepeatReadOnlyNeighbours) {
  bank.FLAGS.DONE.set(1);
  EXPECT_TRUE(write(0x14, 0x2U));
  EXPECT_EQ(bank.FLAGS.get(), 0x1U);
  EXPECT_EQ(misuses(), 0U);
  bank.FLAGS.BUSY.set(0);
  EXPECT_TRUE(write(0x14, 0x1U));
  EXPECT_EQ(environment.diagnostics().last_misuse(),
            "bank.FLAGS: write of 0x1 changes read-only field BUSY, by hart 0 at pc 0x80");
}

TEST_F(RegisterBankTest, WideRegisterTakesItsHalves) {
  EXPECT_EQ(read<uint64_t>(0x18), 0x1122334455667788ULL);
  EXPECT_EQ(read<uint32_t>(0x1c), 0x11223344U);
  EXPECT_TRUE(write(0x1c, 0xaabbccddU));
  EXPECT_EQ(read<uint64_t>(0x18), 0xaabbccdd55667788ULL);
}

TEST_F(RegisterBankTest, HookSeesMaskBeforeAndIndex) {
  RegisterWrite seen{};
  bank.WIDE.on_write([&seen](const RegisterWrite& write) { seen = write; });
  EXPECT_TRUE(write(0x1c, 0x1U));
  EXPECT_EQ(seen.mask, 0xffffffff00000000ULL);
  EXPECT_EQ(seen.written & seen.mask, 0x100000000ULL);
  EXPECT_EQ(seen.before, 0x1122334455667788ULL);
  EXPECT_TRUE(seen.sets(1ULL << 32));
  EXPECT_FALSE(seen.sets(1));
  bank.ARRAY[1].on_write([&seen](const RegisterWrite& write) { seen = write; });
  EXPECT_TRUE(write(0x38, 0x5U));
  EXPECT_EQ(seen.index, 1U);
  EXPECT_EQ(seen.origin.pc, 0x80U);
}

TEST_F(RegisterBankTest, RefusesWrongSizesAlignmentAndHoles) {
  EXPECT_EQ(read<uint16_t>(0x0), 0U);
  EXPECT_FALSE(ok);
  EXPECT_EQ(read<uint64_t>(0x0), 0U);
  EXPECT_FALSE(ok);
  EXPECT_FALSE(write(0x2, uint32_t{1}));
  EXPECT_FALSE(write(0x1a, uint32_t{1}));
  EXPECT_FALSE(write(0x40, uint32_t{1}));
  EXPECT_FALSE(write(~0ULL, uint8_t{1}));
  EXPECT_EQ(misuses(), 6U);
  EXPECT_EQ(bank.RW.get(), 0x11U);
}

TEST_F(RegisterBankTest, ReadHookReplacesTheValue) {
  bank.RO.on_read([](uint64_t stored) { return stored + 1; });
  EXPECT_EQ(read<uint32_t>(0x4), 0x23U);
}

TEST_F(RegisterBankTest, TransportRefusesByteEnablesAndEmptyAccesses) {
  tlm::tlm_generic_payload payload;
  std::array<uint8_t, 4> data{};
  uint8_t enables = TLM_BYTE_ENABLED;
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  payload.set_data_ptr(data.data());
  payload.set_data_length(4);
  payload.set_streaming_width(4);
  payload.set_byte_enable_ptr(&enables);
  bank.transport(payload);
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
  payload.set_byte_enable_ptr(nullptr);
  payload.set_data_length(0);
  bank.transport(payload);
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_BURST_ERROR_RESPONSE);
}

TEST_F(RegisterBankTest, StickyBitsOutliveAllButAFullReset) {
  Register sticky{bank, {"STICKY", 0x40, 4, 0xf0, {.rw = 0xffffffff}, {}, 0, false, 0xff}};
  EXPECT_TRUE(write<uint32_t>(0x40, 0x1234));
  EXPECT_TRUE(write<uint32_t>(0x0, 0x5678));
  bank.reset_unless_sticky();
  EXPECT_EQ(sticky.get(), 0x34U);
  EXPECT_EQ(bank.RW.get(), 0x11U);
  bank.reset();
  EXPECT_EQ(sticky.get(), 0xf0U);
}

TEST_F(RegisterBankTest, AnInstanceMayLackBits) {
  bank.FLAGS.set_reset(0xf3);
  bank.FLAGS.implement_only(0x32);
  EXPECT_EQ(bank.FLAGS.get(), 0x32U);
  EXPECT_TRUE(write<uint32_t>(0x14, 0xfe));
  EXPECT_EQ(bank.FLAGS.get(), 0x30U);
  bank.reset();
  EXPECT_EQ(bank.FLAGS.get(), 0x32U);
  bank.FLAGS.make_read_only(0x12);
  EXPECT_TRUE(write<uint32_t>(0x14, 0x02));
  EXPECT_EQ(bank.FLAGS.get(), 0x12U);
}

TEST(BytewiseRegisterBank, TakesAnyAccessAndSkipsHoles) {
  Environment environment;
  TestBank bank(environment, RegisterBank::Rules::kBytewise);
  std::array<uint8_t, 8> data{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_TRUE(bank.write(0x1e, data, {}));  // upper two bytes of WIDE, BYTE, then a hole
  EXPECT_EQ(bank.WIDE.get(), 0x0201334455667788ULL);
  EXPECT_EQ(bank.BYTE.get(), 3U);
  EXPECT_TRUE(bank.read(0x1e, data, {}));
  EXPECT_EQ(data, (std::array<uint8_t, 8>{1, 2, 3, 0, 0, 0, 0, 0}));
  EXPECT_EQ(environment.diagnostics().misuse_count(), 0U);
}

}  // namespace
}  // namespace npuvp::base
