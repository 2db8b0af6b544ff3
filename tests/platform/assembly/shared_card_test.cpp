// SPDX-License-Identifier: Apache-2.0
// The real firmware on the whole card, divided among virtual functions. Messages of virtual functions are written into
// their banks directly.
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "firmware/abi/mailbox.h"
#include "firmware/abi/memory_map.h"
#include "npu/registers/mailbox.h"
#include "platform/assembly/server.h"
#include "platform/config/board_loader.h"
#include "platform/host/inproc/inproc_device.h"

namespace npuvp::assembly {
namespace {

using Message = std::array<uint32_t, NPU_MAILBOX_WORDS>;
using sc_core::sc_time;

std::string file_contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A server whose card runs the firmware when the body is called.
struct SharedCard {
  explicit SharedCard(const std::function<void(SharedCard&)>& body)
      : host("host", [this, body](host::InprocHost& self) {
          function = self.enumerate().front();
          {
            const std::string image = file_contents(NPUVP_FIRMWARE_DIR "/atom-ca22.bin");
            // Boots the card; its queue goes with it.
            const host::InprocDevice device(self, function,
                                            {reinterpret_cast<const uint8_t*>(image.data()), image.size()});
          }
          (void)self.enable_virtual_functions(function, NPU_MAX_VFS);
          body(*this);
        }) {
    environment.set_log_level("all", spdlog::level::off);
    host.connect(server.root_complex());
    sc_core::sc_start();
    host.rethrow_failure();
  }

  /// Sends a message of `from` and waits for the reply.
  Message ask(unsigned from, npu_mailbox_opcode opcode, uint32_t argument) {
    auto& bank = server.card(0).mailbox().host_registers(from);
    const auto write = [&bank](uint64_t offset, uint32_t value) {
      bank.write(offset, {reinterpret_cast<const uint8_t*>(&value), sizeof value}, {});
    };
    write(MAILBOX_HOST_H2C_DATA(0), NPU_MAILBOX_WORD0(opcode, 9, 0));
    write(MAILBOX_HOST_H2C_DATA(1), argument);
    write(MAILBOX_HOST_H2C_DOORBELL, 1);
    const sc_time limit = sc_core::sc_time_stamp() + sc_time(1, sc_core::SC_SEC);
    while (bank.STATUS.C2H_PENDING.get() == 0 && sc_core::sc_time_stamp() < limit) {
      sc_core::wait(sc_time(10, sc_core::SC_US));
    }
    EXPECT_EQ(bank.STATUS.C2H_PENDING.get(), 1U);
    write(MAILBOX_HOST_STATUS, MAILBOX_HOST_STATUS_C2H_PENDING_MASK);
    Message reply;
    for (uint32_t word = 0; word < NPU_MAILBOX_WORDS; ++word) {
      reply.at(word) = static_cast<uint32_t>(bank.C2H_DATA.at(word).get());
    }
    return reply;
  }

  base::Environment environment;
  Server server{"server", environment, config::load_server("server-1-vf", NPUVP_BOARDS_DIR),
                Options{.rom = file_contents(NPUVP_FIRMWARE_DIR "/rom.bin"), .rtl = {}}};
  host::PciFunction function;
  host::InprocHost host;
};

// 16384 MiB less a reserve of 288; 16096 / 17 = 946.8, so that each virtual function has 946 and the physical one 960.
TEST(SharedCard, IsDividedAmongSixteenAndCleared) {
  SharedCard run([](SharedCard& card) {
    const uint64_t window = card.function.bars[2];
    card.host.mmio_write32(window + 0x1000, 0x12345678);
    EXPECT_EQ(card.host.mmio_read32(window + 0x1000), 0x12345678U);
    const sc_time begin = sc_core::sc_time_stamp();
    const Message reply = card.ask(0, NPU_MESSAGE_PARTITION, 16);
    EXPECT_EQ(NPU_MAILBOX_STATUS(reply[0]), uint32_t{NPU_MAILBOX_OK});
    EXPECT_EQ(reply[1], 960U);
    EXPECT_EQ(reply[2], 65536U + 288U);
    EXPECT_EQ(reply[3], 946U);
    EXPECT_EQ(card.host.mmio_read32(window + 0x1000), 0U);
    // The bytes of 16096 MiB at the 64 GB/s of the engine's port.
    EXPECT_GE(sc_core::sc_time_stamp() - begin, sc_time(16096.0 * (1 << 20) / 64, sc_core::SC_NS));

    const Message hello = card.ask(16, NPU_MESSAGE_HELLO, NPU_ABI_VERSION);
    EXPECT_EQ(hello[2], uint32_t{NPU_STAGE_FIRMWARE});
    EXPECT_EQ(hello[5], 946U);
    EXPECT_EQ(hello[6], NPU_VF_QUEUES);
    EXPECT_EQ(hello[7], 65536U + 288U + 960U + 15 * 946U);
    EXPECT_EQ(NPU_MAILBOX_STATUS(card.ask(16, NPU_MESSAGE_PARTITION, 0)[0]), uint32_t{NPU_MAILBOX_NOT_PERMITTED});
  });
  EXPECT_EQ(run.environment.diagnostics().misuse_count(), 0U);
}

TEST(SharedCard, AFunctionAnswersAgainAfterItsReset) {
  SharedCard run([](SharedCard& card) {
    EXPECT_EQ(NPU_MAILBOX_STATUS(card.ask(0, NPU_MESSAGE_PARTITION, 16)[0]), uint32_t{NPU_MAILBOX_OK});
    const sc_time begin = sc_core::sc_time_stamp();
    card.server.card(0).mailbox().function_reset(3);
    EXPECT_EQ(card.ask(3, NPU_MESSAGE_HELLO, NPU_ABI_VERSION)[5], 946U);
    EXPECT_GE(sc_core::sc_time_stamp() - begin, sc_time(946.0 * (1 << 20) / 64, sc_core::SC_NS));
    EXPECT_EQ(NPU_MAILBOX_STATUS(card.ask(4, NPU_MESSAGE_PING, 0)[0]), uint32_t{NPU_MAILBOX_OK});
  });
  EXPECT_EQ(run.environment.diagnostics().misuse_count(), 0U);
}

}  // namespace
}  // namespace npuvp::assembly
