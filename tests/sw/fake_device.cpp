// SPDX-License-Identifier: Apache-2.0
#include "tests/sw/fake_device.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>

#include "firmware/abi/abi.h"
#include "firmware/abi/queue.h"
#include "sw/compiler/arithmetic.h"
#include "sw/compiler/half.h"

namespace npuvp::test {
namespace {

using compiler::element_bytes;
using runtime::Completion;
using runtime::Placement;

constexpr uint64_t kCommandNanoseconds = 100;

/// Device memory is reachable only through `contents`.
class FakeBuffer final : public runtime::Buffer {
 public:
  FakeBuffer(size_t bytes, Placement placement) : contents(bytes), placement_(placement) {}
  [[nodiscard]] Placement placement() const override { return placement_; }
  [[nodiscard]] size_t size() const override { return contents.size(); }
  [[nodiscard]] std::span<std::byte> bytes() override {
    return placement_ == Placement::kHost ? std::span(contents) : std::span<std::byte>{};
  }
  std::vector<std::byte> contents;

 private:
  Placement placement_;
};

struct Fault {
  npu_fault code;
  uint64_t address;
};

void require(bool condition, npu_fault code, uint64_t address = 0) {
  if (!condition) {
    throw Fault{code, address};
  }
}

/// Executes single commands on a job's memories.
class Interpreter {
 public:
  Interpreter(std::span<const runtime::Segment> segments, std::vector<std::vector<std::byte>>& scratchpads,
              std::span<std::byte> shared)
      : segments_(segments), scratchpads_(scratchpads), shared_(shared) {}

  void execute(const npu_command& command) {
    switch (command.kind) {
      case NPU_COMMAND_NEURAL_ENGINE:
        require(command.engine < scratchpads_.size(), NPU_FAULT_ILLEGAL_COMMAND);
        if (command.opcode == NPU_NE_GEMM) {
          gemm(command.u.gemm, scratchpads_[command.engine]);
        } else {
          require(command.opcode == NPU_NE_VECTOR, NPU_FAULT_ILLEGAL_COMMAND);
          vector(command.u.vector, scratchpads_[command.engine]);
        }
        break;
      case NPU_COMMAND_NEURAL_DMA:
        require(command.engine < scratchpads_.size(), NPU_FAULT_ILLEGAL_COMMAND);
        copy(command, {Place::kDram, Place::kShared}, {Place::kScratchpad}, true);
        break;
      case NPU_COMMAND_TASK_DMA:
        require(command.engine == 0, NPU_FAULT_ILLEGAL_COMMAND);
        copy(command, {Place::kDram}, {Place::kShared}, true);
        break;
      case NPU_COMMAND_EXTERNAL_HDMA:
        require(command.engine <= 1, NPU_FAULT_ILLEGAL_COMMAND);
        copy(command, {command.engine == 0 ? Place::kHost : Place::kDram},
             {command.engine == 0 ? Place::kDram : Place::kHost}, false);
        break;
      default:
        throw Fault{NPU_FAULT_ILLEGAL_COMMAND, 0};
    }
  }

 private:
  enum class Place { kHost, kDram, kShared, kScratchpad };
  using Places = std::initializer_list<Place>;

  struct Memory {
    Place place;
    std::span<std::byte> bytes;
    bool writable;
  };

  Memory memory_at(uint64_t address, uint8_t engine) {
    const uint32_t space = NPU_ADDRESS_SPACE(address);
    if (space == NPU_SPACE_SCRATCHPAD) {
      return {Place::kScratchpad, scratchpads_.at(engine), true};
    }
    if (space == NPU_SPACE_SHARED) {
      return {Place::kShared, shared_, true};
    }
    require(space < segments_.size(), NPU_FAULT_ADDRESS, address);
    auto& buffer = dynamic_cast<FakeBuffer&>(*segments_[space].buffer);
    return {buffer.placement() == Placement::kHost ? Place::kHost : Place::kDram, buffer.contents,
            segments_[space].writable};
  }

  static std::byte* at(const Memory& memory, uint64_t address, uint64_t offset, uint64_t bytes) {
    const uint64_t begin = NPU_ADDRESS_OFFSET(address) + offset;
    require(begin <= memory.bytes.size() && bytes <= memory.bytes.size() - begin, NPU_FAULT_ADDRESS, address);
    return memory.bytes.data() + begin;
  }

  void copy(const npu_command& command, Places from, Places to, bool both_ways) {
    const npu_dma& dma = command.u.dma;
    require(command.opcode == NPU_DMA_COPY && dma.rows >= 1 && dma.row_bytes >= 1, NPU_FAULT_ILLEGAL_COMMAND);
    const Memory source = memory_at(dma.source, command.engine);
    const Memory destination = memory_at(dma.destination, command.engine);
    const auto is_one_of = [](const Memory& memory, Places places) {
      return std::find(places.begin(), places.end(), memory.place) != places.end();
    };
    require((is_one_of(source, from) && is_one_of(destination, to)) ||
                (both_ways && is_one_of(source, to) && is_one_of(destination, from)),
            NPU_FAULT_ILLEGAL_COMMAND);
    require(destination.writable, NPU_FAULT_PERMISSION, dma.destination);
    for (uint64_t row = 0; row < dma.rows; ++row) {
      std::memcpy(at(destination, dma.destination, row * dma.destination_stride, dma.row_bytes),
                  at(source, dma.source, row * dma.source_stride, dma.row_bytes), dma.row_bytes);
    }
  }

