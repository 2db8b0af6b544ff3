// SPDX-License-Identifier: Apache-2.0
// Synthetic traffic on NoCs of 16 nodes, and what theory says of it; for tests and for `npuvp bench noc`.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <systemc>
#include <vector>

#include "models/base/initiator_port.h"
#include "models/noc/network.h"

namespace npuvp::noc::traffic {

inline constexpr unsigned kNodes = 16;
inline constexpr unsigned kMeshSide = 4;
inline constexpr double kPortBytesPerSecond = 128e9;
inline constexpr double kLinkBytesPerSecond = 64e9;
inline constexpr double kHopNs = 10;
inline constexpr uint64_t kTargetBytes = 0x10000;

/// The analytic values of uniform random traffic, every node to every node and itself with the same probability
/// (Dally, Towles: Principles and Practices of Interconnection Networks, chapters 3 and 5).
struct Theory {
  double mean_distance;  ///< In links.
  double channel_load;   ///< Bytes on the busiest link for each byte that a node injects; of a mesh the bisection's.

  /// All nodes together, bytes a second.
  [[nodiscard]] double saturation() const {
    const double links = channel_load > 0 ? kLinkBytesPerSecond / channel_load : kPortBytesPerSecond;
    return kNodes * std::min(kPortBytesPerSecond, links);
  }
  /// Mean of a read of `bytes` over all pairs of nodes, in ns: a hop more than links there and back, and the data once
  /// over the slowest of its way; a sixteenth stays at its node.
  [[nodiscard]] double latency_ns(double bytes) const {
    const double here = bytes / kPortBytesPerSecond;
    const double away = mean_distance > 0 ? bytes / kLinkBytesPerSecond : here;
    return 2 * (mean_distance + 1) * kHopNs + (here / kNodes + away * (kNodes - 1) / kNodes) * 1e9;
  }
};

inline Theory theory_of(Topology::Kind kind) {
  constexpr double n = kNodes;
  constexpr double k = kMeshSide;
  switch (kind) {
    case Topology::Kind::kRing:
      // The shorter way; opposite nodes, at n / 2, go upwards, so that the links upwards carry 1 + 2 + .. + n / 2.
      return {n / 4, (n / 2) * (n / 2 + 1) / 2 / n};
    case Topology::Kind::kMesh:
      return {2 * (k * k - 1) / (3 * k), k / 4};
    default:
      return {0, 0};
  }
}

inline Topology topology_of(Topology::Kind kind) {
  if (kind == Topology::Kind::kMesh) return {kind, kMeshSide, kMeshSide};
  return {kind, kind == Topology::Kind::kRing ? kNodes : 1, 1};
}

/// Takes and gives bytes without keeping them, at once.
class Sink final : public sc_core::sc_module {
 public:
  explicit Sink(sc_core::sc_module_name name) : sc_module(name), socket("socket") {
    socket.register_b_transport(this, &Sink::b_transport);
  }
  tlm_utils::simple_target_socket<Sink> socket;

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
};

/// An initiator and a target at each node. Built before the simulation starts; run by SC_THREADs of its own.
class Field final : public sc_core::sc_module {
 public:
  struct Options {
    std::array<uint32_t, kNodes> weights{};  ///< 0: all 1, no quality of service.
    double service_bytes_per_second = 0;     ///< Of each target; 0: its port.
    bool bare = false;                       ///< No NoC: every initiator is bound to a target of its own.
  };

  Field(sc_core::sc_module_name name, base::Environment& environment, Topology::Kind kind, const Options& options)
      : sc_module(name), sinks_("sink", kNodes) {
    for (unsigned node = 0; node < kNodes; ++node) ports_.emplace_back(("port" + std::to_string(node)).c_str());
    if (options.bare) {
      for (unsigned node = 0; node < kNodes; ++node) ports_[node].socket.bind(sinks_[node].socket);
      return;
    }
    network_ = std::make_unique<Network>("network", environment, parameters(kind, options));
    for (unsigned node = 0; node < kNodes; ++node) {
      ports_[node].socket.bind(network_->initiators[node]);
      network_->targets[node].bind(sinks_[node].socket);
    }
    registers_ = std::make_unique<base::InitiatorPort>("registers");
    registers_->socket.bind(network_->registers);
  }

