// SPDX-License-Identifier: Apache-2.0
// `data: none` on the whole card with the real firmware: the same report of times, faults, counters and energy as with
// data, and bulk data are nowhere. Each mode runs in a process of its own: SystemC elaborates once.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>

#include "firmware/abi/ecc.h"
#include "npu/registers/ecc.h"
#include "platform/host/inproc/inproc_device.h"
#include "tests/platform/assembly/card_bus.h"
#include "tests/platform/assembly/raw_function.h"
#include "tests/platform/test_server.h"

namespace npuvp::tests {
namespace {

constexpr uint64_t kMib = 1 << 20;

/// A card with its firmware up, and the report of what was done with it.
class CardRun {
 public:
  explicit CardRun(TestServer& server)
      : server_(server), function_(server.host, server.functions.front()), host_(server.host.ram(), 32 * kMib) {
    const std::string image = TestServer::firmware();
    {
      const host::InprocDevice device(server.host, server.functions.front(),
                                      {reinterpret_cast<const uint8_t*>(image.data()), image.size()});
    }
    share_ = function_.share();
    EXPECT_EQ(function_.create_queue(), uint32_t{NPU_MAILBOX_OK});
    std::iota(host_.bytes().begin(), host_.bytes().end(), uint8_t{1});
  }

  /// Segment 1 is 32 MiB of the host, segment 2 64 MiB of the card's DRAM.
  npu_completion job(std::span<const npu_command> commands) {
    const auto done = function_.run(commands, {host_.segment(), device()});
    report_ +=
        fmt::format("job: status {} fault {} at {:#x} command {} of {}, {} ns to {} ns\n", +done.status, +done.fault,
                    +done.fault_address, +done.fault_command, +done.commands, +done.start_ns, +done.end_ns);
    return done;
  }
  npu_completion job(std::initializer_list<npu_command> commands) {
    return job(std::span(commands.begin(), commands.size()));
  }
  [[nodiscard]] npu_segment device() const {
    return {share_.base, 64 * kMib, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0};
  }
  [[nodiscard]] std::span<uint8_t> host() const { return host_.bytes(); }
  [[nodiscard]] assembly::Card& card() { return server_.server.card(0); }
  void inject(uint64_t offset, uint32_t flips) {
    bus_.write(NPU_MAP_ECC + ECC_INJECT_ADDRESS, share_.base + offset);
    bus_.write(NPU_MAP_ECC + ECC_INJECT, flips);
  }
  void note(const std::string& line) { report_ += line + '\n'; }

  std::string finish() {
    sc_core::wait(1, sc_core::SC_MS);  // what the firmware still has to do
    for (const auto& kind : card().task_manager().time_by_kind()) {
      report_ += fmt::format("kind: {} {} {}\n", kind.busy.value(), kind.commands, kind.bytes);
    }
    for (size_t rail = 0; rail < base::kRails; ++rail) {
      report_ += fmt::format("rail: {:a} J\n", card().management().power.joules(static_cast<base::Rail>(rail)));
    }
    report_ += fmt::format("ecc: {} {} {:#x}\n", bus_.read<uint32_t>(NPU_MAP_ECC + ECC_CORRECTED(NPU_ECC_DRAM)),
                           bus_.read<uint32_t>(NPU_MAP_ECC + ECC_UNCORRECTED(NPU_ECC_DRAM)),
                           bus_.read<uint64_t>(NPU_MAP_ECC + ECC_FIRST_UNCORRECTED(NPU_ECC_DRAM)));
    return report_ + fmt::format("end: {} ps\n", sc_core::sc_time_stamp().value());
  }

 private:
  TestServer& server_;
  RawFunction function_;
  PagedBlock host_;
  CardBus bus_;
  npu_segment share_{};
  std::string report_;
};

using Workload = std::function<void(CardRun&)>;

/// A board file with one card that differs from atom-ca22 in `lines`.
std::string write_board(const std::filesystem::path& folder, const std::string& lines) {
  std::ofstream(folder / "card.yaml") << "card: test\nlike: atom-ca22\n" << lines;
  std::ofstream(folder / "server.yaml") << "server: test\nroot_ports:\n  - card: ./card.yaml\n";
  return folder / "server.yaml";
}

/// The report of a run in a child process.
std::string report_of(const std::string& mode, const Workload& workload) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("npuvp-data-{}-{}", mode, ::getpid());
  std::filesystem::create_directories(folder);
  const std::string board = write_board(folder, "data: " + mode + "\n");
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::string report;
    const TestServer server(board, [&](TestServer& self) {
      CardRun run(self);
      workload(run);
      report = run.finish();
    });
    const auto written = ::write(ends[1], report.data(), report.size());
    ::_exit(testing::Test::HasFailure() || written != static_cast<ssize_t>(report.size()) ? 1 : 0);
  }
  ::close(ends[1]);
  std::string report;
  std::array<char, 4096> part{};
  for (ssize_t bytes = 0; (bytes = ::read(ends[0], part.data(), part.size())) > 0;) {
    report.append(part.data(), static_cast<size_t>(bytes));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << mode << ":\n" << report;
  std::filesystem::remove_all(folder);
  return report;
}

void expect_same_report(const Workload& workload) {
  const std::string exact = report_of("exact", workload);
  EXPECT_NE(exact.find("status 0"), std::string::npos) << exact;
  EXPECT_EQ(exact, report_of("none", workload));
}

uint64_t host_at(uint64_t offset) {
  return NPU_ADDRESS(1, offset);
}
uint64_t dram_at(uint64_t offset) {
  return NPU_ADDRESS(2, offset);
}
uint64_t pad_at(uint64_t offset) {
  return NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, offset);
}
uint64_t shared_at(uint64_t offset) {
  return NPU_ADDRESS(NPU_SPACE_SHARED, offset);
}

