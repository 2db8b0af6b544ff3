// SPDX-License-Identifier: Apache-2.0
// npuvp bench noc: NoCs of 16 nodes (tests/models/noc/traffic.h) beside theory and beside no NoC at all.
//   <topology>.latency     mean of a read of 64 bytes between all pairs of nodes of an idle network; hops and data
//   <topology>.saturation  uniform random writes of 1 KiB, 32 outstanding at each node; bound by ports or busiest link
//   <topology>.qos.*       shares of four initiators of different weight in what a target sustains, over 10 ms
//   <topology>.packets     of the uniform traffic a second of processor time, best of three; the same initiators on
//   bare
//                          TLM targets
// All but the last are simulated and repeatable.
#include <algorithm>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/bench_report.h"
#include "tests/models/noc/traffic.h"

namespace {

using namespace npuvp;
using namespace npuvp::noc::traffic;
using noc::Topology;
using sc_core::sc_time;

constexpr double kGiga = 1e9;
constexpr double kMega = 1e6;
const std::vector<unsigned> kCompeting{3, 5, 10, 15};
constexpr std::array<uint32_t, 4> kWeights{8, 4, 2, 1};
constexpr double kServiceBytesPerSecond = 8e9;

struct Networks {
  Networks(base::Environment& environment, const std::string& kind_name, Topology::Kind kind)
      : name(kind_name),
        theory(theory_of(kind)),
        plain((kind_name + "_plain").c_str(), environment, kind, {}),
        weighted((kind_name + "_weighted").c_str(), environment, kind, by_weight()) {}

  static Field::Options by_weight() {
    Field::Options options;
    for (size_t i = 0; i < kCompeting.size(); ++i) options.weights.at(kCompeting[i]) = kWeights.at(i);
    options.service_bytes_per_second = kServiceBytesPerSecond;
    return options;
  }

  std::string name;
  Theory theory;
  Field plain;
  Field weighted;
};

struct Uniform {
  double bytes_per_second;    ///< Simulated.
  double packets_per_second;  ///< Of processor time.
};

Uniform run_uniform(Field& field) {
  const Field::Load load{1024, 32, sc_time(20, sc_core::SC_US), sc_time(200, sc_core::SC_US), 100};
  Uniform best{};
  for (int i = 0; i < 3; ++i) {
    const std::clock_t begin = std::clock();
    const auto result = field.uniform(load);
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    best.packets_per_second = std::max(best.packets_per_second, static_cast<double>(result.bursts) / seconds);
    best.bytes_per_second = static_cast<double>(result.total()) / load.measured.to_seconds();
  }
  return best;
}

void report_shares(bench::Report& report, Networks& networks) {
  const sc_time millisecond(1, sc_core::SC_MS);
  const auto result = networks.weighted.hot_spot({1024, 16, millisecond, 10 * millisecond}, kCompeting, 0);
  double all = 0;
  for (const uint32_t weight : kWeights) all += weight;
  for (size_t i = 0; i < kCompeting.size(); ++i) {
    const double share = static_cast<double>(result.moved.at(kCompeting[i])) / static_cast<double>(result.total());
    report.add(fmt::format("noc.{}.qos.weight{}", networks.name, kWeights.at(i)), share * 100, "% of the target",
               "weight / all weights", kWeights.at(i) / all * 100);
  }
}

}  // namespace

// libsystemc refers to it; the benchmark elaborates and starts by itself.
int sc_main(int /*argc*/, char** /*argv*/) {
  return 1;
}

int main(int argc, char** argv) {
  bench::Report report(argc, argv);
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  base::Environment environment;
  Networks crossbar(environment, "crossbar", Topology::Kind::kCrossbar);
  Networks ring(environment, "ring", Topology::Kind::kRing);
  Networks mesh(environment, "mesh", Topology::Kind::kMesh);
  Field::Options no_network;
  no_network.bare = true;
  Field bare("bare", environment, Topology::Kind::kCrossbar, no_network);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const double bare_packets = run_uniform(bare).packets_per_second;
  for (auto* networks : {&crossbar, &ring, &mesh}) {
    const auto& name = networks->name;
    report.add(fmt::format("noc.{}.latency", name), networks->plain.idle_latency_ns(64), "ns", "hops and data",
               networks->theory.latency_ns(64));
    const auto uniform = run_uniform(networks->plain);
    report.add(fmt::format("noc.{}.saturation", name), uniform.bytes_per_second / kGiga, "GB/s", "analytic bound",
               networks->theory.saturation() / kGiga);
    report_shares(report, *networks);
    report.add(fmt::format("noc.{}.packets", name), uniform.packets_per_second / kMega, "M packets/s",
               "bare TLM targets", bare_packets / kMega);
  }
  return report.finish();
}
