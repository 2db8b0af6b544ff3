// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "models/base/file_error.h"
#include "models/flash/controller.h"
#include "npu/registers/flash.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::flash {
namespace {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

// Winbond W25Q32JV data sheet, instruction set.
constexpr uint8_t kProgram = 0x02, kRead = 0x03, kReadStatus = 0x05, kWriteEnable = 0x06, kWriteStatus = 0x01;
constexpr uint8_t kSectorErase = 0x20, kBlockErase = 0xd8, kReadId = 0x9f;

class SpiNorTest : public testing::Test {
 protected:
  std::string send(uint8_t opcode, std::optional<uint32_t> address = {}, const std::vector<uint8_t>& data = {}) {
    return nor.execute({opcode, address, data, {}}, sc_time_stamp());
  }
  std::string write(uint8_t opcode, uint32_t address, const std::vector<uint8_t>& data = {}) {
    EXPECT_EQ(send(kWriteEnable), "");
    return send(opcode, address, data);
  }
  std::vector<uint8_t> read(uint32_t address, size_t bytes, uint8_t opcode = kRead) {
    std::vector<uint8_t> out(bytes);
    EXPECT_EQ(nor.execute({opcode, address, {}, out}, sc_time_stamp()), "");
    return out;
  }
  uint8_t status() {
    std::vector<uint8_t> out(1);
    (void)nor.execute({kReadStatus, {}, {}, out}, sc_time_stamp());
    return out[0];
  }
  static void pass(double ms) { sc_core::sc_start(ms, sc_core::SC_MS); }

