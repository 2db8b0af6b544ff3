// SPDX-License-Identifier: Apache-2.0
// npuvp bench dram: the DRAM controller on the traces of the comparison with Ramulator 2.1 and DRAMsim3. Bandwidth and
// latency are simulated and repeatable; requests per second are of processor time, one thread, best of three, beside
// Ramulator's on a 2-core machine of the Zen 5 class. Last the board's own map: what its fast mode is calibrated from.
#include <algorithm>
#include <ctime>
#include <string>

#include "platform/config/board_loader.h"
#include "tests/bench/bench_report.h"
#include "tests/models/dram/reference_run.h"

namespace {

using namespace npuvp::dram;
using npuvp::bench::Report;

constexpr double kMega = 1e6;

void bench_case(Report& report, const reference::Case& run) {
  const auto system = reference::system(run);
  const auto map = reference::map(run);
  reference::Result result;
  double best = 0;
  for (int i = 0; i < 3; ++i) {
    const std::clock_t begin = std::clock();
    result = reference::run(system, map, run.pattern, run.count);
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    best = std::max(best, static_cast<double>(run.count) / seconds);
  }
  const std::string map_name = run.map;
  const std::string name = std::string(run.part) + "." + run.pattern + (map_name.empty() ? "" : "." + map_name);
  report.add(name + ".bandwidth", result.gb_per_s, "GB/s", "ramulator2", run.gb_per_s);
  report.add(name + ".latency", result.latency_ns, "ns", "ramulator2", run.latency_ns);
  report.add(name + ".requests_per_second", best / kMega, "M requests/s", "ramulator2", run.mega_requests_per_s);
}

/// `efficiency` and `latency_ns` of a board's fast mode beside a stream through its JEDEC mode.
void bench_board(Report& report, const std::string& server) {
  const auto card = npuvp::config::load_server(server, NPUVP_BOARDS_DIR).cards.at(0);
  const auto& dram = card.dram;
  if (!dram.jedec) return;
  const reference::System system{dram.jedec->part, dram.jedec->policy, dram.channels, 64};
  const AddressMap map(dram.jedec->map, 5);
  const auto result = reference::run(system, map, "stream", 1'000'000);
  const double peak = dram.channels * dram.channel_gb_per_s;
  report.add(card.name + ".stream.efficiency", result.gb_per_s / peak, "of peak", "fast mode of the board",
             dram.efficiency);
  report.add(card.name + ".stream.latency", result.latency_ns, "ns", "fast mode of the board", dram.latency_ns);
}

}  // namespace

int main(int argc, char** argv) {
  Report report(argc, argv);
  for (const auto& run : reference::cases()) bench_case(report, run);
  bench_board(report, "server-1");
  return report.finish();
}
