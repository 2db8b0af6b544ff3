// SPDX-License-Identifier: Apache-2.0
// Two cards behind a switch: one produces buffers in the other's memory and signals, the other consumes and signals
// back. The real firmware on both; the host only submits one job to each.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "platform/host/inproc/inproc_device.h"
#include "tests/platform/assembly/raw_function.h"
#include "tests/platform/test_server.h"
#include "tests/sw/two_cards.h"

namespace npuvp::tests {
namespace {

constexpr uint64_t kPage = NPU_HOST_PAGE_BYTES;
constexpr uint32_t kBuffers = 1000;
constexpr uint32_t kBufferBytes = 4096;
constexpr uint32_t kInFlight = 4;  // buffers that the consumer has room for

npu_command empty_command(npu_command_kind kind, unsigned opcode, unsigned engine = 0) {
  auto command = copy_command(kind, engine, 0, 0, 0);
  command.opcode = static_cast<uint8_t>(opcode);
  command.u = {};
  return command;
}

npu_command loop(uint32_t count) {
  auto command = empty_command(NPU_COMMAND_CONTROL, NPU_CONTROL_LOOP);
  command.u.loop.count = count;
  return command;
}

npu_command loop_end() {
  return empty_command(NPU_COMMAND_CONTROL, NPU_CONTROL_LOOP_END);
}

npu_command step_of(std::initializer_list<npu_field_step> fields) {
  auto command = empty_command(NPU_COMMAND_CONTROL, NPU_CONTROL_STEP);
  std::copy(fields.begin(), fields.end(), std::begin(command.u.step.field));
  return command;
}

npu_command wait_for(uint32_t flag, uint32_t value) {
  auto command = empty_command(NPU_COMMAND_DEVICE_SYNC, NPU_SYNC_WAIT);
  command.u.sync.flag = flag;
  command.u.sync.value = value;
  command.u.sync.compare = NPU_SYNC_GREATER_EQUAL;
  return command;
}

npu_command signal(uint64_t address, uint32_t value, unsigned channel = 1) {
  auto command = empty_command(NPU_COMMAND_DEVICE_SYNC, NPU_SYNC_SIGNAL, channel);
  command.u.sync.address = address;
  command.u.sync.value = value;
  return command;
}

npu_command after(npu_command command, uint16_t token, uint16_t count, uint16_t signals = NPU_TOKEN_NONE) {
  command.wait[0] = {token, count};
  command.signal = signals;
  return command;
}

/// A list of bus pages of another card's BAR, as its own driver would give it.
struct PeerPages {
  PeerPages(host::HostMemory& memory, uint64_t bus_address, uint64_t bytes)
      : list(memory, bytes / kPage * 8), size(bytes) {
    for (uint64_t page = 0; page < bytes / kPage; ++page) {
      const uint64_t bus = bus_address + page * kPage;
      std::memcpy(list.bytes().data() + page * sizeof bus, &bus, sizeof bus);
    }
  }
  [[nodiscard]] npu_segment segment() const {
    return {list.bus_address(), size, NPU_SEGMENT_HOST_PAGES, NPU_SEGMENT_WRITABLE, 0};
  }
  host::HostBlock list;
  uint64_t size;
};

void boot(TestServer& server, const host::PciFunction& function) {
  const std::string image = TestServer::firmware();
  const host::InprocDevice device(server.host, function,
                                  {reinterpret_cast<const uint8_t*>(image.data()), image.size()});
}

npu_segment part(const npu_segment& share, uint64_t offset, uint64_t bytes) {
  return {share.base + offset, bytes, share.kind, share.flags, 0};
}

std::vector<uint8_t> pattern(uint64_t bytes) {
  std::mt19937 random(71);
  std::vector<uint8_t> data(bytes);
  for (auto& byte : data) byte = static_cast<uint8_t>(random());
  return data;
}

/// Segments of the producer: 1 its buffers, 2 the consumer's ring, 3 the consumer's flags. Flag 1 of the producer:
/// buffers that the consumer has emptied; flag 2 of the consumer: buffers that are full.
std::vector<npu_command> producer() {
  auto room = wait_for(1, static_cast<uint32_t>(1 - static_cast<int32_t>(kInFlight)));
  room.signal = 1;
  // The ring has kInFlight places: an inner loop goes round it.
  auto push = copy_command(NPU_COMMAND_DEVICE_HDMA, 1, NPU_ADDRESS(1, 0), NPU_ADDRESS(2, 0), kBufferBytes);
  const int64_t round = int64_t{kInFlight} * kBufferBytes;
  return {loop(kBuffers / kInFlight),
          loop(kInFlight),
          step_of({{1, 12, 4, 0, {}}, {kInFlight, 12, 4, 1, {}}}),
          room,
          step_of({{kBufferBytes, 0, 8, 0, {}}, {kBufferBytes, 8, 8, 0, {}}, {round, 0, 8, 1, {}}}),
          after(push, 1, 1, 2),
          step_of({{1, 12, 4, 0, {}}, {kInFlight, 12, 4, 1, {}}}),
          after(signal(NPU_ADDRESS(3, 4 * 2), 1), 2, 1),
          loop_end(),
          loop_end()};
}

/// Segments of the consumer: 1 its ring, 2 where it collects, 3 the producer's flags.
std::vector<npu_command> consumer() {
  auto full = wait_for(2, 1);
  full.signal = 1;
  const uint64_t shared = NPU_ADDRESS(NPU_SPACE_SHARED, 0);
  const int64_t round = int64_t{kInFlight} * kBufferBytes;
  return {loop(kBuffers / kInFlight),
          loop(kInFlight),
          step_of({{1, 12, 4, 0, {}}, {kInFlight, 12, 4, 1, {}}}),
          full,
          step_of({{kBufferBytes, 0, 8, 0, {}}}),
          after(copy_command(NPU_COMMAND_TASK_DMA, 0, NPU_ADDRESS(1, 0), shared, kBufferBytes), 1, 1),
          step_of({{kBufferBytes, 8, 8, 0, {}}, {round, 8, 8, 1, {}}}),
          after(copy_command(NPU_COMMAND_TASK_DMA, 0, shared, NPU_ADDRESS(2, 0), kBufferBytes), 1, 1, 2),
          step_of({{1, 12, 4, 0, {}}, {kInFlight, 12, 4, 1, {}}}),
          after(signal(NPU_ADDRESS(3, 4 * 1), 1), 2, 1),
          loop_end(),
          loop_end()};
}

/// Both jobs at once, each from a thread of its own.
void run_both(RawFunction& one, const std::vector<npu_command>& commands_of_one,
              std::initializer_list<npu_segment> segments_of_one, RawFunction& other,
              const std::vector<npu_command>& commands_of_other, std::initializer_list<npu_segment> segments_of_other) {
  bool done = false;
  sc_core::sc_event ended;
  npu_completion beside{};
  sc_core::sc_spawn([&] {
    beside = other.run(commands_of_other, segments_of_other);
    done = true;
    ended.notify();
  });
  const auto completion = one.run(commands_of_one, segments_of_one);
  while (!done) sc_core::wait(ended);
  EXPECT_EQ(completion.status, uint32_t{NPU_JOB_OK}) << completion.fault << " at " << completion.fault_command;
  EXPECT_EQ(beside.status, uint32_t{NPU_JOB_OK}) << beside.fault << " at " << beside.fault_command;
}

TEST(DeviceSyncCards, AThousandBuffersArriveExactlyAndInOrder) {
  const TestServer server("server-4", [](TestServer& self) {
    std::vector<std::unique_ptr<RawFunction>> cards;
    std::vector<npu_segment> shares;
    for (unsigned card = 0; card < 2; ++card) {
      boot(self, self.functions[card]);
      cards.push_back(std::make_unique<RawFunction>(self.host, self.functions[card]));
      ASSERT_EQ(cards[card]->create_queue(), uint32_t{NPU_MAILBOX_OK});
      shares.push_back(cards[card]->share());
    }
    auto& ram = self.host.ram();
    const uint64_t bytes = uint64_t{kBuffers} * kBufferBytes;
    const auto data = pattern(bytes);
    const auto source = part(shares[0], 0, bytes);
    const auto ring = part(shares[1], 0, uint64_t{kInFlight} * kBufferBytes);
    const auto collected = part(shares[1], 1 << 20, bytes);
    cards[0]->write_memory(source, data);
    const PeerPages ring_pages(ram, cards[1]->bar(2), ring.size);
    const PeerPages flags_of_consumer(ram, cards[1]->bar(0) + NPU_BAR0_DEVICE_SYNC, kPage);
    const PeerPages flags_of_producer(ram, cards[0]->bar(0) + NPU_BAR0_DEVICE_SYNC, kPage);
    run_both(*cards[0], producer(), {source, ring_pages.segment(), flags_of_consumer.segment()}, *cards[1], consumer(),
             {ring, collected, flags_of_producer.segment()});
    EXPECT_TRUE(cards[1]->read_memory(collected) == data);
    EXPECT_EQ(cards[1]->read(NPU_BAR0_DEVICE_SYNC + 4 * 2), kBuffers);
    EXPECT_EQ(cards[0]->read(NPU_BAR0_DEVICE_SYNC + 4 * 1), kBuffers);
    EXPECT_EQ(self.environment.diagnostics().misuse_count(), 0U);
  });
}

TEST(DeviceSyncCards, TheRuntimeJoinsTwoCards) {
  const TestServer server("server-4", [](TestServer& self) {
    const std::string image = TestServer::firmware();
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(image.data()), image.size());
    host::InprocDevice one(self.host, self.functions[1], bytes);
    host::InprocDevice other(self.host, self.functions[3], bytes);
    EXPECT_EQ(test::join_two_cards(one, other), "");
    EXPECT_EQ(self.environment.diagnostics().misuse_count(), 0U);
  });
}

TEST(DeviceSyncCards, APullReadsThePeersMemory) {
  const TestServer server("server-4", [](TestServer& self) {
    std::vector<std::unique_ptr<RawFunction>> cards;
    for (unsigned card = 0; card < 2; ++card) {
      boot(self, self.functions[card]);
      cards.push_back(std::make_unique<RawFunction>(self.host, self.functions[card]));
      ASSERT_EQ(cards[card]->create_queue(), uint32_t{NPU_MAILBOX_OK});
    }
    const auto mine = part(cards[0]->share(), 0, 1 << 16);
    const auto theirs = part(cards[1]->share(), 0, 1 << 16);
    const auto data = pattern(theirs.size);
    cards[1]->write_memory(theirs, data);
    const PeerPages pages(self.host.ram(), cards[1]->bar(2), theirs.size);
    const auto pull = copy_command(NPU_COMMAND_DEVICE_HDMA, 0, NPU_ADDRESS(2, 0), NPU_ADDRESS(1, 0), 1 << 16);
    EXPECT_EQ(cards[0]->run(pull, {mine, pages.segment()}).status, uint32_t{NPU_JOB_OK});
    EXPECT_TRUE(cards[0]->read_memory(mine) == data);
  });
}

TEST(DeviceSyncCards, AVirtualFunctionsFlagsAreItsOwn) {
  const TestServer server("server-1-vf", [](TestServer& self) {
    const auto& physical = self.functions.front();
    boot(self, physical);
    RawFunction owner(self.host, physical);
    ASSERT_EQ(owner.status_of(NPU_MESSAGE_PARTITION, {0, 2}), uint32_t{NPU_MAILBOX_OK});
    std::vector<std::unique_ptr<RawFunction>> functions;
    for (const auto& each : self.host.enable_virtual_functions(physical, 2)) {
      functions.push_back(std::make_unique<RawFunction>(self.host, each));
      ASSERT_EQ(functions.back()->create_queue(), uint32_t{NPU_MAILBOX_OK});
    }
    functions[0]->write(NPU_BAR0_DEVICE_SYNC + 20, 0x1234);
    EXPECT_EQ(functions[0]->read(NPU_BAR0_DEVICE_SYNC + 20), 0x1234U);
    EXPECT_EQ(functions[1]->read(NPU_BAR0_DEVICE_SYNC + 20), 0U);
    EXPECT_EQ(owner.read(NPU_BAR0_DEVICE_SYNC + 20), 0U);
    // A command of the other one sees its own flag, which nobody sets.
    auto waits = wait_for(5, 0x1234);
    waits.u.sync.compare = NPU_SYNC_EQUAL;
    waits.u.sync.timeout_us = 50;
    EXPECT_EQ(functions[1]->run(waits, {}).fault, uint32_t{NPU_FAULT_SYNC_TIMEOUT});
    EXPECT_EQ(functions[0]->run(waits, {}).status, uint32_t{NPU_JOB_OK});
  });
}

}  // namespace
}  // namespace npuvp::tests
