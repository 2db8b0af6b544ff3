// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "firmware/abi/command.h"
#include "sw/compiler/memory_plan.h"
#include "sw/runtime/device.h"

namespace npuvp::test {

/// A card in plain scalar C++ that keeps only what the ABI promises. Commands of one queue run in order; among the
/// queues whose first command has its tokens, a seeded generator picks the next, so that a missing dependency shows as
/// wrong output under some seed. Memories hold noise before anything is written. Jobs run as late as allowed, inside
/// wait(), so that a buffer reused too early shows as well. Every command is checked against firmware/abi/command.h.
class FakeDevice final : public runtime::Device {
 public:
  FakeDevice(const compiler::Target& target, uint64_t seed);

  [[nodiscard]] const runtime::DeviceInfo& info() const override { return info_; }
  [[nodiscard]] std::unique_ptr<runtime::Buffer> allocate(size_t bytes, runtime::Placement placement) override;
  runtime::JobId submit(const runtime::Submission& submission) override;
  runtime::Completion wait(runtime::JobId job, std::chrono::nanoseconds timeout) override;

  /// Called with each job's commands before they run, to break them on purpose.
  std::function<void(std::vector<npu_command>&)> tamper;
  /// Commands of all jobs so far, by kind.
  [[nodiscard]] const std::map<uint8_t, size_t>& commands_run() const { return commands_run_; }

 private:
  struct Job {
    runtime::JobId id;
    std::vector<runtime::Segment> segments;
    runtime::Submission submission;
  };

  runtime::Completion run(const Job& job);
  void fill_with_noise(std::span<std::byte> bytes);

  runtime::DeviceInfo info_;
  std::mt19937_64 random_;
  std::vector<std::vector<std::byte>> scratchpads_;
  std::vector<std::byte> shared_;
  std::vector<Job> queued_;
  std::map<runtime::JobId, runtime::Completion> completed_;
  std::map<uint8_t, size_t> commands_run_;
  runtime::JobId next_job_ = 1;
  uint64_t time_ns_ = 1000;
};

}  // namespace npuvp::test