  /// Bits of the element at (row, column) of a matrix in the scratchpad.
  struct MatrixView {
    std::span<std::byte> scratchpad;
    uint32_t offset;
    uint32_t stride;
    size_t bytes;  ///< Of one element.

    [[nodiscard]] std::byte* element(uint64_t row, uint64_t column) const {
      const uint64_t begin = offset + row * stride + column * bytes;
      require(begin + bytes <= scratchpad.size(), NPU_FAULT_ADDRESS, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, begin));
      return scratchpad.data() + begin;
    }
    [[nodiscard]] uint32_t read(uint64_t row, uint64_t column) const {
      uint32_t bits = 0;
      std::memcpy(&bits, element(row, column), bytes);
      return bits;
    }
    void write(uint64_t row, uint64_t column, uint32_t bits) const { std::memcpy(element(row, column), &bits, bytes); }
  };

  static void gemm(const npu_gemm& gemm, std::span<std::byte> scratchpad) {
    const auto aligned = [](uint32_t offset, uint32_t stride, uint32_t to) {
      return offset % to == 0 && stride % to == 0;
    };
    const auto dimension = [](uint32_t value) { return value >= 1 && value <= 65535; };
    require((gemm.type == NPU_TYPE_INT8 || gemm.type == NPU_TYPE_FP16) && gemm.accumulate <= 1 && gemm.flags == 0 &&
                dimension(gemm.m) && dimension(gemm.n) && dimension(gemm.k) && aligned(gemm.a, gemm.a_stride, 16) &&
                aligned(gemm.b, gemm.b_stride, 16) && aligned(gemm.c, gemm.c_stride, 64),
            NPU_FAULT_ILLEGAL_COMMAND);
    const size_t bytes = element_bytes(gemm.type);
    const MatrixView a{scratchpad, gemm.a, gemm.a_stride, bytes};
    const MatrixView b{scratchpad, gemm.b, gemm.b_stride, bytes};
    const MatrixView c{scratchpad, gemm.c, gemm.c_stride, sizeof(uint32_t)};
    for (uint32_t m = 0; m < gemm.m; ++m) {
      for (uint32_t n = 0; n < gemm.n; ++n) {
        uint32_t sum = gemm.accumulate != 0 ? c.read(m, n) : 0;
        for (uint32_t k = 0; k < gemm.k; ++k) {
          sum = step(gemm.type, sum, a.read(m, k), b.read(k, n));
        }
        c.write(m, n, sum);
      }
    }
  }

  static uint32_t step(uint8_t type, uint32_t sum, uint32_t a, uint32_t b) {
    if (type == NPU_TYPE_INT8) {
      return static_cast<uint32_t>(
          compiler::gemm_step_int8(static_cast<int32_t>(sum), static_cast<int8_t>(a), static_cast<int8_t>(b)));
    }
    return std::bit_cast<uint32_t>(compiler::gemm_step_fp16(std::bit_cast<float>(sum),
                                                            compiler::half_to_float(static_cast<uint16_t>(a)),
                                                            compiler::half_to_float(static_cast<uint16_t>(b))));
  }

  static void vector(const npu_vector& vector, std::span<std::byte> scratchpad) {
    const size_t in_bytes = element_bytes(vector.in_type);
    const size_t out_bytes = element_bytes(vector.out_type);
    constexpr unsigned kFlags = NPU_VECTOR_BIAS | NPU_VECTOR_RELU | NPU_VECTOR_SCALE;
    require(in_bytes != 0 && out_bytes != 0 && (vector.flags & ~kFlags) == 0 && vector.m >= 1 && vector.n >= 1 &&
                vector.m <= 65535 && vector.n <= 65535 && vector.in % in_bytes == 0 && vector.out % out_bytes == 0 &&
                vector.in_stride % in_bytes == 0 && vector.out_stride % out_bytes == 0 && vector.bias % 4 == 0 &&
                vector.scale % 4 == 0,
            NPU_FAULT_ILLEGAL_COMMAND);
    const MatrixView in{scratchpad, vector.in, vector.in_stride, in_bytes};
    const MatrixView out{scratchpad, vector.out, vector.out_stride, out_bytes};
    const MatrixView bias{scratchpad, vector.bias, 0, sizeof(uint32_t)};
    const MatrixView scale{scratchpad, vector.scale, 0, sizeof(uint32_t)};
    for (uint32_t m = 0; m < vector.m; ++m) {
      for (uint32_t n = 0; n < vector.n; ++n) {
        const uint32_t bias_bits = (vector.flags & NPU_VECTOR_BIAS) != 0 ? bias.read(0, n) : 0;
        const uint32_t scale_bits = (vector.flags & NPU_VECTOR_SCALE) != 0 ? scale.read(0, n) : 0;
        out.write(m, n,
                  compiler::vector_element(in.read(m, n), vector.in_type, bias_bits, std::bit_cast<float>(scale_bits),
                                           vector.flags, vector.out_type));
      }
    }
  }

