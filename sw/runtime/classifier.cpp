// SPDX-License-Identifier: Apache-2.0
#include "sw/runtime/classifier.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "firmware/abi/status.h"
#include "sw/runtime/status_text.h"

namespace npuvp::runtime {
namespace {

size_t bytes_of(const std::vector<npu_command>& commands) {
  return commands.size() * sizeof(npu_command);
}

}  // namespace

Classifier::Classifier(Device& device, const compiler::Program& program, const ClassifierOptions& options)
    : device_(device), program_(program), options_(options) {
  std::vector<npu_command> load = program.load_commands();
  std::vector<npu_command> full = program.infer_commands(program.max_rows());
  load_stream_.offset = 0;
  full_stream_.offset = bytes_of(load);
  remainder_stream_.offset = full_stream_.offset + bytes_of(full);
  // A batch of fewer rows uses as many engines or fewer, so its stream is not longer.
  commands_ = device.allocate(remainder_stream_.offset + bytes_of(full), Placement::kHost);
  place(load_stream_, std::move(load));
  place(full_stream_, std::move(full));

  constants_host_ = device.allocate(program.constants().size(), Placement::kHost);
  constants_ = device.allocate(program.constants().size(), Placement::kDevice);
  std::copy(program.constants().begin(), program.constants().end(), constants_host_->bytes().begin());
  slots_.resize(std::max(options.jobs_in_flight, 1u));
  for (Slot& slot : slots_) {
    slot.input = device.allocate(program.input_bytes(), Placement::kHost);
    slot.output = device.allocate(program.output_bytes(), Placement::kHost);
    slot.workspace = device.allocate(program.workspace_bytes(), Placement::kDevice);
    std::fill(slot.input->bytes().begin(), slot.input->bytes().end(), std::byte{0});
  }
}

Classifier::~Classifier() {
  for (const Slot& slot : slots_) {
    if (slot.rows != 0) {
      try {
        (void)device_.wait(slot.job, options_.wait_timeout);
      } catch (const std::exception&) {
        return;  // the error that left jobs in flight is already on its way
      }
    }
  }
}

JobTime Classifier::load() {
  const std::array segments{Segment{commands_.get(), false}, Segment{constants_host_.get(), false},
                            Segment{constants_.get(), true}};
  const JobId job = device_.submit({.segments = segments,
                                    .command_segment = compiler::kSegmentCommands,
                                    .command_offset = load_stream_.offset,
                                    .command_bytes = static_cast<uint32_t>(bytes_of(load_stream_.commands)),
                                    .timeout_us = options_.job_timeout_us});
  return wait_for(job, 0, load_stream_, "loading the weights");
}

std::vector<float> Classifier::run(std::span<const std::byte> encoded,
                                   const std::function<void(size_t, size_t)>& progress) {
  if (encoded.size() % program_.input_row_bytes() != 0) {
    throw std::logic_error("Classifier::run: input is not a whole number of rows");
  }
  const size_t total = encoded.size() / program_.input_row_bytes();
  const size_t batch = program_.max_rows();
  const auto remainder = static_cast<uint32_t>(total % batch);
  if (remainder != 0 && remainder != remainder_rows_) {
    place(remainder_stream_, program_.infer_commands(remainder));
    remainder_rows_ = remainder;
  }
  std::vector<float> outputs(total * program_.output_columns());
  job_times_.clear();
  const size_t batches = (total + batch - 1) / batch;
  size_t started = 0;
  for (size_t finished = 0; finished < batches; ++finished) {
    for (; started < batches && started < finished + slots_.size(); ++started) {
      const size_t first_row = started * batch;
      start(slots_[started % slots_.size()], encoded, first_row,
            static_cast<uint32_t>(std::min(batch, total - first_row)));
    }
    finish(slots_[finished % slots_.size()], outputs);
    if (progress) {
      progress(std::min((finished + 1) * batch, total), total);
    }
  }
  return outputs;
}

void Classifier::place(Stream& stream, std::vector<npu_command> commands) {
  stream.commands = std::move(commands);
  const auto target = commands_->bytes().subspan(stream.offset, bytes_of(stream.commands));
  std::memcpy(target.data(), stream.commands.data(), target.size());
}

void Classifier::start(Slot& slot, std::span<const std::byte> encoded, size_t first_row, uint32_t rows) {
  const size_t row_bytes = program_.input_row_bytes();
  std::byte* const input = slot.input->bytes().data();
  for (size_t row = 0; row < rows; ++row) {
    std::memcpy(input + row * program_.input_row_stride(), &encoded[(first_row + row) * row_bytes], row_bytes);
  }
  slot.stream = rows == program_.max_rows() ? &full_stream_ : &remainder_stream_;
  slot.first_row = first_row;
  const std::array<Segment, compiler::kSegmentCount> segments{
      Segment{commands_.get(), false},  Segment{constants_host_.get(), false}, Segment{constants_.get(), false},
      Segment{slot.input.get(), false}, Segment{slot.output.get(), true},      Segment{slot.workspace.get(), true}};
  slot.job = device_.submit({.segments = segments,
                             .command_segment = compiler::kSegmentCommands,
                             .command_offset = slot.stream->offset,
                             .command_bytes = static_cast<uint32_t>(bytes_of(slot.stream->commands)),
                             .timeout_us = options_.job_timeout_us});
  slot.rows = rows;
}

void Classifier::finish(Slot& slot, std::span<float> outputs) {
  const uint32_t rows = std::exchange(slot.rows, 0);
  job_times_.push_back(wait_for(slot.job, rows, *slot.stream, "inference"));
  const size_t columns = program_.output_columns();
  std::memcpy(&outputs[slot.first_row * columns], slot.output->bytes().data(), rows * columns * sizeof(float));
}

JobTime Classifier::wait_for(JobId job, uint32_t rows, const Stream& stream, const char* what) {
  const Completion completion = device_.wait(job, options_.wait_timeout);
  if (completion.status != NPU_JOB_OK) {
    throw DeviceError("job " + std::to_string(job) + " (" + what + "): " + describe(completion, stream.commands) +
                      "; see the card's log");
  }
  return {.rows = rows, .start_ns = completion.start_ns, .end_ns = completion.end_ns};
}

}  // namespace npuvp::runtime