  SpiNor nor{{}};
};

TEST_F(SpiNorTest, IdentifiesItself) {
  std::vector<uint8_t> id(3);
  EXPECT_EQ(nor.execute({kReadId, {}, {}, id}, sc_time_stamp()), "");
  EXPECT_EQ(id, (std::vector<uint8_t>{0xef, 0x40, 0x16}));  // data sheet 8.1.1
}

TEST_F(SpiNorTest, ProgrammingClearsBitsAndNeverSetsOne) {
  EXPECT_EQ(read(0, 2), (std::vector<uint8_t>{0xff, 0xff}));
  EXPECT_EQ(write(kProgram, 0, {0xf0, 0x0f}), "");
  pass(1);
  EXPECT_EQ(read(0, 3), (std::vector<uint8_t>{0xf0, 0x0f, 0xff}));
  EXPECT_EQ(write(kProgram, 0, {0x3c, 0xff}), "");
  pass(1);
  EXPECT_EQ(read(0, 2), (std::vector<uint8_t>{0x30, 0x0f}));
}

TEST_F(SpiNorTest, AWriteNeedsTheLatchWhichHoldsForOne) {
  EXPECT_EQ(send(kProgram, 0, {0}), "write without write enable");
  EXPECT_EQ(send(kWriteEnable), "");
  EXPECT_EQ(status(), 0x02);
  EXPECT_EQ(send(kProgram, 0, {0}), "");
  pass(1);
  EXPECT_EQ(status(), 0x00);
  EXPECT_EQ(send(kProgram, 1, {0}), "write without write enable");
  EXPECT_EQ(read(0, 2), (std::vector<uint8_t>{0, 0xff}));
}

TEST_F(SpiNorTest, IsBusyForItsTimeAndThenDone) {
  EXPECT_EQ(write(kProgram, 0, {0}), "");
  pass(0.399);
  EXPECT_EQ(status() & 1, 1);
  std::vector<uint8_t> out(1);
  EXPECT_NE(nor.execute({kRead, 0U, {}, out}, sc_time_stamp()), "");
  EXPECT_EQ(out[0], 0xff);
  pass(0.001);
  EXPECT_EQ(status() & 1, 0);
  EXPECT_EQ(write(kSectorErase, 0), "");
  pass(44.9);
  EXPECT_EQ(status() & 1, 1);
  pass(0.1);
  EXPECT_EQ(read(0, 1)[0], 0xff);
}

TEST_F(SpiNorTest, APageWrapsAround) {
  std::vector<uint8_t> page(256);
  for (size_t i = 0; i < page.size(); ++i) page[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(write(kProgram, 0x1f0, page), "");
  pass(1);
  EXPECT_EQ(read(0x1f0, 1)[0], 0);
  EXPECT_EQ(read(0x1ff, 1)[0], 15);
  EXPECT_EQ(read(0x100, 1)[0], 16);
  EXPECT_EQ(read(0x200, 1)[0], 0xff);
}

TEST_F(SpiNorTest, ErasesWhatTheAddressIsIn) {
  nor.load(0, std::vector<uint8_t>(0x20000, 0));
  EXPECT_EQ(write(kSectorErase, 0x1234), "");
  pass(50);
  EXPECT_EQ(read(0xfff, 2), (std::vector<uint8_t>{0, 0xff}));
  EXPECT_EQ(read(0x1fff, 2), (std::vector<uint8_t>{0xff, 0}));
  EXPECT_EQ(write(kBlockErase, 0x1ffff), "");
  pass(200);
  EXPECT_EQ(read(0xffff, 2), (std::vector<uint8_t>{0, 0xff}));
  EXPECT_EQ(read(0x1ffff, 1)[0], 0xff);
}

TEST_F(SpiNorTest, ProtectsTheTopOrTheBottom) {
  // Data sheet 7.1.6: BP 1 covers the upper 64 KiB, TB turns it round, 7 covers all.
  EXPECT_EQ(send(kWriteEnable), "");
  EXPECT_EQ(send(kWriteStatus, {}, {0x04}), "");
  pass(20);
  EXPECT_EQ(status(), 0x04);
  EXPECT_NE(write(kProgram, 0x3f0000, {0}), "");
  EXPECT_EQ(write(kProgram, 0x3effff, {0}), "");
  pass(1);
  EXPECT_EQ(send(kWriteEnable), "");
  EXPECT_EQ(send(kWriteStatus, {}, {0x24}), "");
  pass(20);
  EXPECT_NE(write(kSectorErase, 0xffff), "");
  EXPECT_EQ(write(kProgram, 0x3f0000, {0}), "");
  pass(1);
  EXPECT_EQ(send(kWriteEnable), "");
  EXPECT_EQ(send(kWriteStatus, {}, {0x1c}), "");
  pass(20);
  EXPECT_NE(write(kProgram, 0x200000, {0}), "");
}

TEST_F(SpiNorTest, PowerThatFailsLeavesAPageHalfProgrammed) {
  nor.cut_power_after(100, {});
  EXPECT_EQ(write(kProgram, 0, std::vector<uint8_t>(256, 0)), "");
  EXPECT_FALSE(nor.powered());
  EXPECT_EQ(status(), 0xff);
  nor.power_on();
  const auto page = read(0, 256);
  EXPECT_EQ(std::count(page.begin(), page.begin() + 100, 0), 100);
  EXPECT_EQ(std::count(page.begin() + 101, page.end(), 0xff), 155);
}

TEST_F(SpiNorTest, PowerThatFailsLeavesASectorBetweenOldAndErased) {
  nor.load(0, std::vector<uint8_t>(8192, 0x0f));
  nor.cut_power_after(1000, {});
  EXPECT_EQ(write(kSectorErase, 0), "");
  nor.power_on();
  const auto cells = read(0, 4097);
  EXPECT_EQ(std::count(cells.begin(), cells.begin() + 1000, 0xff), 1000);
  for (size_t i = 1000; i < 4096; ++i) EXPECT_EQ(cells[i] & 0x0f, 0x0f) << i;  // no bit falls
  EXPECT_GT(std::count(cells.begin() + 1000, cells.end(), 0x0f), 50);
  EXPECT_EQ(cells[4096], 0x0f);
}

TEST_F(SpiNorTest, PowerThatFailsInTimeCountsTheTime) {
  EXPECT_EQ(write(kProgram, 0, std::vector<uint8_t>(256, 0)), "");
  pass(0.2);
  nor.cut_power(sc_time_stamp());
  nor.power_on();
  const auto page = read(0, 256);
  EXPECT_EQ(std::count(page.begin(), page.begin() + 128, 0), 128);
  EXPECT_EQ(std::count(page.begin() + 129, page.end(), 0xff), 127);
}

TEST(NorContent, AFileHasTheContentsAtOnce) {
  const std::string file = testing::TempDir() + "flash_test_content.bin";
  std::filesystem::remove(file);
  NorContent content(1 << 16, file);
  EXPECT_EQ(content.at(0xffff), 0xff);
  content.set(0xffff, 0x12);
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(0xffff);
  EXPECT_EQ(stream.get(), 0x12);
  EXPECT_THROW(NorContent(1 << 16, file), base::FileError);  // in use
  std::filesystem::remove(file);
}

TEST(NorContent, RefusesAFileOfAnotherSize) {
  const std::string file = testing::TempDir() + "flash_test_size.bin";
  std::ofstream(file) << "short";
  EXPECT_THROW(NorContent(1 << 16, file), base::FileError);
  std::filesystem::remove(file);
  EXPECT_THROW(NorContent(1 << 16, "/nonexistent/flash.bin"), base::FileError);
}

TEST(SpiNor, RefusesImpossibleSizes) {
  EXPECT_THROW(SpiNor({.bytes = 3 << 20}), std::invalid_argument);
  EXPECT_THROW(SpiNor({.bytes = 32 << 20}), std::invalid_argument);
}

class FlashControllerTest : public testing::Test {
 protected:
  FlashControllerTest() {
    environment.set_log_level("all", spdlog::level::off);
    cp.port.socket.bind(controller.registers);
    controller.irq.connect([this](bool level) { irq = level; });
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  void send(uint32_t opcode, uint32_t flags, uint32_t bytes) {
    cp.write(FLASH_COMMAND, opcode | flags | bytes << FLASH_COMMAND_BYTES_SHIFT);
    cp.write(FLASH_CONTROL, uint32_t{FLASH_CONTROL_START_MASK});
  }

  base::Environment environment;
  FlashController controller{"flash", environment, {}};
  test::TestInitiator cp{"cp"};
  bool irq = false;
};

TEST_F(FlashControllerTest, ProgramsAndReads) {
  send(kWriteEnable, 0, 0);
  cp.write(FLASH_DATA(0), 0x03020100U);
  cp.write(FLASH_DATA(1), 0x00000004U);
  cp.write(FLASH_ADDRESS, 0x1000U);
  send(kProgram, FLASH_COMMAND_ADDRESSED_MASK | FLASH_COMMAND_WRITES_MASK, 5);
  sc_core::sc_start(1, sc_core::SC_MS);
  send(kRead, FLASH_COMMAND_ADDRESSED_MASK, 6);
  EXPECT_EQ(cp.read<uint32_t>(FLASH_DATA(0)), 0x03020100U);
  EXPECT_EQ(cp.read<uint32_t>(FLASH_DATA(1)) & 0xffffU, 0xff04U);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 0U);
}

TEST_F(FlashControllerTest, HoldsAccessesWhileATransferRuns) {
  send(kRead, FLASH_COMMAND_ADDRESSED_MASK, 256);
  std::vector<uint8_t> data(4);
  sc_time delay;
  EXPECT_EQ(cp.port.read(FLASH_DATA(0), data, delay), tlm::TLM_OK_RESPONSE);
  // 8 + 24 clocks on one line, 256 bytes on four: 544 clocks of 20 ns.
  EXPECT_EQ(delay, sc_time(544 * 20, sc_core::SC_NS));
}

TEST_F(FlashControllerTest, InterruptsWhenAWriteHasEnded) {
  send(kWriteEnable, 0, 0);
  cp.write(FLASH_ADDRESS, 0U);
  send(kSectorErase, FLASH_COMMAND_ADDRESSED_MASK, 0);
  EXPECT_EQ(cp.read<uint32_t>(FLASH_STATUS), 0U);
  cp.write(FLASH_IRQ_ENABLE, 1U);
  EXPECT_FALSE(irq);
  sc_core::sc_start(44, sc_core::SC_MS);
  EXPECT_FALSE(irq);
  sc_core::sc_start(2, sc_core::SC_MS);
  EXPECT_TRUE(irq);
  EXPECT_EQ(cp.read<uint32_t>(FLASH_STATUS), uint32_t{FLASH_STATUS_READY_MASK});
  cp.write(FLASH_IRQ_ENABLE, 0U);
  EXPECT_FALSE(irq);
  EXPECT_FALSE(sc_core::sc_pending_activity());
}

TEST_F(FlashControllerTest, RefusesWhatItCannotSend) {
  send(kRead, FLASH_COMMAND_ADDRESSED_MASK, 257);
  EXPECT_NE(cp.read<uint32_t>(FLASH_STATUS) & FLASH_STATUS_ERROR_MASK, 0U);
  cp.write(FLASH_STATUS, uint32_t{FLASH_STATUS_ERROR_MASK});
  cp.write(FLASH_ADDRESS, 0x1000000U);
  send(kRead, FLASH_COMMAND_ADDRESSED_MASK, 4);
  EXPECT_NE(cp.read<uint32_t>(FLASH_STATUS) & FLASH_STATUS_ERROR_MASK, 0U);
}

TEST_F(FlashControllerTest, ReportsWhatTheFlashDoesNotDo) {
  cp.write(FLASH_ADDRESS, 0U);
  send(kSectorErase, FLASH_COMMAND_ADDRESSED_MASK, 0);  // without write enable
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1U);
  EXPECT_NE(environment.diagnostics().last_misuse().find("write without write enable"), std::string::npos);
}

}  // namespace
}  // namespace npuvp::flash
