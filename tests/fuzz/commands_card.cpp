// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/commands_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "firmware/abi/memory_map.h"
#include "firmware/abi/queue.h"
#include "npu/registers/task_manager.h"
#include "tests/fuzz/fuzz_target.h"

// SystemC's library refers to it.
int sc_main(int /*argc*/, char** /*argv*/) {
  return 0;
}

namespace npuvp::fuzz {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;

constexpr uint64_t kPage = NPU_HOST_PAGE_BYTES;
constexpr uint64_t kScratchpadBytes = 16 << 10;
constexpr uint64_t kSharedBytes = 128 << 10;  // both jobs' parts
constexpr uint64_t kSegmentBytes = 32 << 10;
constexpr uint64_t kHostPages = 4;
constexpr uint64_t kDramBytes = 4 << 20;

// Places of job n: + n times what is given as the second number.
constexpr uint64_t kWritable = NPU_MAP_DRAM + 0x10000, kWritableStep = 0x20000;
constexpr uint64_t kReadOnly = NPU_MAP_DRAM + 0x100000, kReadOnlyStep = 0x20000;
constexpr uint64_t kStream = NPU_MAP_DRAM + 0x200000, kStreamStep = 0x80000;
constexpr uint64_t kTable = NPU_MAP_DRAM + 0x3f0000, kTableStep = 0x1000;
constexpr uint64_t kList = NPU_MAP_HOST + 0x8000, kListStep = 0x1000;
constexpr uint64_t kPages = NPU_MAP_HOST + 0x100000, kPagesStep = 0x100000;

constexpr task_manager::Memories kMemories{
    .neural_engines = 2, .scratchpad_bytes = kScratchpadBytes, .shared_bytes = kSharedBytes, .dram_bytes = kDramBytes};

dma::Parameters engine(npu_command_kind kind, unsigned channels) {
  dma::Parameters parameters;
  parameters.kind = kind;
  parameters.channels = channels;
  return parameters;
}

template <typename Value>
std::span<const uint8_t> bytes_of(const Value& value) {
  return {reinterpret_cast<const uint8_t*>(&value), sizeof value};
}

}  // namespace

GuardedMemory::GuardedMemory(sc_core::sc_module_name module_name) : sc_module(module_name) {}

tlm_utils::simple_target_socket<GuardedMemory>& GuardedMemory::add_socket() {
  auto& socket = *sockets.emplace_back(
      std::make_unique<tlm_utils::simple_target_socket<GuardedMemory>>(sc_core::sc_gen_unique_name("socket")));
  socket.register_b_transport(this, &GuardedMemory::b_transport);
  return socket;
}

void GuardedMemory::allow(uint16_t context, uint64_t base, uint64_t bytes, bool writable) {
  regions_.push_back({context, base, writable, std::vector<uint8_t>(bytes)});
}

void GuardedMemory::put(uint64_t address, std::span<const uint8_t> data) {
  auto* const region = find(address, data.size(), -1);
  if (region == nullptr) report_finding("the fuzzer's own memory map is wrong");
  std::copy(data.begin(), data.end(), region->data.begin() + static_cast<std::ptrdiff_t>(address - region->base));
}

/// `context` -1: whoever.
GuardedMemory::Region* GuardedMemory::find(uint64_t address, uint64_t bytes, int context) {
  for (auto& region : regions_) {
    if (context >= 0 && region.context != context) continue;
    if (address >= region.base && address - region.base < region.data.size() &&
        bytes <= region.data.size() - (address - region.base)) {
      return &region;
    }
  }
  return nullptr;
}

void GuardedMemory::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const uint64_t address = payload.get_address();
  const uint64_t bytes = payload.get_data_length();
  const uint16_t context = base::sideband_of(payload).context;
  auto* const region = find(address, bytes, context);
  if (region == nullptr || bytes > kPage || bytes == 0) {
    report_finding(fmt::format("context {} reaches {:#x}, {} bytes", context, address, bytes));
  }
  uint8_t* const data = region->data.data() + (address - region->base);
  if (payload.is_write()) {
    if (!region->writable) report_finding(fmt::format("context {} writes {:#x}", context, address));
    std::memcpy(data, payload.get_data_ptr(), bytes);
  } else {
    std::memcpy(payload.get_data_ptr(), data, bytes);
  }
  delay += sc_time(50, SC_NS);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

