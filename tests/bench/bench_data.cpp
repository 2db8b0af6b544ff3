// SPDX-License-Identifier: Apache-2.0
// npuvp bench data: host time of the same jobs with `data: none` and with data, each in a process of its own, and their
// simulated times, which must be equal.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <functional>

#include "tests/bench/bench_report.h"
#include "tests/bench/card_run.h"

namespace {

using namespace npuvp;

constexpr uint32_t kMib = 1 << 20;

/// What one job took: processor time of the host, and time of the card.
struct Taken {
  double host_seconds = 0;
  double card_seconds = 0;
};

double now() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

Taken timed(bench::Stream& stream, runtime::Device& device, std::vector<runtime::Segment> segments) {
  const double begin = now();
  const auto done = stream.run(device, std::move(segments));
  return {now() - begin, static_cast<double>(done.end_ns - done.start_ns) * 1e-9};
}

using Workload = std::function<Taken(runtime::Device& device)>;

Taken run(config::DataMode mode, const Workload& workload) {
  auto config = config::load_server("server-1", NPUVP_BOARDS_DIR);
  config.cards.front().data = mode;
  Taken taken;
  bench::run_on_card(config, [&](runtime::Device& device) { taken = workload(device); });
  return taken;
}

/// In a child process: SystemC elaborates once. Throws runtime::DeviceError when it fails.
Taken measure(config::DataMode mode, const Workload& workload) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw runtime::DeviceError("no pipe to a benchmark's process");
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 1;
    try {
      const Taken taken = run(mode, workload);
      status = ::write(ends[1], &taken, sizeof taken) == sizeof taken ? 0 : 1;
    } catch (const std::exception& error) {
      fmt::print(stderr, "npuvp: {}\n", error.what());
    }
    ::_exit(status);
  }
  ::close(ends[1]);
  Taken taken;
  const bool complete = child > 0 && ::read(ends[0], &taken, sizeof taken) == sizeof taken;
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  if (!complete) throw runtime::DeviceError("a benchmark's process failed");
  return taken;
}

/// 16 products of INT8 512 x 2048 by 2048 x 512 in a row on one engine, with operands that are where they are.
Taken gemm(runtime::Device& device) {
  bench::Stream stream;
  for (unsigned i = 0; i < 16; ++i) {
    npu_gemm& gemm = stream.add(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_GEMM, 0, 0).u.gemm;
    gemm.type = NPU_TYPE_INT8;
    gemm.m = gemm.n = 512;
    gemm.k = 2048;
    gemm.b = kMib;
    gemm.c = 2 * kMib;
    gemm.a_stride = 2048;
    gemm.b_stride = 512;
    gemm.c_stride = 2048;
  }
  const auto nothing = device.allocate(4096, runtime::Placement::kDevice);
  return timed(stream, device, {{nothing.get(), true}});
}

/// 128 MiB from the host to DRAM, and 24 MiB of it four times to the shared memory and back elsewhere.
Taken copy(runtime::Device& device) {
  constexpr uint32_t kAll = 128 * kMib;
  constexpr uint32_t kPart = 24 * kMib;
  const auto host = device.allocate(kAll, runtime::Placement::kHost);
  const auto dram = device.allocate(2 * size_t{kAll}, runtime::Placement::kDevice);
  std::memset(host->bytes().data(), 1, host->size());
  bench::Stream stream;
  stream.copy(NPU_COMMAND_EXTERNAL_HDMA, 0, 0, NPU_ADDRESS(0, 0), NPU_ADDRESS(1, 0), kAll);
  for (uint32_t i = 0; i < 4; ++i) {
    auto& load = stream.copy(NPU_COMMAND_TASK_DMA, 0, 1, NPU_ADDRESS(1, uint64_t{i} * kPart),
                             NPU_ADDRESS(NPU_SPACE_SHARED, 0), kPart);
    bench::Stream::wait_for(load, 0, 0, 1);
    stream.copy(NPU_COMMAND_TASK_DMA, 0, 1, NPU_ADDRESS(NPU_SPACE_SHARED, 0),
                NPU_ADDRESS(1, kAll + uint64_t{i} * kPart), kPart);
  }
  return timed(stream, device, {{host.get(), false}, {dram.get(), true}});
}

}  // namespace

// libsystemc refers to it; the platform elaborates and starts by itself.
int sc_main(int /*argc*/, char** /*argv*/) {
  return 1;
}

int main(int argc, char** argv) {
  bench::Report report(argc, argv);
  const std::pair<const char*, Workload> workloads[] = {{"gemm", gemm}, {"copy", copy}};
  try {
    for (const auto& [name, workload] : workloads) {
      const Taken exact = measure(config::DataMode::kExact, workload);
      const Taken none = measure(config::DataMode::kNone, workload);
      report.add(fmt::format("data.none.{}.host", name), none.host_seconds * 1e3, "ms", "with data",
                 exact.host_seconds * 1e3);
      report.add(fmt::format("data.none.{}.card", name), none.card_seconds * 1e6, "us", "with data",
                 exact.card_seconds * 1e6);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "npuvp: {}\n", error.what());
    return 1;
  }
  return report.finish();
}