/// Commands one after the other: each waits for the one before.
class Chain {
 public:
  npu_command& add(const npu_command& command) {
    npu_command& added = commands_.emplace_back(command);
    if (commands_.size() > 1) added.wait[0] = {kToken, static_cast<uint16_t>(commands_.size() - 1)};
    added.signal = kToken;
    return added;
  }
  npu_command& add(npu_command_kind kind, uint8_t opcode, unsigned engine) {
    npu_command command = copy_command(kind, engine, 0, 0, 0);
    command.opcode = opcode;
    command.u = {};
    return add(command);
  }
  [[nodiscard]] std::span<const npu_command> all() const { return commands_; }

 private:
  static constexpr uint16_t kToken = 3;
  std::vector<npu_command> commands_;
};

/// 512 x 512 INT8 by 512 x 512, bias and conversion, softmax, and back to the host.
TEST(DataNone, AJobOfTheEnginesTakesTheSameTime) {
  expect_same_report([](CardRun& run) {
    Chain chain;
    chain.add(copy_command(NPU_COMMAND_EXTERNAL_HDMA, 0, host_at(0), dram_at(0), kMib));
    chain.add(copy_command(NPU_COMMAND_NEURAL_DMA, 1, dram_at(0), pad_at(0), kMib / 2));
    auto& gemm = chain.add(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_GEMM, 1).u.gemm;
    gemm.type = NPU_TYPE_INT8;
    gemm.m = gemm.n = gemm.k = 512;
    gemm.a_stride = gemm.b_stride = 512;
    gemm.b = kMib / 4;
    gemm.c = kMib;
    gemm.c_stride = 2048;
    auto& vector = chain.add(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_VECTOR, 1).u.vector;
    vector.in = kMib;
    vector.out = 2 * kMib;
    vector.bias = 3 * kMib;
    vector.m = vector.n = 512;
    vector.in_stride = 2048;
    vector.out_stride = 2048;
    vector.in_type = NPU_TYPE_INT32;
    vector.out_type = NPU_TYPE_FP32;
    vector.flags = NPU_VECTOR_BIAS | NPU_VECTOR_RELU;
    auto& softmax = chain.add(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_SOFTMAX, 1).u.softmax;
    softmax.planes = 1;
    softmax.rows = softmax.columns = 512;
    softmax.in = {2 * kMib, 2048, 0};
    softmax.out = {kMib, 1024, 0};
    softmax.in_type = NPU_TYPE_FP32;
    softmax.result = {NPU_TYPE_FP16, 0, 0, 0};
    softmax.scale = 0x3f800000;
    chain.add(copy_command(NPU_COMMAND_NEURAL_DMA, 1, pad_at(kMib), dram_at(4 * kMib), kMib / 2));
    chain.add(copy_command(NPU_COMMAND_EXTERNAL_HDMA, 1, dram_at(4 * kMib), host_at(0), kMib / 2));
    EXPECT_EQ(run.job(chain.all()).status, uint32_t{NPU_JOB_OK});
  });
}