class CommandsCard::IdleEngine final : public base::CommandTarget {
 public:
  base::CommandOutcome execute(const base::CommandRequest& request) override {
    sc_core::wait(request.command->tag % 1000, SC_NS);
    return request.command->tag % 64 == 63 ? base::CommandOutcome{NPU_FAULT_ILLEGAL_COMMAND, 0}
                                           : base::CommandOutcome{};
  }
};

CommandsCard& CommandsCard::instance() {
  static auto* const kInstance = new CommandsCard("card");  // lives as long as the kernel, which is never torn down
  return *kInstance;
}

CommandsCard::CommandsCard(sc_core::sc_module_name module_name)
    : sc_module(module_name),
      manager_("manager", environment_, {.memories = kMemories}),
      neural_dma_("neural_dma", environment_, engine(NPU_COMMAND_NEURAL_DMA, 2)),
      task_dma_("task_dma", environment_, engine(NPU_COMMAND_TASK_DMA, 1)),
      external_hdma_("external_hdma", environment_, engine(NPU_COMMAND_EXTERNAL_HDMA, 2)),
      device_hdma_("device_hdma", environment_, engine(NPU_COMMAND_DEVICE_HDMA, 2)),
      device_sync_("device_sync", environment_, {}),
      memory_("memory"),
      engine_(std::make_unique<IdleEngine>()) {
  environment_.set_log_level("all", spdlog::level::off);
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  for (auto* port : {&manager_.memory, &neural_dma_.memory, &task_dma_.memory, &external_hdma_.memory,
                     &device_hdma_.memory, &device_sync_.memory}) {
    port->socket.bind(memory_.add_socket());
  }
  device_sync_.others.bind(memory_.add_socket());
  hart_.socket.bind(manager_.registers);
  for (auto* socket :
       {&neural_dma_.registers, &task_dma_.registers, &external_hdma_.registers, &device_hdma_.registers}) {
    unused_.push_back(std::make_unique<base::InitiatorPort>(sc_core::sc_gen_unique_name("unused")));
    unused_.back()->socket.bind(*socket);
  }
  for (auto* socket : {&device_sync_.registers, &device_sync_.host}) {
    unused_.push_back(std::make_unique<base::InitiatorPort>(sc_core::sc_gen_unique_name("unused")));
    unused_.back()->socket.bind(*socket);
  }
  for (unsigned i = 0; i < 2; ++i) {
    manager_.neural_engines[i].bind(*engine_);
    manager_.neural_vector[i].bind(*engine_);
    manager_.neural_dma[i].bind(neural_dma_.commands[i]);
    manager_.external_hdma[i].bind(external_hdma_.commands[i]);
    manager_.device_hdma[i].bind(device_hdma_.commands[i]);
  }
  manager_.task_dma[0].bind(task_dma_.commands[0]);
  for (unsigned i = 0; i < NPU_SYNC_CHANNELS; ++i) manager_.device_sync[i].bind(device_sync_.commands[i]);
  for (unsigned job = 0; job < kJobs; ++job) {
    const auto context = static_cast<uint16_t>(job + 1);
    memory_.allow(context, kWritable + job * kWritableStep, kSegmentBytes, true);
    memory_.allow(context, kReadOnly + job * kReadOnlyStep, kSegmentBytes, false);
    memory_.allow(context, kList + job * kListStep, kHostPages * sizeof(uint64_t), false);
    memory_.allow(context, kPages + job * kPagesStep, kHostPages * kPage, true);
    memory_.allow(context, NPU_MAP_SCRATCHPAD + job * NPU_MAP_SCRATCHPAD_STRIDE, kScratchpadBytes, true);
    memory_.allow(context, NPU_MAP_SHARED + job * kSharedBytes / kJobs, kSharedBytes / kJobs, true);
    memory_.allow(0, kStream + job * kStreamStep, NPU_MAX_COMMAND_BYTES, false);
    memory_.allow(0, kTable + job * kTableStep, kPage, false);
    for (uint64_t page = 0; page < kHostPages; ++page) {
      const uint64_t bus = (kPages - NPU_MAP_HOST) + job * kPagesStep + (kHostPages - 1 - page) * kPage;
      memory_.put(kList + job * kListStep + page * sizeof bus, bytes_of(bus));
    }
    const std::array<npu_segment, 3> table{
        {{kWritable + job * kWritableStep, kSegmentBytes, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0},
         {kReadOnly + job * kReadOnlyStep, kSegmentBytes, NPU_SEGMENT_DEVICE, 0, 0},
         {kList - NPU_MAP_HOST + job * kListStep, kHostPages * kPage, NPU_SEGMENT_HOST_PAGES, NPU_SEGMENT_WRITABLE,
          0}}};
    memory_.put(kTable + job * kTableStep, bytes_of(table));
  }
  SC_HAS_PROCESS(CommandsCard);
  SC_THREAD(serve);
}

