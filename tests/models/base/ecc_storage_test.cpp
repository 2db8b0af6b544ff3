// SPDX-License-Identifier: Apache-2.0
#include "models/base/ecc_storage.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "models/base/sideband.h"

namespace npuvp::base {
namespace {

struct EccStorageTest : testing::Test {
  EccStorageTest() {
    storage.on_withdraw([this](uint64_t first, uint64_t last) { withdrawn = {first, last}; });
  }
  tlm::tlm_response_status access(tlm::tlm_command command, uint64_t address, size_t bytes, Sideband* with) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(data.data());
    payload.set_data_length(static_cast<unsigned>(bytes));
    payload.set_streaming_width(static_cast<unsigned>(bytes));
    if (with != nullptr) payload.set_extension(with);
    const auto response = storage.access(payload, true);
    if (with != nullptr) payload.clear_extension<Sideband>();
    return response;
  }
  tlm::tlm_response_status read(uint64_t address, size_t bytes) {
    sideband.poison = false;
    return access(tlm::TLM_READ_COMMAND, address, bytes, &sideband);
  }
  /// First and last address of the direct access offered for `address`; empty if none is.
  std::vector<uint64_t> offered(uint64_t address) {
    tlm::tlm_generic_payload payload;
    payload.set_address(address);
    tlm::tlm_dmi dmi;
    if (!storage.offer(payload, true, {}, dmi)) return {};
    EXPECT_EQ(dmi.get_dmi_ptr(), storage.memory().data() + dmi.get_start_address());
    return {dmi.get_start_address(), dmi.get_end_address()};
  }

  EccStorage storage{0x10000};
  std::array<uint8_t, 4096> data{};
  Sideband sideband;
  std::array<uint64_t, 2> withdrawn{};
};

TEST_F(EccStorageTest, SingleErrorsAreCorrectedAndDoubleOnesPoison) {
  storage.inject(0x1008, 3);
  EXPECT_EQ(read(0x1000, 64), tlm::TLM_OK_RESPONSE);
  EXPECT_FALSE(sideband.poison);
  EXPECT_EQ(data[8], 0);
  storage.inject(0x1008, 4);
  EXPECT_EQ(read(0x1000, 64), tlm::TLM_OK_RESPONSE);
  EXPECT_TRUE(sideband.poison);
  EXPECT_EQ(data[8], 0x18);
  EXPECT_EQ(storage.counters().corrected, 1U);
  EXPECT_EQ(storage.counters().uncorrectable, 1U);
  EXPECT_EQ(access(tlm::TLM_READ_COMMAND, 0x1008, 8, nullptr), tlm::TLM_GENERIC_ERROR_RESPONSE);
}

TEST_F(EccStorageTest, LendsWhatNeedsNoCorrectionAndWhatIsAskedForAsAWhole) {
  const auto borrow = [this](uint64_t bytes, uint64_t whole) {
    sideband.lend_bytes = whole;
    sideband.lent = nullptr;
    EXPECT_EQ(read(0x1000, bytes), tlm::TLM_OK_RESPONSE);
    return sideband.lent;
  };
  storage.memory().data()[0x1000] = 1;
  EXPECT_EQ(borrow(64, 64), storage.memory().data() + 0x1000);
  EXPECT_EQ(data[0], 0);
  EXPECT_EQ(borrow(64, 128), nullptr) << "a part of an access";
  EXPECT_EQ(data[0], 1);
  storage.inject(0x1008, 3);
  EXPECT_EQ(borrow(64, 64), nullptr);
  EXPECT_EQ(data[8], 0);
  storage.set_coding(false);
  EXPECT_EQ(borrow(64, 64), nullptr);
  EXPECT_EQ(data[8], 8) << "without a code the error shows";
}

TEST_F(EccStorageTest, DirectAccessIsRefusedAroundErrorsOnly) {
  EXPECT_EQ(offered(0x5000), (std::vector<uint64_t>{0, 0xffff}));
  storage.inject(0x5008, 0);
  EXPECT_EQ(withdrawn, (std::array<uint64_t, 2>{0x5000, 0x5fff}));
  EXPECT_TRUE(offered(0x5000).empty());
  EXPECT_TRUE(offered(0x5fff).empty());
  EXPECT_EQ(offered(0x4fff), (std::vector<uint64_t>{0, 0x4fff}));
  EXPECT_EQ(offered(0x6000), (std::vector<uint64_t>{0x6000, 0xffff}));
  storage.inject(0x8000, 0);
  EXPECT_EQ(offered(0x6000), (std::vector<uint64_t>{0x6000, 0x7fff}));
  EXPECT_EQ(offered(0x7fff), (std::vector<uint64_t>{0x6000, 0x7fff}));
}

TEST_F(EccStorageTest, WhatHealsAWordGivesDirectAccessBack) {
  storage.inject(0x5008, 0);
  withdrawn = {};
  EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, 0x5000, 64, &sideband), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(withdrawn, (std::array<uint64_t, 2>{0x5000, 0x5fff}));
  EXPECT_EQ(offered(0x5000), (std::vector<uint64_t>{0, 0xffff}));
  storage.inject(0x5008, 0);
  withdrawn = {};
  EXPECT_EQ(storage.scrub(0x5000, 0x1000), 8U);
  EXPECT_EQ(withdrawn, (std::array<uint64_t, 2>{0x5000, 0x5fff}));
  EXPECT_EQ(offered(0), (std::vector<uint64_t>{0, 0xffff}));
}

