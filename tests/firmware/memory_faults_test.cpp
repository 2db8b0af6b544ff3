// SPDX-License-Identifier: Apache-2.0
// What the firmware makes of errors that the ECC and the device MMU report.
#include <gtest/gtest.h>

#include "npu/registers/ecc.h"
#include "npu/registers/mmu.h"
#include "tests/firmware/cp_fixture.h"

extern "C" {
#include "firmware/abi/crash.h"
#include "firmware/abi/ecc.h"
#include "firmware/cp/memory_faults.h"
#include "firmware/lib/ecc.h"
#include "firmware/lib/trap.h"
}

namespace npuvp::firmware_test {
namespace {

class MemoryFaults : public CpFixture {
 protected:
  uint64_t& ecc(uint32_t offset) { return card.error_registers[NPU_MAP_ECC + offset]; }
  uint64_t& mmu(uint32_t offset) { return card.error_registers[NPU_MAP_MMU + offset]; }
  void serve() {
    card.advance_ns(1);
    while (service_poll()) {
    }
  }
};

TEST_F(MemoryFaults, BothBlocksInterruptFromTheStart) {
  EXPECT_EQ(ecc(ECC_IRQ_ENABLE), 3U);
  EXPECT_EQ(ecc(ECC_THRESHOLD), 1U);
  EXPECT_EQ(mmu(MMU_IRQ_ENABLE), 1U);
}

TEST_F(MemoryFaults, AnUncorrectableErrorIsOnTheConsoleAndCounted) {
  ecc(ECC_UNCORRECTED_PENDING) = 1U << (NPU_ECC_SCRATCHPAD + 3);
  ecc(ECC_UNCORRECTED(NPU_ECC_SCRATCHPAD + 3)) = 2;
  ecc(ECC_LAST_UNCORRECTED(NPU_ECC_SCRATCHPAD + 3)) = 0x50c00040;
  serve();
  EXPECT_NE(card.console.find("ecc: UNCORRECTABLE scratchpad 3: 0 corrected, 2 uncorrectable, last at 50c00040"),
            std::string::npos)
      << card.console;
  EXPECT_EQ(ecc(ECC_UNCORRECTED_PENDING), 0U);
  EXPECT_EQ(memory_faults_counts()->uncorrected, 1U);
  EXPECT_EQ(ecc(ECC_THRESHOLD), 1U);
}

TEST_F(MemoryFaults, CorrectedErrorsAreReportedEverMoreSeldom) {
  for (unsigned round = 1; round <= 20; ++round) {
    ecc(ECC_CORRECTED_PENDING) = 1U << NPU_ECC_DRAM;
    serve();
    EXPECT_EQ(memory_faults_counts()->corrected, round);
    EXPECT_EQ(ecc(ECC_THRESHOLD), round < 16 ? 1U << round : 1U << 16);
  }
}

TEST_F(MemoryFaults, ATranslationFaultSaysWho) {
  mmu(MMU_FAULT_STATUS) = 1;
  mmu(MMU_FAULT_INFO) =
      7U | 1U << 8 | uint32_t{NPU_MMU_FAULT_PERMISSION} << 12 | uint32_t{NPU_MMU_NEURAL_DMA} << 16 | 5U << 24;
  mmu(MMU_FAULT_ADDRESS) = 0x1000020000;
  mmu(MMU_FAULT_OWNER) = 9U | 2U << 16;
  serve();
  EXPECT_NE(
      card.console.find("mmu: Neural DMA channel 5, context 9 of function 2: write of 1000020000 in address space "
                        "7: not permitted"),
      std::string::npos)
      << card.console;
  ASSERT_NE(memory_faults_last_translation(), nullptr);
  EXPECT_EQ(memory_faults_last_translation()->asid, 7U);
  EXPECT_EQ(memory_faults_counts()->translation, 1U);
}

TEST_F(MemoryFaults, AnOverflowIsSaidOnce) {
  mmu(MMU_FAULT_STATUS) = MMU_FAULT_STATUS_OVERFLOW_MASK | 1U;
  serve();
  EXPECT_NE(card.console.find("mmu: more faults than could be recorded"), std::string::npos);
  EXPECT_EQ(mmu(MMU_FAULT_STATUS), 0U);
}

TEST_F(MemoryFaults, InjectionNamesAddressAndBits) {
  ecc_inject(0x40000008, 3, 71);
  EXPECT_EQ(ecc(ECC_INJECT_ADDRESS), 0x40000008U);
  EXPECT_EQ(ecc(ECC_INJECT), 3U | 71U << 8 | 1U << 15);
  ecc_inject(0x40000008, 3, ECC_NO_BIT);
  EXPECT_EQ(ecc(ECC_INJECT), 3U);
  EXPECT_STREQ(ecc_source_name(NPU_ECC_SHARED), "shared memory");
  EXPECT_STREQ(ecc_source_name(5), "unknown memory");
}

/// Of the firmware's own memory; natively the first half of the TCM stands for code and constants.
class TcmErrors : public MemoryFaults {
 protected:
  void report(bool uncorrected, uint64_t first, uint64_t last) {
    ecc(uncorrected ? ECC_UNCORRECTED(NPU_ECC_TCM) : ECC_CORRECTED(NPU_ECC_TCM)) = 2;
    ecc(uncorrected ? ECC_FIRST_UNCORRECTED(NPU_ECC_TCM) : ECC_FIRST_CORRECTED(NPU_ECC_TCM)) = first;
    ecc(uncorrected ? ECC_LAST_UNCORRECTED(NPU_ECC_TCM) : ECC_LAST_CORRECTED(NPU_ECC_TCM)) = last;
    ecc(uncorrected ? ECC_UNCORRECTED_PENDING : ECC_CORRECTED_PENDING) = 1u << NPU_ECC_TCM;
    card.advance_ns(0);
    run();
  }
  static constexpr uint64_t kData = NPU_MAP_TCM + 0xc0000;
};

TEST_F(TcmErrors, ACorrectedWordIsWrittenBack) {
  report(false, kData + 8, kData + 0x108);
  EXPECT_TRUE(said("ecc: TCM: 2 corrected"));
  EXPECT_EQ(card.rewritten, (std::vector<uint64_t>{kData + 8, kData + 0x108}));
  EXPECT_EQ(memory_faults_counts()->corrected, 1u);
  EXPECT_EQ(card.traps, 0u);
}

TEST_F(TcmErrors, InCodeTheDmaWritesItBackBecauseTheHartMayNot) {
  const uint64_t address = NPU_MAP_TCM + 0x1008;
  const std::vector<uint8_t> before(card.tcm.begin() + 0x1000, card.tcm.begin() + 0x1040);
  report(false, address, address);
  EXPECT_TRUE(card.rewritten.empty());
  EXPECT_EQ(card.management.dma_lists.back(), (FakeManagement::Transfer{address - 8, address - 8, 64}));
  EXPECT_EQ(std::vector<uint8_t>(card.tcm.begin() + 0x1000, card.tcm.begin() + 0x1040), before);
}

TEST_F(TcmErrors, AnUncorrectableWordEndsTheFirmware) {
  report(true, kData, kData);
  EXPECT_EQ(card.traps, 1u);
  EXPECT_TRUE(said("the firmware's own memory is lost at 1c0000"));
  trap_frame frame{};
  frame.mcause = 2;
  card.management.watchdog_asleep = false;
  trap_report(&frame);
  const auto dump = card.dram.get<npu_crash_dump>(NPU_DRAM_CRASH_DUMP);
  EXPECT_EQ(dump.memory, uint32_t{NPU_ECC_TCM + 1});
  EXPECT_EQ(dump.memory_errors, 2u);
  EXPECT_EQ(dump.memory_address, kData);
  EXPECT_FALSE(card.management.watchdog_asleep) << "it restarts by itself";
}

TEST_F(TcmErrors, AnErrorElsewhereIsInTheDumpToo) {
  ecc(ECC_UNCORRECTED(NPU_ECC_DRAM)) = 1;
  ecc(ECC_LAST_UNCORRECTED(NPU_ECC_DRAM)) = NPU_MAP_DRAM + 0x40;
  trap_frame frame{};
  frame.mcause = 5;
  trap_report(&frame);
  const auto dump = card.dram.get<npu_crash_dump>(NPU_DRAM_CRASH_DUMP);
  EXPECT_EQ(dump.memory, uint32_t{NPU_ECC_DRAM + 1});
  EXPECT_EQ(dump.memory_address, NPU_MAP_DRAM + 0x40);
  EXPECT_TRUE(card.management.watchdog_asleep) << "the host looks at the card as it is";
}

}  // namespace
}  // namespace npuvp::firmware_test
