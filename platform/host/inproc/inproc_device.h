// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "firmware/abi/mailbox.h"
#include "firmware/abi/queue.h"
#include "platform/host/inproc/free_space.h"
#include "platform/host/inproc/inproc_host.h"
#include "sw/runtime/device.h"

namespace npuvp::host {

/// The boot ROM refused the firmware image: the file is wrong, the card is not.
class FirmwareRefused : public runtime::DeviceError {
 public:
  using runtime::DeviceError::DeviceError;
};

/// The runtime's Device on an in-process host: what the Linux driver does, in the simulation's own thread. Time-outs
/// are simulated time. Call only from the host's body.
class InprocDevice final : public runtime::Device {
 public:
  /// Boots the card with `firmware` (the contents of an image file; empty: it starts by itself), shakes hands and makes
  /// one queue. Throws FirmwareRefused for a wrong image, else DeviceError.
  InprocDevice(InprocHost& host, const PciFunction& function, std::span<const uint8_t> firmware);
  ~InprocDevice() override;

  [[nodiscard]] const runtime::DeviceInfo& info() const override { return info_; }
  [[nodiscard]] std::unique_ptr<runtime::Buffer> allocate(size_t bytes, runtime::Placement placement) override;
  runtime::JobId submit(const runtime::Submission& submission) override;
  runtime::Completion wait(runtime::JobId job, std::chrono::nanoseconds timeout) override;
  [[nodiscard]] std::unique_ptr<runtime::Flags> allocate_flags(uint32_t count) override;
  [[nodiscard]] std::unique_ptr<runtime::Buffer> import(const runtime::Buffer& theirs) override;
  [[nodiscard]] std::unique_ptr<runtime::Buffer> import(const runtime::Flags& theirs) override;

  /// Writes `image` to the flash slot that the card did not boot from; it boots after the next card reset. Throws
  /// FirmwareRefused if the card does not want the image, else DeviceError.
  void update_firmware(std::span<const uint8_t> image);

 private:
  using Message = std::array<uint32_t, NPU_MAILBOX_WORDS>;
  class PagedBuffer;
  class HostBuffer;
  class PeerBuffer;
  class DeviceBuffer;
  class CardFlags;
  struct Share;
  struct Job;

  [[nodiscard]] uint32_t read(uint32_t offset) { return host_.mmio_read32(bar0_ + offset); }
  void write(uint32_t offset, uint32_t value) { host_.mmio_write32(bar0_ + offset, value); }

  void boot(std::span<const uint8_t> firmware);
  /// Waits for one of two states of the card and returns it.
  uint32_t wait_for_state(uint32_t state, uint32_t or_state, const char* what);
  /// Sends one message (word 0 is made here from the opcode) and returns the reply whatever its status.
  Message call(npu_mailbox_opcode opcode, Message message);
  void check_update(const Message& reply) const;
  void shake_hands();
  void create_queue();
  void collect_completions();
  [[nodiscard]] npu_segment describe(const runtime::Segment& segment) const;

  InprocHost& host_;
  uint64_t bar0_;
  uint64_t bar2_;
  uint64_t bar2_bytes_;
  uint32_t first_vector_;
  uint8_t sequence_ = 0;
  runtime::DeviceInfo info_{};
  uint64_t dram_base_ = 0;           // card physical; BAR2 shows DRAM from here on
  std::shared_ptr<FreeSpace> dram_;  // card physical addresses
  std::shared_ptr<FreeSpace> flags_;

  HostBlock submissions_;
  HostBlock completions_;
  uint32_t tail_ = 0;
  uint32_t card_head_ = 0;  // as the last completion said
  uint32_t completion_head_ = 0;
  uint32_t phase_ = 1;
  runtime::JobId last_job_ = 0;
  std::map<runtime::JobId, std::unique_ptr<Job>> running_;
  std::map<runtime::JobId, runtime::Completion> finished_;
};

}  // namespace npuvp::host