  /// Mean time in ns of a read of `bytes` bytes between all pairs of nodes, each alone in the network.
  double idle_latency_ns(uint64_t bytes) {
    std::vector<uint8_t> data(bytes);
    double sum = 0;
    sc_core::sc_time at;
    for (unsigned from = 0; from < kNodes; ++from) {
      for (unsigned to = 0; to < kNodes; ++to, at += sc_core::sc_time(10, sc_core::SC_US)) {
        sc_core::sc_time delay = at;
        access(from, to, data, false, delay);
        sum += (delay - at).to_seconds();
      }
    }
    sc_core::sc_start(at);  // past all of it
    return sum / kNodes / kNodes * 1e9;
  }

  struct Load {
    uint64_t bytes;        ///< Of a burst.
    unsigned outstanding;  ///< Bursts of an initiator.
    sc_core::sc_time warm_up;
    sc_core::sc_time measured;
    unsigned write_percent = 50;
  };
  struct Result {
    std::array<uint64_t, kNodes> moved{};  ///< Bytes that arrived in the time measured, by initiator.
    uint64_t bursts = 0;                   ///< In all.
    [[nodiscard]] uint64_t total() const {
      uint64_t sum = 0;
      for (const uint64_t each : moved) sum += each;
      return sum;
    }
  };

  /// Every initiator keeps its bursts outstanding, to random nodes.
  Result uniform(const Load& load) {
    std::vector<unsigned> all(kNodes);
    for (unsigned node = 0; node < kNodes; ++node) all[node] = node;
    return run(load, all, [](unsigned, std::mt19937& random) { return static_cast<unsigned>(random() % kNodes); });
  }
  /// `initiators` all use one target.
  Result hot_spot(const Load& load, const std::vector<unsigned>& initiators, unsigned target) {
    return run(load, initiators, [target](unsigned, std::mt19937&) { return target; });
  }

 private:
  static Network::Parameters parameters(Topology::Kind kind, const Options& options) {
    Network::Parameters made;
    made.topology = topology_of(kind);
    made.hop_latency = sc_core::sc_time(kHopNs, sc_core::SC_NS);
    made.link_bytes_per_second = kLinkBytesPerSecond;
    for (unsigned node = 0; node < kNodes; ++node) {
      const unsigned place = kind == Topology::Kind::kCrossbar ? 0 : node;
      const uint32_t weight = std::max(options.weights[node], 1U);
      made.quality_of_service |= options.weights[node] != 0;
      made.initiators.push_back({"initiator" + std::to_string(node), kPortBytesPerSecond, place, weight});
      made.targets.push_back(
          {"target" + std::to_string(node), kPortBytesPerSecond, place, options.service_bytes_per_second});
      made.map.push_back({"target" + std::to_string(node), node * kTargetBytes, kTargetBytes, node, 0});
    }
    return made;
  }

  void access(unsigned from, unsigned to, std::vector<uint8_t>& data, bool write, sc_core::sc_time& delay) {
    auto& port = ports_[from];
    const uint64_t address = to * kTargetBytes;
    const auto response = write ? port.write(address, data, delay) : port.read(address, data, delay);
    if (response != tlm::TLM_OK_RESPONSE) throw std::runtime_error("an access of the traffic failed");
  }

  template <typename Destination>
  Result run(const Load& load, const std::vector<unsigned>& initiators, Destination destination) {
    Result result;
    const sc_core::sc_time begin = sc_core::sc_time_stamp() + load.warm_up;
    const sc_core::sc_time end = begin + load.measured;
    for (const unsigned from : initiators) {
      sc_core::sc_spawn([&, from] {
        std::mt19937 random(from);
        std::vector<uint8_t> data(load.bytes);
        std::vector<sc_core::sc_time> window(load.outstanding);
        for (size_t slot = 0;; slot = (slot + 1) % window.size()) {
          if (window[slot] > sc_core::sc_time_stamp()) sc_core::wait(window[slot] - sc_core::sc_time_stamp());
          const sc_core::sc_time now = sc_core::sc_time_stamp();
          if (now >= end) return;
          sc_core::sc_time delay;
          access(from, destination(from, random), data, random() % 100 < load.write_percent, delay);
          // A target without a NoC answers at once; the loop must go on in time all the same.
          window[slot] = now + std::max(delay, sc_core::sc_time(100, sc_core::SC_NS));
          ++result.bursts;
          if (window[slot] > begin && window[slot] <= end) result.moved[from] += load.bytes;
        }
      });
    }
    sc_core::sc_start(load.warm_up + 2 * load.measured);
    return result;
  }

  std::deque<base::InitiatorPort> ports_;
  sc_core::sc_vector<Sink> sinks_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<base::InitiatorPort> registers_;  // nobody uses them, but every socket must be bound
};

}  // namespace npuvp::noc::traffic