/// Strides, conversion, filling, an index list and a chain of descriptors that come from the host.
TEST(DataNone, ListsAndDescriptorsAreRealWhileTensorsAreNot) {
  expect_same_report([](CardRun& run) {
    constexpr uint64_t kLists = 32 * kMib;  // in DRAM
    constexpr uint32_t kRows = 1000;
    auto* const index = reinterpret_cast<uint32_t*>(run.host().data());
    for (uint32_t i = 0; i < kRows; ++i) index[i] = i * 7919 % 1024;
    auto* const descriptors = reinterpret_cast<npu_dma_descriptor*>(run.host().data() + 4096);
    for (uint64_t i = 0; i < 3; ++i) {
      npu_dma_descriptor& descriptor = descriptors[i] = {};
      descriptor.next = i == 2 ? NPU_DMA_CHAIN_END : dram_at(kLists + 4096 + (i + 1) * sizeof descriptor);
      descriptor.opcode = NPU_DMA_COPY;
      descriptor.u.dma = copy_command(NPU_COMMAND_TASK_DMA, 0, dram_at(i * kMib), shared_at(i * kMib), kMib).u.dma;
    }
    Chain chain;
    chain.add(copy_command(NPU_COMMAND_EXTERNAL_HDMA, 0, host_at(0), dram_at(kLists), 8192));
    chain.add(copy_command(NPU_COMMAND_EXTERNAL_HDMA, 0, host_at(kMib), dram_at(0), 8 * kMib));
    auto& list = chain.add(NPU_COMMAND_TASK_DMA, NPU_DMA_CHAIN, 0).u.chain;
    list.descriptor = dram_at(kLists + 4096);
    list.limit = 10;
    auto& gather = chain.add(NPU_COMMAND_TASK_DMA, NPU_DMA_TENSOR, 0).u.tensor;
    gather.source = dram_at(0);
    gather.destination = shared_at(16 * kMib);
    gather.size[0] = 512;
    gather.size[1] = kRows;
    gather.size[2] = gather.size[3] = gather.size[4] = 1;
    gather.source_stride[0] = 2;
    gather.source_stride[1] = 1024;
    gather.destination_stride[0] = 4;
    gather.destination_stride[1] = 2048;
    gather.source_type = NPU_TYPE_FP16;
    gather.destination_type = NPU_TYPE_FP32;
    gather.flags = NPU_DMA_GATHER;
    gather.index_dimension = 1;
    gather.indices = dram_at(kLists);
    gather.index_limit = 1024;
    EXPECT_EQ(run.job(chain.all()).status, uint32_t{NPU_JOB_OK});
  });
}

TEST(DataNone, FaultsHaveTheSamePlaceAndTime) {
  expect_same_report([](CardRun& run) {
    constexpr uint32_t kDouble = ECC_INJECT_DOUBLE_MASK | 9U << ECC_INJECT_BIT1_SHIFT | 4U;
    run.inject(kMib + 0x1008, kDouble);
    run.inject(2 * kMib + 0x88, 5);
    const auto load = copy_command(NPU_COMMAND_NEURAL_DMA, 2, dram_at(0), pad_at(0), 3 * kMib);
    const auto poisoned = run.job({load});
    EXPECT_EQ(poisoned.fault, uint32_t{NPU_FAULT_POISON});
    EXPECT_EQ(poisoned.fault_address, dram_at(kMib + 0x1000));
    // Written over, the word is sound again; the one with a single bit is corrected and counted when it is read.
    EXPECT_EQ(run.job({copy_command(NPU_COMMAND_EXTERNAL_HDMA, 0, host_at(0), dram_at(kMib), kMib)}).fault, 0U);
    EXPECT_EQ(run.job({load}).fault, 0U);
    // To nowhere: behind the segment's end.
    const auto outside =
        run.job({copy_command(NPU_COMMAND_EXTERNAL_HDMA, 0, host_at(0), dram_at(63 * kMib), 2 * kMib)});
    EXPECT_EQ(outside.status, uint32_t{NPU_JOB_FAULT});
    // A command that is wrong.
    Chain wrong;
    wrong.add(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_GEMM, 0).u.gemm.type = NPU_TYPE_FP32;
    EXPECT_EQ(run.job(wrong.all()).fault, uint32_t{NPU_FAULT_ILLEGAL_COMMAND});
  });
}

/// 24 MiB to the card, on it, and back: the host's memory holds what the mode says, results come as zeros.
TEST(DataNone, BulkDataAreNotStoredAndResultsAreZeros) {
  const Workload workload = [](CardRun& run) {
    const uint64_t before = run.card().dram().storage().resident_bytes();
    Chain chain;
    chain.add(copy_command(NPU_COMMAND_EXTERNAL_HDMA, 0, host_at(0), dram_at(0), 24 * kMib));
    chain.add(copy_command(NPU_COMMAND_TASK_DMA, 0, dram_at(0), shared_at(0), 24 * kMib));
    chain.add(copy_command(NPU_COMMAND_TASK_DMA, 0, shared_at(0), dram_at(32 * kMib), 24 * kMib));
    chain.add(copy_command(NPU_COMMAND_EXTERNAL_HDMA, 1, dram_at(32 * kMib), host_at(0), 24 * kMib));
    EXPECT_EQ(run.job(chain.all()).status, uint32_t{NPU_JOB_OK});
    run.note(fmt::format("stored: {}", run.card().dram().storage().resident_bytes() - before > kMib));
    const auto result = run.host().first(24 * kMib);
    run.note(fmt::format("zeros: {}", std::all_of(result.begin(), result.end(), [](uint8_t x) { return x == 0; })));
  };
  const std::string exact = report_of("exact", workload);
  const std::string none = report_of("none", workload);
  EXPECT_NE(exact.find("stored: true\nzeros: false"), std::string::npos) << exact;
  EXPECT_NE(none.find("stored: false\nzeros: true"), std::string::npos) << none;
}

}  // namespace
}  // namespace npuvp::tests
