// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

namespace npuvp::runtime {

/// A card could not be opened, or it refused or failed an operation. The message names card, operation and remedy.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a card offers.
struct DeviceInfo {
  uint32_t abi_version;       ///< NPU_ABI_VERSION of the card.
  uint32_t firmware_version;  ///< major << 16 | minor << 8 | patch
  uint32_t neural_engines;
  uint64_t dram_bytes;  ///< For device buffers.
};

enum class Placement : uint8_t {
  kHost,    ///< Host pages, mapped into the program.
  kDevice,  ///< Card DRAM, reached by commands only.
  kPeer,    ///< Card DRAM inside its window on the PCIe bus: commands of cards that import it reach it too.
};

/// Memory that jobs can name as a segment. Freed with the object, not before the jobs that use it have completed.
class Buffer {
 public:
  virtual ~Buffer() = default;
  [[nodiscard]] virtual Placement placement() const = 0;
  [[nodiscard]] virtual size_t size() const = 0;
  /// Contents; empty for device buffers.
  [[nodiscard]] virtual std::span<std::byte> bytes() = 0;
};

/// Flags of Device Sync: 32-bit counters that the commands of their card WAIT for and UPDATE by number, and that cards
/// which import them SIGNAL (struct npu_device_sync). They keep what was last in them: UPDATE them before a peer knows
/// of them. Given back with the object and what was imported of it.
class Flags {
 public:
  virtual ~Flags() = default;
  [[nodiscard]] virtual uint32_t first() const = 0;  ///< Number of the first one; the others follow.
  [[nodiscard]] virtual uint32_t count() const = 0;
};

/// A buffer as one of a job's segments; the position in the list is the segment number (firmware/abi/command.h).
struct Segment {
  Buffer* buffer;
  bool writable;
};

/// One command stream to run.
struct Submission {
  std::span<const Segment> segments;  ///< 1 to NPU_MAX_SEGMENTS.
  uint32_t command_segment = 0;       ///< Which of them holds the commands.
  uint64_t command_offset = 0;        ///< Bytes.
  uint32_t command_bytes = 0;
  uint32_t timeout_us = 0;  ///< Card time; 0: none.
};

using JobId = uint64_t;

/// How a job ended; fields as in struct npu_completion.
struct Completion {
  uint32_t status;  ///< enum npu_job_status
  uint32_t fault;   ///< enum npu_fault
  uint64_t fault_address;
  uint32_t fault_command;
  uint32_t commands;
  uint64_t start_ns;  ///< Card time.
  uint64_t end_ns;
};

/// One card with one context, the same on every host. Not thread-safe. Errors: DeviceError.
class Device {
 public:
  virtual ~Device() = default;
  [[nodiscard]] virtual const DeviceInfo& info() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Buffer> allocate(size_t bytes, Placement placement) = 0;
  /// Queues a job; blocks while the queue is full.
  virtual JobId submit(const Submission& submission) = 0;
  /// Waits for one job, in any order. Throws DeviceError when the host's time `timeout` has passed first.
  virtual Completion wait(JobId job, std::chrono::nanoseconds timeout) = 0;

  /// `count` flags in a row, 1 to NPU_SYNC_FLAGS.
  [[nodiscard]] virtual std::unique_ptr<Flags> allocate_flags(uint32_t /*count*/) { throw no_peers(); }
  /// A kPeer buffer of another card on the same host as a buffer of this one, for its Device HDMA. It keeps the memory.
  [[nodiscard]] virtual std::unique_ptr<Buffer> import(const Buffer& /*theirs*/) { throw no_peers(); }
  /// Another card's flags as a buffer of this one: flag n is the word at 4 * n, the one that adds at
  /// NPU_SYNC_WINDOW_ADD + 4 * n.
  [[nodiscard]] virtual std::unique_ptr<Buffer> import(const Flags& /*theirs*/) { throw no_peers(); }

 private:
  static DeviceError no_peers() { return DeviceError("this kind of card has no peers"); }
};

/// Opens the card behind a Linux accel node, for example "/dev/accel/accel0".
[[nodiscard]] std::unique_ptr<Device> open_linux_device(const std::string& path);

}  // namespace npuvp::runtime
