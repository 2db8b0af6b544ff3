// SPDX-License-Identifier: Apache-2.0
// Programs that own one virtual function attack the rest of a card: what the others have stays secret and unchanged,
// and their jobs go on. The real firmware on the whole card, through the fabric. There is no IOMMU on this host: a
// function's DMA reaches all host memory by its very nature, so host memory is not part of what is defended here.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <set>
#include <string>

#include "platform/host/inproc/inproc_device.h"
#include "tests/platform/assembly/raw_function.h"
#include "tests/platform/test_server.h"

namespace npuvp::tests {
namespace {

constexpr uint64_t kPage = NPU_HOST_PAGE_BYTES;
constexpr uint64_t kSharedBytes = 32 << 20;
constexpr uint64_t kScratchpadBytes = 4 << 20;
constexpr unsigned kEngines = 8;
constexpr uint32_t kBar0Step = 4;

/// Bytes that nobody guesses, different for each seed.
std::vector<uint8_t> secret(uint64_t seed, uint64_t bytes) {
  std::mt19937_64 random(seed);
  std::vector<uint8_t> data(bytes);
  for (uint64_t at = 0; at + 8 <= bytes; at += 8) {
    const uint64_t word = random();
    std::memcpy(data.data() + at, &word, sizeof word);
  }
  return data;
}

npu_segment part(const npu_segment& segment, uint64_t offset, uint64_t bytes) {
  return {segment.base + offset, bytes, segment.kind, segment.flags, 0};
}

/// A card with its physical function, the attacker and a neighbour, which keep secrets at both ends of their memory.
struct SharedCard {
  static constexpr unsigned kVfs = 16;
  using Body = std::function<void(SharedCard&)>;

  explicit SharedCard(TestServer& server) : host(server.host) {
    const std::string image = TestServer::firmware();
    const auto& physical_function = server.functions.front();
    {
      const host::InprocDevice device(host, physical_function,
                                      {reinterpret_cast<const uint8_t*>(image.data()), image.size()});
    }
    functions.push_back(std::make_unique<RawFunction>(host, physical_function));
    EXPECT_EQ(physical().status_of(NPU_MESSAGE_PARTITION, {0, kVfs}), uint32_t{NPU_MAILBOX_OK});
    for (const auto& each : host.enable_virtual_functions(physical_function, kVfs)) {
      functions.push_back(std::make_unique<RawFunction>(host, each));
    }
    for (auto* each : victims()) {
      EXPECT_EQ(each->create_queue(), uint32_t{NPU_MAILBOX_OK});
      shares.push_back(each->share());
    }
    keep_secrets();
    EXPECT_EQ(attacker().create_queue(), uint32_t{NPU_MAILBOX_OK});
  }

  RawFunction& physical() { return *functions[0]; }
  RawFunction& attacker() { return *functions[2]; }
  std::vector<RawFunction*> victims() { return {functions[0].get(), functions[1].get(), functions[3].get()}; }

  void keep_secrets() {
    const auto owners = victims();
    for (size_t each = 0; each < owners.size(); ++each) {
      for (const auto& place : places(each)) owners[each]->write_memory(place, secret(place.base, place.size));
    }
  }

  /// What the others have is theirs still, and they work.
  void expect_unharmed(const char* after) {
    const auto owners = victims();
    for (size_t each = 0; each < owners.size(); ++each) {
      EXPECT_EQ(owners[each]->read(MAILBOX_HOST_CARD_STATE), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY});
      for (const auto& place : places(each)) {
        EXPECT_EQ(owners[each]->read_memory(place), secret(place.base, place.size)) << after << ", victim " << each;
      }
      const auto share = owners[each]->share();
      EXPECT_EQ(share.base, shares[each].base) << after;
      EXPECT_EQ(share.size, shares[each].size) << after;
    }
  }

  /// First and last pages of a victim's memory: the neighbours of the attacker's.
  [[nodiscard]] std::vector<npu_segment> places(size_t victim) const {
    const auto& share = shares.at(victim);
    return {part(share, 0, kPlaceBytes), part(share, share.size - kPlaceBytes, kPlaceBytes)};
  }