  std::span<const runtime::Segment> segments_;
  std::vector<std::vector<std::byte>>& scratchpads_;
  std::span<std::byte> shared_;
};

/// Commands of one queue, as positions in the stream.
struct Queue {
  std::vector<size_t> commands;
  size_t next = 0;
};

}  // namespace

FakeDevice::FakeDevice(const compiler::Target& target, uint64_t seed)
    : info_{.abi_version = NPU_ABI_VERSION,
            .firmware_version = 0x010203,
            .neural_engines = target.neural_engines,
            .dram_bytes = uint64_t{1} << 30},
      random_(seed),
      scratchpads_(target.neural_engines, std::vector<std::byte>(target.scratchpad_bytes)),
      shared_(target.shared_bytes) {}

void FakeDevice::fill_with_noise(std::span<std::byte> bytes) {
  // One value each time is noise enough, and quick; odd, so that it is never the 0 of a fresh page.
  std::fill(bytes.begin(), bytes.end(), static_cast<std::byte>(random_() | 1));
}

std::unique_ptr<runtime::Buffer> FakeDevice::allocate(size_t bytes, Placement placement) {
  auto buffer = std::make_unique<FakeBuffer>(bytes, placement);
  fill_with_noise(buffer->contents);
  return buffer;
}

runtime::JobId FakeDevice::submit(const runtime::Submission& submission) {
  Job job{next_job_++, {submission.segments.begin(), submission.segments.end()}, submission};
  queued_.push_back(std::move(job));
  return queued_.back().id;
}

Completion FakeDevice::wait(runtime::JobId job, std::chrono::nanoseconds /*timeout*/) {
  while (!completed_.contains(job)) {
    if (queued_.empty()) {
      throw runtime::DeviceError("no such job");
    }
    const Job next = std::move(queued_.front());
    queued_.erase(queued_.begin());
    completed_[next.id] = run(next);
  }
  return completed_.at(job);
}

Completion FakeDevice::run(const Job& job) {
  const auto& stream = dynamic_cast<FakeBuffer&>(*job.segments.at(job.submission.command_segment).buffer).contents;
  Completion result{.status = NPU_JOB_OK,
                    .fault = 0,
                    .fault_address = 0,
                    .fault_command = 0,
                    .commands = 0,
                    .start_ns = time_ns_,
                    .end_ns = 0};
  const uint64_t begin = job.submission.command_offset;
  const uint32_t bytes = job.submission.command_bytes;
  if (bytes == 0 || bytes > NPU_MAX_COMMAND_BYTES || bytes % sizeof(npu_command) != 0 ||
      begin % sizeof(npu_command) != 0 || begin + bytes > stream.size() || job.segments.size() > NPU_MAX_SEGMENTS) {
    result.status = NPU_JOB_BAD_SUBMISSION;
    return result;
  }
  std::vector<npu_command> commands(bytes / sizeof(npu_command));
  std::memcpy(commands.data(), stream.data() + begin, bytes);
  if (tamper) {
    tamper(commands);
  }
  for (auto& scratchpad : scratchpads_) {
    fill_with_noise(scratchpad);
  }
  fill_with_noise(shared_);

  std::map<std::pair<uint8_t, uint8_t>, Queue> queues;
  for (size_t i = 0; i < commands.size(); ++i) {
    queues[{commands[i].kind, commands[i].engine}].commands.push_back(i);
  }
  std::array<uint32_t, NPU_TOKENS> tokens{};
  const auto ready = [&](const Queue& queue) {
    return queue.next < queue.commands.size() &&
           std::ranges::all_of(commands[queue.commands[queue.next]].wait, [&](const npu_token_wait& wait) {
             return wait.token == NPU_TOKEN_NONE || tokens.at(wait.token) >= wait.count;
           });
  };
  Interpreter interpreter(job.segments, scratchpads_, shared_);
  while (result.commands < commands.size()) {
    std::vector<Queue*> candidates;
    for (auto& [key, queue] : queues) {
      if (ready(queue)) {
        candidates.push_back(&queue);
      }
    }
    if (candidates.empty()) {
      result.status = NPU_JOB_FAULT;
      result.fault = NPU_FAULT_DEADLOCK;
      break;
    }
    Queue& queue = *candidates[random_() % candidates.size()];
    const size_t index = queue.commands[queue.next++];
    const npu_command& command = commands[index];
    try {
      interpreter.execute(command);
    } catch (const Fault& fault) {
      result.status = NPU_JOB_FAULT;
      result.fault = fault.code;
      result.fault_address = fault.address;
      result.fault_command = static_cast<uint32_t>(index);
      break;
    }
    if (command.signal != NPU_TOKEN_NONE) {
      ++tokens.at(command.signal);
    }
    ++commands_run_[command.kind];
    ++result.commands;
    time_ns_ += kCommandNanoseconds;
  }
  result.end_ns = time_ns_;
  return result;
}

}  // namespace npuvp::test
