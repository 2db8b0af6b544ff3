// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "sw/compiler/program.h"
#include "sw/runtime/device.h"

namespace npuvp::runtime {

/// When one job ran, card time.
struct JobTime {
  uint32_t rows;
  uint64_t start_ns;
  uint64_t end_ns;
};

struct ClassifierOptions {
  uint32_t jobs_in_flight = 4;             ///< At least 1; each has its own input, output and workspace.
  std::chrono::seconds wait_timeout{600};  ///< Host time to wait for a job.
  uint32_t job_timeout_us = 0;             ///< Card time a job may take; 0: any.
};

/// Runs a compiled network on a card, batch after batch with several jobs queued. Not thread-safe. Every function
/// throws DeviceError when the card fails or a job does not complete.
class Classifier {
 public:
  /// Allocates the buffers. `device` and `program` must outlive the object.
  Classifier(Device& device, const compiler::Program& program, const ClassifierOptions& options);
  ~Classifier();
  Classifier(const Classifier&) = delete;
  Classifier& operator=(const Classifier&) = delete;

  /// Brings the constants into the card's DRAM; once, before run().
  JobTime load();

  /// Outputs [rows][program.output_columns()] for `encoded` = CardNetwork::encode() of any number of rows.
  /// `progress(done, total)` is called after each batch, in order.
  std::vector<float> run(std::span<const std::byte> encoded,
                         const std::function<void(size_t done, size_t total)>& progress = {});

  /// Of the last run(), in order.
  [[nodiscard]] std::span<const JobTime> job_times() const { return job_times_; }

 private:
  /// A command stream as it lies in the command buffer.
  struct Stream {
    uint64_t offset;  ///< Bytes.
    std::vector<npu_command> commands;
  };
  /// Buffers of one job in flight.
  struct Slot {
    std::unique_ptr<Buffer> input;
    std::unique_ptr<Buffer> output;
    std::unique_ptr<Buffer> workspace;
    const Stream* stream = nullptr;
    size_t first_row = 0;
    uint32_t rows = 0;  ///< 0: free.
    JobId job = 0;
  };

  void place(Stream& stream, std::vector<npu_command> commands);
  void start(Slot& slot, std::span<const std::byte> encoded, size_t first_row, uint32_t rows);
  void finish(Slot& slot, std::span<float> outputs);
  JobTime wait_for(JobId job, uint32_t rows, const Stream& stream, const char* what);

  Device& device_;
  const compiler::Program& program_;
  ClassifierOptions options_;
  std::unique_ptr<Buffer> commands_;
  std::unique_ptr<Buffer> constants_host_;
  std::unique_ptr<Buffer> constants_;
  Stream load_stream_;
  Stream full_stream_;       ///< Batches of max_rows().
  Stream remainder_stream_;  ///< The last batch of a run.
  uint32_t remainder_rows_ = 0;
  std::vector<Slot> slots_;
  std::vector<JobTime> job_times_;
};

}  // namespace npuvp::runtime
