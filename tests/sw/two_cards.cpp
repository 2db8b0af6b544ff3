// SPDX-License-Identifier: Apache-2.0
#include "tests/sw/two_cards.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <random>
#include <vector>

#include "firmware/abi/command.h"
#include "firmware/abi/status.h"

namespace npuvp::test {
namespace {

using runtime::Buffer;
using runtime::Device;
using runtime::DeviceError;
using runtime::Placement;

constexpr size_t kBytes = 200'000;  // no whole pages
constexpr std::chrono::seconds kPatience{60};

/// Commands of one job, each after the one before it.
class Program {
 public:
  explicit Program(Device& device) : device_(device) {}

  void copy(npu_command_kind kind, unsigned engine, uint64_t source, uint64_t destination) {
    auto& dma = add(kind, NPU_DMA_COPY, engine).u.dma;
    dma.source = source;
    dma.destination = destination;
    dma.rows = 1;
    dma.row_bytes = kBytes;
  }
  npu_device_sync& sync(npu_sync_opcode opcode) { return add(NPU_COMMAND_DEVICE_SYNC, opcode, 0).u.sync; }
  void wait_for(uint32_t flag, uint32_t value) {
    auto& waits = sync(NPU_SYNC_WAIT);
    waits.flag = flag;
    waits.value = value;
    waits.compare = NPU_SYNC_GREATER_EQUAL;
  }
  void signal(uint64_t address, uint32_t value) {
    auto& signals = sync(NPU_SYNC_SIGNAL);
    signals.address = address;
    signals.value = value;
  }
  void reset(uint32_t flag) {
    auto& update = sync(NPU_SYNC_UPDATE);
    update.flag = flag;
    update.update = NPU_SYNC_SET;
  }

  /// Segment 0 is the commands, the others follow.
  void start(std::initializer_list<Buffer*> others) {
    const size_t bytes = commands_.size() * sizeof(npu_command);
    stream_ = device_.allocate(bytes, Placement::kHost);
    std::memcpy(stream_->bytes().data(), commands_.data(), bytes);
    std::vector<runtime::Segment> segments{{stream_.get(), false}};
    for (auto* other : others) segments.push_back({other, true});
    job_ = device_.submit({.segments = segments, .command_segment = 0, .command_bytes = static_cast<uint32_t>(bytes)});
  }
  void finish() {
    const auto done = device_.wait(job_, kPatience);
    if (done.status == NPU_JOB_OK) return;
    throw DeviceError("job failed: status " + std::to_string(done.status) + ", fault " + std::to_string(done.fault) +
                      ", command " + std::to_string(done.fault_command));
  }

 private:
  npu_command& add(npu_command_kind kind, unsigned opcode, unsigned engine) {
    npu_command command{};
    command.kind = static_cast<uint8_t>(kind);
    command.opcode = static_cast<uint8_t>(opcode);
    command.engine = static_cast<uint8_t>(engine);
    for (auto& wait : command.wait) wait.token = NPU_TOKEN_NONE;
    if (!commands_.empty()) command.wait[0] = {0, static_cast<uint16_t>(commands_.size())};
    return commands_.emplace_back(command);
  }

  Device& device_;
  std::vector<npu_command> commands_;
  std::unique_ptr<Buffer> stream_;
  runtime::JobId job_ = 0;
};

void reset_flag(Device& device, const runtime::Flags& flags) {
  Program program(device);
  program.reset(flags.first());
  program.start({});
  program.finish();
}

bool refuses(const std::function<void()>& attempt) {
  try {
    attempt();
  } catch (const DeviceError&) {
    return true;
  }
  return false;
}

}  // namespace

std::string join_two_cards(Device& one, Device& other) {
  const auto source = one.allocate(kBytes, Placement::kHost);
  const auto own = one.allocate(kBytes, Placement::kDevice);
  const auto room = other.allocate(kBytes, Placement::kPeer);
  const auto result = other.allocate(kBytes, Placement::kHost);
  const auto full = other.allocate_flags(2);
  const auto taken = one.allocate_flags(1);
  const auto room_at_one = one.import(*room);
  const auto full_at_one = one.import(*full);
  const auto taken_at_other = other.import(*taken);
  std::mt19937 random(5);
  for (auto& byte : source->bytes()) byte = static_cast<std::byte>(random());
  reset_flag(other, *full);
  reset_flag(one, *taken);

  Program receive(other);
  receive.wait_for(full->first(), 7);
  receive.copy(NPU_COMMAND_EXTERNAL_HDMA, 1, NPU_ADDRESS(1, 0), NPU_ADDRESS(2, 0));
  receive.signal(NPU_ADDRESS(3, 4 * taken->first()), 1);
  receive.start({room.get(), result.get(), taken_at_other.get()});

  Program send(one);
  send.copy(NPU_COMMAND_EXTERNAL_HDMA, 0, NPU_ADDRESS(1, 0), NPU_ADDRESS(2, 0));
  send.copy(NPU_COMMAND_DEVICE_HDMA, 1, NPU_ADDRESS(2, 0), NPU_ADDRESS(3, 0));
  send.signal(NPU_ADDRESS(4, 4 * full->first()), 7);
  send.wait_for(taken->first(), 1);
  send.start({source.get(), own.get(), room_at_one.get(), full_at_one.get()});
  send.finish();
  receive.finish();

  std::string wrong;
  const auto expect = [&wrong](bool good, const char* claim) {
    if (!good) wrong += std::string(claim) + "; ";
  };
  expect(std::equal(source->bytes().begin(), source->bytes().end(), result->bytes().begin()),
         "the block came as it was sent");
  expect(refuses([&] { (void)one.import(*own); }), "a card's own buffer is not imported");
  expect(refuses([&] { (void)other.import(*own); }), "a buffer that is not in the window is not imported");
  expect(refuses([&] { (void)other.import(*source); }), "a host buffer is not imported");
  expect(refuses([&] { (void)other.import(*full); }), "a card's own flags are not imported");
  expect(refuses([&] { (void)one.allocate_flags(0); }), "no flags are not allocated");
  expect(refuses([&] { (void)one.allocate_flags(NPU_SYNC_FLAGS + 1); }), "more flags than there are are refused");
  expect(refuses([&] {
           Program program(one);
           program.reset(taken->first());
           program.start({room.get()});
         }),
         "another card's buffer is no segment");
  return wrong;
}

}  // namespace npuvp::test