TEST_F(EccStorageTest, APoisonedWriteIsRemembered) {
  sideband.poison = true;
  EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, 0x200, 16, &sideband), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(withdrawn, (std::array<uint64_t, 2>{0, 0xfff}));
  EXPECT_EQ(read(0x208, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_TRUE(sideband.poison);
  EXPECT_EQ(read(0x210, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_FALSE(sideband.poison);
}

TEST_F(EccStorageTest, WipingHealsAndKeepsTheCounters) {
  storage.inject(0x100, 0);
  (void)read(0x100, 8);
  storage.wipe();
  EXPECT_EQ(offered(0x100), (std::vector<uint64_t>{0, 0xffff}));
  EXPECT_EQ(storage.counters().corrected, 1U);
  storage.clear();
  EXPECT_EQ(storage.counters().corrected, 0U);
}

TEST_F(EccStorageTest, RefusesWhatLiesOutsideAlsoWithErrors) {
  storage.inject(0xfff8, 0);
  EXPECT_EQ(read(0xfffc, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(read(~uint64_t{0}, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(read(0, 0), tlm::TLM_BURST_ERROR_RESPONSE);
}

TEST_F(EccStorageTest, SwitchedOffItHidesAndReportsNothing) {
  storage.set_coding(false);
  data[0] = 0xf0;
  EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, 0x1008, 1, &sideband), tlm::TLM_OK_RESPONSE);
  storage.inject(0x1008, 0);
  storage.inject(0x1008, 9);
  EXPECT_EQ(read(0x1008, 8), tlm::TLM_OK_RESPONSE);
  EXPECT_FALSE(sideband.poison);
  EXPECT_EQ(data[0], 0xf1);
  EXPECT_EQ(data[1], 0x02);
  EXPECT_EQ(storage.counters().uncorrectable, 0U);
  EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, 0x1008, 8, &sideband), tlm::TLM_OK_RESPONSE);
  EXPECT_FALSE(offered(0x1000).empty()) << "written anew, the word is as it should be";
}

TEST_F(EccStorageTest, SwitchedOnEachWordIsUncorrectableUntilItIsWrittenInFull) {
  storage.set_coding(false);
  EXPECT_FALSE(offered(0).empty());
  storage.set_coding(true);
  EXPECT_EQ(withdrawn, (std::array<uint64_t, 2>{0, 0xffff}));
  EXPECT_TRUE(offered(0).empty()) << "not around words that were never written";
  EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, 0x1000, 16, &sideband), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, 0x1014, 4, &sideband), tlm::TLM_OK_RESPONSE);
  read(0x1000, 16);
  EXPECT_FALSE(sideband.poison);
  const uint64_t before = storage.counters().uncorrectable;
  read(0x1010, 8);
  EXPECT_TRUE(sideband.poison) << "half of the word is not known";
  read(0x1018, 1);
  EXPECT_TRUE(sideband.poison);
  EXPECT_EQ(storage.counters().uncorrectable, before + 2);
  sideband.poison = false;
  EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, 0x1018, 8, &sideband), tlm::TLM_OK_RESPONSE);
  read(0x1018, 8);
  EXPECT_FALSE(sideband.poison);
}

TEST_F(EccStorageTest, AWipeGivesAllWordsTheirCode) {
  storage.set_coding(false);
  data.fill(0x77);
  EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, 0x2000, 4096, &sideband), tlm::TLM_OK_RESPONSE);
  storage.set_coding(true);
  storage.wipe();
  EXPECT_EQ(offered(0x2000), (std::vector<uint64_t>{0, 0xffff}));
  read(0x2000, 4096);
  EXPECT_FALSE(sideband.poison);
  EXPECT_EQ(data[0], 0);
  EXPECT_EQ(storage.counters().uncorrectable, 0U);
}

TEST_F(EccStorageTest, WritingAllWordsDoesToo) {
  storage.set_coding(false);
  storage.set_coding(true);
  for (uint64_t address = 0; address < 0x10000; address += 4096) {
    EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, address, 4096, &sideband), tlm::TLM_OK_RESPONSE);
  }
  EXPECT_EQ(offered(0), (std::vector<uint64_t>{0, 0xffff}));
}

}  // namespace
}  // namespace npuvp::base