void CommandsCard::run(std::span<const std::vector<npu_command>> jobs, bool continue_after_fault) {
  jobs_ = jobs;
  continue_after_fault_ = continue_after_fault;
  running_ = true;
  start_.notify(sc_core::SC_ZERO_TIME);
  sc_core::sc_start();
  if (running_) report_finding("the simulation ended before the jobs did");
}

void CommandsCard::serve() {
  for (;;) {
    if (!running_) wait(start_);
    if (!running_) continue;
    const auto jobs = static_cast<unsigned>(jobs_.size());
    for (unsigned job = 0; job < jobs; ++job) prepare(job, jobs_[job], continue_after_fault_);
    for (unsigned job = 0; job < jobs; ++job) {
      write(job * task_manager::TaskManager::kSlotStride + TASK_MANAGER_CONTROL,
            uint32_t{TASK_MANAGER_CONTROL_START_MASK});
    }
    if (!wait_for_all(jobs)) {
      for (unsigned job = 0; job < jobs; ++job) {
        write(job * task_manager::TaskManager::kSlotStride + TASK_MANAGER_CONTROL,
              uint32_t{TASK_MANAGER_CONTROL_ABORT_MASK});
      }
      if (!wait_for_all(jobs)) report_finding("an aborted job does not end");
    }
    running_ = false;
    sc_core::sc_pause();
    wait(start_);
  }
}

void CommandsCard::prepare(unsigned job, const std::vector<npu_command>& commands, bool continue_after_fault) {
  const uint64_t slot = job * task_manager::TaskManager::kSlotStride;
  const uint64_t stream = kStream + job * kStreamStep;
  memory_.put(stream, {reinterpret_cast<const uint8_t*>(commands.data()), commands.size() * sizeof(npu_command)});
  write(slot + TASK_MANAGER_COMMANDS, stream);
  write(slot + TASK_MANAGER_COMMAND_BYTES, static_cast<uint32_t>(commands.size() * sizeof(npu_command)));
  write(slot + TASK_MANAGER_SEGMENTS, kTable + job * kTableStep);
  write(slot + TASK_MANAGER_SEGMENT_COUNT, uint32_t{3});
  write(slot + TASK_MANAGER_CONTEXT, uint32_t{job + 1});
  write(slot + TASK_MANAGER_FUNCTION, uint32_t{job});
  write(slot + TASK_MANAGER_OPTIONS, uint32_t{continue_after_fault});
  write(slot + TASK_MANAGER_ENGINES, uint32_t{1U << job});
  write(slot + TASK_MANAGER_SHARED_BASE, static_cast<uint32_t>(job * kSharedBytes / kJobs));
  write(slot + TASK_MANAGER_SHARED_BYTES, static_cast<uint32_t>(kSharedBytes / kJobs));
}

/// False: some job has not ended after 50 us.
bool CommandsCard::wait_for_all(unsigned jobs) {
  for (int i = 0; i < 500; ++i) {
    const uint32_t all = (1U << jobs) - 1;
    if ((read(TASK_MANAGER_DONE_SLOTS) & all) == all) return true;
    wait(100, SC_NS);
  }
  return false;
}

uint32_t CommandsCard::read(uint64_t offset) {
  uint32_t value = 0;
  sc_time delay;
  hart_.read(offset, {reinterpret_cast<uint8_t*>(&value), sizeof value}, delay);
  return value;
}

template <typename Value>
void CommandsCard::write(uint64_t offset, Value value) {
  sc_time delay;
  hart_.write(offset, bytes_of(value), delay);
}

}  // namespace npuvp::fuzz