  /// True if `data` has a word of a victim's memory anywhere.
  [[nodiscard]] bool knows_a_secret(std::span<const uint8_t> data) const {
    std::set<uint64_t> words;
    for (size_t each = 0; each < shares.size(); ++each) {
      for (const auto& place : places(each)) {
        const auto bytes = secret(place.base, place.size);
        for (size_t at = 0; at < bytes.size(); at += 8) words.insert(word_at(bytes, at));
      }
    }
    for (size_t at = 0; at + 8 <= data.size(); at += 8) {
      if (words.contains(word_at(data, at))) return true;
    }
    return false;
  }

  static constexpr uint64_t kPlaceBytes = 2 * kPage;

  static uint64_t word_at(std::span<const uint8_t> data, size_t at) {
    uint64_t word = 0;
    std::memcpy(&word, data.data() + at, sizeof word);
    return word;
  }

  host::InprocHost& host;
  std::vector<std::unique_ptr<RawFunction>> functions;  // 0 the physical one
  std::vector<npu_segment> shares;                      // of the victims
};

void on_shared_card(const SharedCard::Body& body) {
  const TestServer server("server-1-vf", [&body](TestServer& self) {
    SharedCard card(self);
    body(card);
  });
}

std::vector<uint32_t> registers_of(RawFunction& function) {
  std::vector<uint32_t> values;
  for (uint32_t offset = 0; offset < NPU_BAR0_BYTES; offset += kBar0Step) values.push_back(function.read(offset));
  return values;
}

TEST(Isolation, RegistersOfAVirtualFunctionAreNobodyElses) {
  on_shared_card([](SharedCard& card) {
    std::vector<std::vector<uint32_t>> before;
    for (auto* victim : card.victims()) {
      victim->write(MAILBOX_HOST_H2C_DATA(7), 0x5ec2e7);  // a secret in a register
      before.push_back(registers_of(*victim));
    }
    std::mt19937 random(1);
    for (const uint32_t value : {0xffff'ffffU, 1U, 0U, static_cast<uint32_t>(random())}) {
      for (uint32_t offset = 0; offset < NPU_BAR0_BYTES; offset += kBar0Step) card.attacker().write(offset, value);
    }
    for (const uint32_t value : registers_of(card.attacker())) EXPECT_NE(value, 0x5ec2e7U);
    sc_core::wait(10, sc_core::SC_MS);
    for (size_t each = 0; each < before.size(); ++each) {
      EXPECT_EQ(registers_of(*card.victims()[each]), before[each]) << "victim " << each;
    }
    card.expect_unharmed("register writes");
    // It has reset itself at most.
    EXPECT_EQ(card.attacker().read(MAILBOX_HOST_CARD_STATE), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY});
    card.attacker().write(MAILBOX_HOST_CONTROL, MAILBOX_HOST_CONTROL_CARD_RESET_MASK);
    EXPECT_EQ(card.attacker().status_of(NPU_MESSAGE_PING), uint32_t{NPU_MAILBOX_OK});
    card.expect_unharmed("a card reset by the attacker");
  });
}

TEST(Isolation, MessagesOfAVirtualFunctionConcernItselfOnly) {
  on_shared_card([](SharedCard& card) {
    auto& attacker = card.attacker();
    const std::set<uint32_t> allowed{
        NPU_MESSAGE_HELLO,          NPU_MESSAGE_QUEUE_CREATE,    NPU_MESSAGE_QUEUE_DESTROY,  NPU_MESSAGE_PING,
        NPU_MESSAGE_CONTEXT_CREATE, NPU_MESSAGE_CONTEXT_DESTROY, NPU_MESSAGE_CONTEXT_STATUS, NPU_MESSAGE_FAULT_READ,
        NPU_MESSAGE_CONTEXT_TIME,   NPU_MESSAGE_CONTEXT_MAP,     NPU_MESSAGE_CONTEXT_UNMAP,  NPU_MESSAGE_DRAM_CLEAR};
    for (uint32_t opcode = 0; opcode < 256; ++opcode) {
      if (allowed.contains(opcode)) continue;
      EXPECT_EQ(attacker.status_of(opcode, {0, 0, 1, 2, NPU_ABI_VERSION}), uint32_t{NPU_MAILBOX_NOT_PERMITTED})
          << opcode;
    }
    attacker.destroy_queue();
    for (uint32_t queue = 0; queue < 256; ++queue) {
      EXPECT_EQ(attacker.status_of(NPU_MESSAGE_QUEUE_DESTROY, {0, queue}), uint32_t{NPU_MAILBOX_BAD_ARGUMENT}) << queue;
      if (queue < NPU_VF_QUEUES) continue;
      EXPECT_EQ(attacker.status_of(NPU_MESSAGE_QUEUE_CREATE, attacker.queue_arguments(queue, 1)),
                uint32_t{NPU_MAILBOX_BAD_ARGUMENT})
          << queue;
    }
    // The victims have contexts with numbers of 0 to 255, too.
    for (uint32_t context = 0; context < 256; ++context) {
      EXPECT_EQ(attacker.status_of(NPU_MESSAGE_CONTEXT_DESTROY, {0, context}), uint32_t{NPU_MAILBOX_BAD_ARGUMENT});
      EXPECT_EQ(attacker.status_of(NPU_MESSAGE_CONTEXT_STATUS, {0, context}), uint32_t{NPU_MAILBOX_BAD_ARGUMENT});
    }
    for (uint32_t function = 1; function <= NPU_MAX_VFS; ++function) {
      EXPECT_EQ(attacker.status_of(NPU_MESSAGE_FAULT_READ, {0, 0, 0x1000, 0, 1, function}),
                uint32_t{NPU_MAILBOX_NOT_PERMITTED});
    }
    for (const uint32_t vector : {4U, 5U, 31U, 32U, 255U, 65535U}) {
      EXPECT_EQ(attacker.status_of(NPU_MESSAGE_QUEUE_CREATE, attacker.queue_arguments(0, vector)),
                uint32_t{NPU_MAILBOX_BAD_ARGUMENT})
          << vector;
    }
    card.expect_unharmed("messages");
  });
}

TEST(Isolation, SegmentsOutsideOfTheShareAreRefused) {
  on_shared_card([](SharedCard& card) {
    auto& attacker = card.attacker();
    const auto own = attacker.share();
    const uint64_t end = own.base + own.size;
    std::vector<npu_segment> wrong{
        part(own, ~0ULL - kPage + 1, kPage),      // the neighbour before
        part(own, own.size, kPage),               // and behind
        part(own, own.size - kPage, 2 * kPage),   // across the end
        part(own, ~0ULL - kPage + 1, 2 * kPage),  // across the begin
        part(own, 0, own.size + 1),
        part(own, 0, ~0ULL),  // wraps
        part(own, kPage, ~0ULL - own.base),
        {NPU_MAP_DRAM, kPage, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0},  // command staging
        {NPU_MAP_DRAM + NPU_DRAM_RESERVED_BYTES - kPage, kPage, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0},
        {0, end, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0},
        {0, ~0ULL, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0},
        {own.base, kPage, 3, NPU_SEGMENT_WRITABLE, 0},
        {own.base, kPage, 0, NPU_SEGMENT_WRITABLE, 0},
    };
    // Everything else on the card: ROM, TCM, registers of every block, shared memory, scratchpads, and the way to
    // hosts.
    for (const uint64_t base :
         {NPU_MAP_ROM, NPU_MAP_TCM, NPU_MAP_ACLINT, NPU_MAP_PLIC, NPU_MAP_UART, NPU_MAP_SYSTEM_CONTROLLER,
          NPU_MAP_TASK_MANAGER, NPU_MAP_EXTERNAL_HDMA, NPU_MAP_NEURAL_DMA, NPU_MAP_TASK_DMA, NPU_MAP_APERTURE,
          NPU_MAP_NEURAL_ENGINE, NPU_MAP_MAILBOX, NPU_MAP_SHARED, NPU_MAP_SCRATCHPAD, NPU_MAP_HOST,
          NPU_MAP_HOST | NPU_MAP_DRAM, NPU_MAP_HOST | card.physical().bar(0)}) {
      wrong.push_back({base, kPage, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0});
    }
    for (const auto& share : card.shares) wrong.push_back(part(share, 0, kPage));
    for (const auto& place : {card.places(0), card.places(1), card.places(2)}) {
      for (const auto& each : place) wrong.push_back(each);
    }
    PagedBlock loot(card.host.ram(), kPage);
    for (const auto& segment : wrong) {
      const auto steal = copy_command(NPU_COMMAND_EXTERNAL_HDMA, 1, NPU_ADDRESS(2, 0), NPU_ADDRESS(1, 0), kPage);
      EXPECT_EQ(attacker.run(steal, {loot.segment(), segment}).status, uint32_t{NPU_JOB_BAD_SUBMISSION})
          << std::hex << segment.base << " " << segment.size;
      // As the place of the commands themselves.
      const std::vector<npu_segment> table{segment, loot.segment()};
      EXPECT_EQ(attacker.submit(table, sizeof(npu_command)).status, uint32_t{NPU_JOB_BAD_SUBMISSION});
    }
    EXPECT_TRUE(std::all_of(loot.bytes().begin(), loot.bytes().end(), [](uint8_t byte) { return byte == 0; }));
    card.expect_unharmed("segments");
  });
}

/// A random address of a command: any space, and offsets around everything that has an end.
uint64_t forged_address(std::mt19937_64& random, const SharedCard& card, const npu_segment& own) {
  const std::array<uint32_t, 9> spaces{0, 1, 2, 3, 15, NPU_SPACE_SCRATCHPAD, NPU_SPACE_SHARED, 0x7f, 0xff};
  const std::array<uint64_t, 12> offsets{0,
                                         8,
                                         kPage,
                                         own.size - kPage,
                                         own.size,
                                         kScratchpadBytes,
                                         kScratchpadBytes - 64,
                                         kSharedBytes,
                                         kSharedBytes - 64,
                                         NPU_ADDRESS_OFFSET(card.shares[0].base - own.base),
                                         NPU_ADDRESS_OFFSET(card.shares[1].base - own.base),
                                         (1ULL << 56) - 64};
  // Every other one is what a decent program would use.
  const bool decent = random() % 2 != 0;
  const std::array<uint32_t, 4> decent_spaces{1, 2, NPU_SPACE_SCRATCHPAD, NPU_SPACE_SHARED};
  return NPU_ADDRESS(decent ? decent_spaces[random() % decent_spaces.size()] : spaces[random() % spaces.size()],
                     random() % 2 != 0 ? 0 : offsets[random() % offsets.size()]);
}

TEST(Isolation, CommandsReachNoMemoryOfOthers) {
  on_shared_card([](SharedCard& card) {
    auto& attacker = card.attacker();
    const auto own = attacker.share();
    // Host pages: some of its own, some forged.
    PagedBlock loot(card.host.ram(), 64 * kPage);
    std::mt19937_64 random(7);
    std::vector<uint64_t> forged{0, kPage + 8, (1ULL << 52) + kPage, NPU_MAP_HOST, ~0ULL, ~0ULL - kPage + 1};
    for (const auto& share : card.shares) forged.push_back(NPU_MAP_HOST | share.base);
    for (auto* victim : card.victims()) {
      for (const unsigned bar : {0U, 2U}) forged.push_back(victim->bar(bar));
      forged.push_back(victim->bar(0) + 0x1000);
      forged.push_back(victim->bar(0) + NPU_BAR0_MSIX_TABLE);
    }
    unsigned ended_well = 0;
    for (int round = 0; round < 4000; ++round) {
      for (uint64_t page = 0; page < 4; ++page) {
        loot.set_page(page, random() % 4 != 0 ? loot.bus_address() + page * kPage : forged[random() % forged.size()]);
      }
      const std::array kinds{NPU_COMMAND_EXTERNAL_HDMA, NPU_COMMAND_NEURAL_DMA, NPU_COMMAND_TASK_DMA};
      const std::array<uint32_t, 5> sizes{8, 64, kPage, 4 * kPage, 1 << 20};
      auto command = copy_command(kinds[random() % kinds.size()], static_cast<unsigned>(random() % 9),
                                  forged_address(random, card, own), forged_address(random, card, own),
                                  sizes[random() % sizes.size()]);
      if (command.kind == NPU_COMMAND_EXTERNAL_HDMA) command.engine &= 1U;
      if (command.kind == NPU_COMMAND_TASK_DMA) command.engine = 0;
      if (random() % 4 == 0) {
        command.u.dma.rows = 3;
        command.u.dma.source_stride = NPU_ADDRESS_OFFSET(card.shares[random() % 2].base - own.base);
        command.u.dma.destination_stride = random();
      }
      const auto done = attacker.run(command, {loot.segment(), own, part(own, kPage, kPage)});
      if (done.status == NPU_JOB_OK) ++ended_well;
      if (round % 1000 == 999) card.expect_unharmed("commands");
    }
    EXPECT_GT(ended_well, 50U) << "the attacks are not all refused for their form";
    EXPECT_FALSE(card.knows_a_secret(loot.bytes()));
    EXPECT_FALSE(card.knows_a_secret(attacker.read_memory(part(own, 0, 2 << 20))));
    EXPECT_FALSE(card.knows_a_secret(attacker.read_memory(part(own, own.size - (2 << 20), 2 << 20))));
  });
}

TEST(Isolation, DmaOfAVirtualFunctionReachesNoOtherFunctionsBars) {
  on_shared_card([](SharedCard& card) {
    auto& attacker = card.attacker();
    const auto own = attacker.share();
    for (auto* victim : card.victims()) {
      for (const uint64_t target : {victim->bar(0), victim->bar(0) + 0x1000, victim->bar(0) + 0x8000, victim->bar(2)}) {
        PagedBlock page(card.host.ram(), kPage);
        page.set_page(0, target);
        const std::vector<uint8_t> ones(kPage, 0xff);
        attacker.write_memory(part(own, 0, kPage), ones);
        for (const uint32_t offset : {0U, 0x10U, 0x40U}) {  // 0x10 of BAR0 is CONTROL, 0x40 the doorbell
          const auto write = copy_command(NPU_COMMAND_EXTERNAL_HDMA, 1, NPU_ADDRESS(2, 0), NPU_ADDRESS(1, offset), 4);
          attacker.run(write, {page.segment(), own});
          const auto read = copy_command(NPU_COMMAND_EXTERNAL_HDMA, 0, NPU_ADDRESS(1, offset), NPU_ADDRESS(2, 0), 4);
          const auto done = attacker.run(read, {page.segment(), own});
          EXPECT_EQ(done.status, uint32_t{NPU_JOB_FAULT}) << std::hex << target;
          EXPECT_EQ(done.fault, uint32_t{NPU_FAULT_BUS}) << std::hex << target;
        }
        // Its rings there: no submission is found, no completion written.
        auto rings = attacker.queue_arguments(1, 1);
        rings[2] = rings[4] = static_cast<uint32_t>(target);
        rings[3] = rings[5] = static_cast<uint32_t>(target >> 32);
        attacker.call(NPU_MESSAGE_QUEUE_CREATE, rings);
        attacker.write(MAILBOX_HOST_SQ_TAIL(1), 3);
        sc_core::wait(1, sc_core::SC_MS);
        attacker.status_of(NPU_MESSAGE_QUEUE_DESTROY, {0, 1});
        attacker.write(MAILBOX_HOST_SQ_TAIL(1), 0);
      }
    }
    card.expect_unharmed("DMA to bus addresses of BARs");
  });
}

TEST(Isolation, NothingIsLeftOnTheCardForTheNextFunction) {
  on_shared_card([](SharedCard& card) {
    const uint64_t source_bytes = kScratchpadBytes;
    const auto fill = [&](RawFunction& function, const npu_segment& share, bool back) {
      std::vector<npu_command> commands;
      const auto copy = [&](npu_command_kind kind, unsigned engine, uint64_t memory, uint64_t dram) {
        commands.push_back(back ? copy_command(kind, engine, memory, dram, static_cast<uint32_t>(source_bytes))
                                : copy_command(kind, engine, dram, memory, static_cast<uint32_t>(source_bytes)));
      };
      for (uint64_t at = 0; at < kSharedBytes; at += source_bytes) {
        copy(NPU_COMMAND_TASK_DMA, 0, NPU_ADDRESS(NPU_SPACE_SHARED, at), NPU_ADDRESS(1, back ? at : 0));
      }
      for (unsigned engine = 0; engine < kEngines; ++engine) {
        copy(NPU_COMMAND_NEURAL_DMA, engine, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0),
             NPU_ADDRESS(1, back ? kSharedBytes + engine * source_bytes : 0));
      }
      EXPECT_EQ(function.run(commands, {share}).status, uint32_t{NPU_JOB_OK});
    };
    const auto own = card.attacker().share();
    // In the middle of the memory, away from the secrets at the ends.
    const std::array<npu_segment, 2> areas{part(card.shares[1], 16 << 20, 64 << 20), part(own, 16 << 20, 64 << 20)};
    const std::array<RawFunction*, 2> functions{card.victims()[1], &card.attacker()};
    for (const size_t writer : {0U, 1U}) {
      const size_t reader = 1 - writer;
      const auto pattern = secret(99 + writer, source_bytes);
      functions[writer]->write_memory(part(areas[writer], 0, source_bytes), pattern);
      fill(*functions[writer], areas[writer], false);
      fill(*functions[writer], areas[writer], true);
      EXPECT_EQ(functions[writer]->read_memory(part(areas[writer], 60 << 20, source_bytes)), pattern)
          << "its own next job finds what it left";
      fill(*functions[reader], areas[reader], true);
      for (uint64_t at = 0; at < areas[reader].size; at += source_bytes) {
        const auto found = functions[reader]->read_memory(part(areas[reader], at, source_bytes));
        EXPECT_TRUE(std::all_of(found.begin(), found.end(), [](uint8_t byte) { return byte == 0; })) << at;
      }
    }
    card.expect_unharmed("jobs that leave things behind");
  });
}

TEST(Isolation, MemoryIsClearedBeforeTheNextOwnerHasIt) {
  on_shared_card([](SharedCard& card) {
    auto& attacker = card.attacker();
    const auto own = attacker.share();
    const auto pattern = secret(5, kPage);
    attacker.write_memory(part(own, 0, kPage), pattern);
    attacker.write_memory(part(own, own.size - kPage, kPage), pattern);
    EXPECT_EQ(card.host.mmio_read32(attacker.bar(2)), static_cast<uint32_t>(SharedCard::word_at(pattern, 0)));
    const auto express = card.host.find_capability(attacker.function().bdf, 0x10);
    card.host.config_write(attacker.function().bdf, static_cast<uint16_t>(express + 8), 0x8000, 2);  // FLR
    EXPECT_NE(card.host.mmio_read32(attacker.bar(2)), static_cast<uint32_t>(SharedCard::word_at(pattern, 0)));
    card.host.config_change(attacker.function().bdf, 0x04, 0x6, 0x6);
    ASSERT_EQ(attacker.create_queue(), uint32_t{NPU_MAILBOX_OK});
    EXPECT_EQ(attacker.read_memory(part(own, 0, kPage)), std::vector<uint8_t>(kPage));
    EXPECT_EQ(attacker.read_memory(part(own, own.size - kPage, kPage)), std::vector<uint8_t>(kPage));
    card.expect_unharmed("a function-level reset of the attacker");
  });
}

TEST(Isolation, TheWindowShowsTheFunctionsOwnMemoryOnly) {
  on_shared_card([](SharedCard& card) {
    auto& attacker = card.attacker();
    const uint64_t bytes = attacker.function().bar_bytes[2];
    std::vector<uint8_t> data(bytes);
    for (uint64_t at = 0; at < bytes; at += kPage) {
      sc_core::sc_time delay;
      const std::span<uint8_t> piece(data.data() + at, kPage);
      EXPECT_EQ(card.host.mmio.read(attacker.bar(2) + at, piece, delay), tlm::TLM_OK_RESPONSE);
      const std::vector<uint8_t> ones(kPage, 0xff);
      card.host.mmio.write(attacker.bar(2) + at, ones, delay);
      sc_core::wait(delay);
    }
    EXPECT_FALSE(card.knows_a_secret(data));
    card.expect_unharmed("writes through the window");
    const auto own = attacker.share();
    EXPECT_EQ(attacker.read_memory(part(own, bytes - kPage, kPage)), std::vector<uint8_t>(kPage, 0xff));
    EXPECT_EQ(attacker.read_memory(part(own, bytes, kPage)), std::vector<uint8_t>(kPage));
  });
}

}  // namespace
}  // namespace npuvp::tests
