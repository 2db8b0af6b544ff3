// SPDX-License-Identifier: Apache-2.0
#include "platform/host/inproc/inproc_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "firmware/abi/boot_text.h"
#include "firmware/abi/command.h"
#include "firmware/abi/memory_map.h"
#include "npu/registers/mailbox.h"

namespace npuvp::host {
namespace {

using runtime::DeviceError;
using sc_core::sc_time;

constexpr uint32_t kQueue = 0;
constexpr uint32_t kQueueLog2 = 6;
constexpr uint32_t kEntries = 1U << kQueueLog2;
constexpr uint32_t kQueueVector = 1;
constexpr uint32_t kContext = 1;
constexpr uint32_t kId = 0x3055504e;             // mailbox registers.yaml, ID
const sc_time kBootTimeout(5, sc_core::SC_SEC);  // a card whose update fails on trial takes 3 s to fall back
const sc_time kMessageTimeout(100, sc_core::SC_MS);
const sc_time kPollInterval(10, sc_core::SC_US);

sc_time to_sc_time(std::chrono::nanoseconds time) {
  return {static_cast<double>(std::max<int64_t>(time.count(), 0)), sc_core::SC_NS};
}

}  // namespace

/// Pages on the bus, with the list of them that the card reads.
class InprocDevice::PagedBuffer : public runtime::Buffer {
 public:
  PagedBuffer(HostMemory& memory, uint64_t bus_address, size_t bytes)
      : size_(bytes), pages_(memory, page_count() * sizeof(uint64_t)) {
    for (size_t page = 0; page < page_count(); ++page) {
      const uint64_t address = bus_address + page * HostMemory::kPageBytes;
      std::memcpy(pages_.bytes().data() + page * sizeof(address), &address, sizeof(address));
    }
  }
  [[nodiscard]] size_t size() const override { return size_; }
  [[nodiscard]] uint64_t page_list() const { return pages_.bus_address(); }

 private:
  [[nodiscard]] size_t page_count() const { return (size_ + HostMemory::kPageBytes - 1) / HostMemory::kPageBytes; }

  size_t size_;
  HostBlock pages_;
};

class InprocDevice::HostBuffer final : public PagedBuffer {
 public:
  HostBuffer(HostMemory& memory, size_t bytes) : HostBuffer(memory, std::make_unique<HostBlock>(memory, bytes)) {}
  [[nodiscard]] runtime::Placement placement() const override { return runtime::Placement::kHost; }
  [[nodiscard]] std::span<std::byte> bytes() override { return std::as_writable_bytes(block_->bytes()); }

 private:
  HostBuffer(HostMemory& memory, std::unique_ptr<HostBlock> block)
      : PagedBuffer(memory, block->bus_address(), block->bytes().size()), block_(std::move(block)) {}

  std::unique_ptr<HostBlock> block_;
};

/// Something of a card, at a place where the bus reaches it.
struct InprocDevice::Share {
  const InprocDevice* owner;
  std::shared_ptr<const FreeSpace::Taken> taken;
  uint64_t bus_address;
};

/// In the window of another card, where it keeps what it shows.
class InprocDevice::PeerBuffer final : public PagedBuffer {
 public:
  PeerBuffer(HostMemory& memory, const Share& share, size_t bytes)
      : PagedBuffer(memory, share.bus_address, bytes), kept_(share.taken) {}
  [[nodiscard]] runtime::Placement placement() const override { return runtime::Placement::kPeer; }
  [[nodiscard]] std::span<std::byte> bytes() override { return {}; }

 private:
  std::shared_ptr<const FreeSpace::Taken> kept_;
};

class InprocDevice::DeviceBuffer final : public runtime::Buffer {
 public:
  /// `share.bus_address` counts with placement kPeer only.
  DeviceBuffer(Share share, size_t bytes, runtime::Placement placement)
      : share_(std::move(share)), bytes_(bytes), placement_(placement) {}
  [[nodiscard]] runtime::Placement placement() const override { return placement_; }
  [[nodiscard]] size_t size() const override { return bytes_; }
  [[nodiscard]] std::span<std::byte> bytes() override { return {}; }
  [[nodiscard]] const Share& share() const { return share_; }
  [[nodiscard]] uint64_t address() const { return share_.taken->begin(); }  ///< Card physical.

 private:
  Share share_;
  size_t bytes_;
  runtime::Placement placement_;
};

class InprocDevice::CardFlags final : public runtime::Flags {
 public:
  CardFlags(Share share, uint32_t count) : share_(std::move(share)), count_(count) {}
  [[nodiscard]] uint32_t first() const override { return static_cast<uint32_t>(share_.taken->begin()); }
  [[nodiscard]] uint32_t count() const override { return count_; }
  [[nodiscard]] const Share& share() const { return share_; }

 private:
  Share share_;
  uint32_t count_;
};

/// What the card reads while a job runs.
struct InprocDevice::Job {
  Job(HostMemory& memory, size_t segments) : segment_table(memory, segments * sizeof(npu_segment)) {}
  HostBlock segment_table;
};

InprocDevice::InprocDevice(InprocHost& host, const PciFunction& function, std::span<const uint8_t> firmware)
    : host_(host),
      bar0_(function.bars[0]),
      bar2_(function.bars[2]),
      bar2_bytes_(function.bar_bytes[2]),
      first_vector_(function.first_vector),
      submissions_(host.ram(), kEntries * sizeof(npu_submission)),
      completions_(host.ram(), kEntries * sizeof(npu_completion)) {
  if (function.vectors <= kQueueVector) throw DeviceError("card offers too few MSI-X vectors");
  boot(firmware);
  shake_hands();
  create_queue();
}

InprocDevice::~InprocDevice() {
  // The rings go away with this object: the card must not write them any more. Outside of the simulation's thread (a
  // stopped simulation is being torn down) nothing runs on the card either.
  if (!sc_core::sc_is_running() || !sc_core::sc_get_current_process_handle().valid()) return;
  try {
    call(NPU_MESSAGE_QUEUE_DESTROY, {0, kQueue});
  } catch (const DeviceError&) {
    write(MAILBOX_HOST_CONTROL, MAILBOX_HOST_CONTROL_CARD_RESET_MASK);
  }
}

uint32_t InprocDevice::wait_for_state(uint32_t state, uint32_t or_state, const char* what) {
  const sc_time deadline = sc_core::sc_time_stamp() + kBootTimeout;
  uint32_t seen = 0;
  do {
    seen = read(MAILBOX_HOST_CARD_STATE) & MAILBOX_HOST_CARD_STATE_STATE_MASK;
    if (seen == state || seen == or_state) return seen;
    if (seen == MAILBOX_HOST_CARD_STATE_STATE_FAULT) break;
    sc_core::wait(kPollInterval);
  } while (sc_core::sc_time_stamp() < deadline);
  throw DeviceError(fmt::format("{}: card state is {}, expected {}, boot code {}; look at its console", what, seen,
                                state, read(MAILBOX_HOST_BOOT_CODE)));
}

void InprocDevice::boot(std::span<const uint8_t> firmware) {
  const uint32_t id = read(MAILBOX_HOST_ID);
  if (id != kId) throw DeviceError(fmt::format("register ID reads {:#x}, expected {:#x}: not our card", id, kId));
  constexpr uint32_t kReady = MAILBOX_HOST_CARD_STATE_STATE_READY;
  if (firmware.empty()) {
    wait_for_state(kReady, kReady, "firmware did not become ready");
    return;
  }
  // A card with firmware in its flash boots by itself.
  if (wait_for_state(MAILBOX_HOST_CARD_STATE_STATE_ROM, kReady, "boot ROM did not start") == kReady) return;

  const HostBlock image(host_.ram(), firmware.size());
  std::copy(firmware.begin(), firmware.end(), image.bytes().begin());
  const auto reply = call(NPU_MESSAGE_BOOT_LOAD, {0, static_cast<uint32_t>(image.bus_address()),
                                                  static_cast<uint32_t>(image.bus_address() >> 32),
                                                  static_cast<uint32_t>(firmware.size()), NPU_ABI_VERSION});
  const uint32_t status = NPU_MAILBOX_STATUS(reply[0]);
  if (status != NPU_BOOT_BOOTED) {
    throw FirmwareRefused(fmt::format("the boot ROM refused the firmware: {} (boot code {}); {}",
                                      npu_boot_refusal_what(status), status, npu_boot_refusal_remedy(status)));
  }
  wait_for_state(kReady, kReady, "firmware did not become ready");
}

InprocDevice::Message InprocDevice::call(npu_mailbox_opcode opcode, Message message) {
  message[0] = NPU_MAILBOX_WORD0(opcode, ++sequence_, 0);
  for (uint32_t word = 0; word < NPU_MAILBOX_WORDS; ++word) write(MAILBOX_HOST_H2C_DATA(word), message.at(word));
  write(MAILBOX_HOST_H2C_DOORBELL, MAILBOX_HOST_H2C_DOORBELL_RING_MASK);
  do {
    if (!host_.wait_interrupt(first_vector_ + NPU_VECTOR_MAILBOX, kMessageTimeout)) {
      throw DeviceError(fmt::format("mailbox message {} was not answered", static_cast<int>(opcode)));
    }
  } while ((read(MAILBOX_HOST_STATUS) & MAILBOX_HOST_STATUS_C2H_PENDING_MASK) == 0);
  Message reply{};
  for (uint32_t word = 0; word < NPU_MAILBOX_WORDS; ++word) reply.at(word) = read(MAILBOX_HOST_C2H_DATA(word));
  write(MAILBOX_HOST_STATUS, MAILBOX_HOST_STATUS_C2H_PENDING_MASK);
  if (NPU_MAILBOX_OPCODE(reply[0]) != static_cast<uint32_t>(opcode) || NPU_MAILBOX_SEQUENCE(reply[0]) != sequence_) {
    throw DeviceError(
        fmt::format("mailbox reply {:#x} does not belong to message {}", reply[0], static_cast<int>(opcode)));
  }
  return reply;
}

void InprocDevice::shake_hands() {
  const auto reply = call(NPU_MESSAGE_HELLO, {0, NPU_ABI_VERSION});
  if (NPU_MAILBOX_STATUS(reply[0]) != NPU_MAILBOX_OK) {
    throw DeviceError(fmt::format("firmware speaks ABI {:#x}, this host {:#x}; use firmware of the same release",
                                  reply[1], NPU_ABI_VERSION));
  }
  constexpr uint64_t kMib = 1 << 20;
  info_ = {
      .abi_version = reply[1], .firmware_version = reply[3], .neural_engines = reply[4], .dram_bytes = reply[5] * kMib};
  dram_base_ = reply[7] * kMib;
  dram_ = std::make_shared<FreeSpace>(dram_base_, info_.dram_bytes, HostMemory::kPageBytes);
  flags_ = std::make_shared<FreeSpace>(0, NPU_SYNC_FLAGS, 1);
}

void InprocDevice::check_update(const Message& reply) const {
  const uint32_t status = NPU_MAILBOX_STATUS(reply[0]);
  if (status == NPU_MAILBOX_OK) return;
  if (reply[1] == NPU_BOOT_NONE)
    throw DeviceError(fmt::format("the card refused a firmware update: status {}", status));
  throw FirmwareRefused(fmt::format("the card refused the firmware: {} (boot code {}); {}",
                                    npu_boot_refusal_what(reply[1]), reply[1], npu_boot_refusal_remedy(reply[1])));
}

void InprocDevice::update_firmware(std::span<const uint8_t> image) {
  const HostBlock block(host_.ram(), std::max<size_t>(image.size(), 1));
  std::copy(image.begin(), image.end(), block.bytes().begin());
  check_update(call(NPU_MESSAGE_UPDATE_BEGIN, {0, static_cast<uint32_t>(image.size())}));
  for (size_t offset = 0; offset < image.size(); offset += NPU_UPDATE_MOST_BYTES) {
    const uint64_t address = block.bus_address() + offset;
    const auto bytes = static_cast<uint32_t>(std::min<size_t>(NPU_UPDATE_MOST_BYTES, image.size() - offset));
    check_update(
        call(NPU_MESSAGE_UPDATE_WRITE, {0, static_cast<uint32_t>(address), static_cast<uint32_t>(address >> 32), bytes,
                                        static_cast<uint32_t>(offset)}));
  }
  check_update(call(NPU_MESSAGE_UPDATE_FINISH, {}));
}

void InprocDevice::create_queue() {
  write(MAILBOX_HOST_SQ_TAIL(kQueue), 0);
  write(MAILBOX_HOST_CQ_HEAD(kQueue), 0);
  const auto reply =
      call(NPU_MESSAGE_QUEUE_CREATE,
           {0, kQueue | (kQueueLog2 << 8) | (kQueueVector << 16), static_cast<uint32_t>(submissions_.bus_address()),
            static_cast<uint32_t>(submissions_.bus_address() >> 32), static_cast<uint32_t>(completions_.bus_address()),
            static_cast<uint32_t>(completions_.bus_address() >> 32), kContext});
  const uint32_t status = NPU_MAILBOX_STATUS(reply[0]);
  if (status != NPU_MAILBOX_OK) throw DeviceError(fmt::format("card refused to make a queue: status {}", status));
}

std::unique_ptr<runtime::Buffer> InprocDevice::allocate(size_t bytes, runtime::Placement placement) {
  if (bytes == 0) throw DeviceError("a buffer needs at least one byte");
  if (placement == runtime::Placement::kHost) return std::make_unique<HostBuffer>(host_.ram(), bytes);
  const bool peer = placement == runtime::Placement::kPeer;
  auto taken = take_shared(dram_, bytes, peer ? dram_base_ + bar2_bytes_ : UINT64_MAX);
  if (taken == nullptr) throw DeviceError(fmt::format("card DRAM has no room for a buffer of {} bytes", bytes));
  const uint64_t bus_address = bar2_ + (taken->begin() - dram_base_);
  return std::make_unique<DeviceBuffer>(Share{this, std::move(taken), bus_address}, bytes, placement);
}

std::unique_ptr<runtime::Flags> InprocDevice::allocate_flags(uint32_t count) {
  auto taken = count == 0 ? nullptr : take_shared(flags_, count);
  if (taken == nullptr) {
    throw DeviceError(fmt::format("the card has no {} flags in a row that nobody uses, of {}", count, NPU_SYNC_FLAGS));
  }
  return std::make_unique<CardFlags>(Share{this, std::move(taken), bar0_ + NPU_BAR0_DEVICE_SYNC}, count);
}

std::unique_ptr<runtime::Buffer> InprocDevice::import(const runtime::Buffer& theirs) {
  const auto* buffer = dynamic_cast<const DeviceBuffer*>(&theirs);
  if (buffer == nullptr || buffer->placement() != runtime::Placement::kPeer || buffer->share().owner == this) {
    throw DeviceError("only a buffer of placement kPeer of another card can be imported");
  }
  return std::make_unique<PeerBuffer>(host_.ram(), buffer->share(), buffer->size());
}

std::unique_ptr<runtime::Buffer> InprocDevice::import(const runtime::Flags& theirs) {
  const auto* flags = dynamic_cast<const CardFlags*>(&theirs);
  if (flags == nullptr || flags->share().owner == this) throw DeviceError("only another card's flags can be imported");
  return std::make_unique<PeerBuffer>(host_.ram(), flags->share(), NPU_DEVICE_SYNC_WINDOW_BYTES);
}

npu_segment InprocDevice::describe(const runtime::Segment& segment) const {
  npu_segment entry{};
  entry.size = segment.buffer->size();
  entry.flags = segment.writable ? NPU_SEGMENT_WRITABLE : 0;
  if (const auto* pages = dynamic_cast<const PagedBuffer*>(segment.buffer)) {
    entry.kind = NPU_SEGMENT_HOST_PAGES;
    entry.base = pages->page_list();
    return entry;
  }
  const auto* buffer = dynamic_cast<const DeviceBuffer*>(segment.buffer);
  if (buffer == nullptr || buffer->share().owner != this)
    throw DeviceError("a segment is a buffer of another card: import it");
  entry.kind = NPU_SEGMENT_DEVICE;
  entry.base = buffer->address();
  return entry;
}

runtime::JobId InprocDevice::submit(const runtime::Submission& submission) {
  const size_t count = submission.segments.size();
  if (count == 0 || count > NPU_MAX_SEGMENTS) {
    throw DeviceError(fmt::format("a job needs 1 to {} segments, got {}", NPU_MAX_SEGMENTS, count));
  }
  while ((tail_ + 1) % kEntries == card_head_ || running_.size() + 1 >= kEntries) {
    if (!host_.wait_interrupt(first_vector_ + kQueueVector, kMessageTimeout)) throw DeviceError("queue does not drain");
    collect_completions();
  }

  auto job = std::make_unique<Job>(host_.ram(), count);
  for (size_t i = 0; i < count; ++i) {
    const auto entry = describe(submission.segments[i]);
    std::memcpy(job->segment_table.bytes().data() + i * sizeof(entry), &entry, sizeof(entry));
  }

  npu_submission entry{};
  entry.opcode = NPU_SUBMIT_EXECUTE;
  entry.context = kContext;
  entry.job = ++last_job_;
  entry.segment_table = job->segment_table.bus_address();
  entry.segment_count = static_cast<uint32_t>(count);
  entry.command_segment = submission.command_segment;
  entry.command_offset = submission.command_offset;
  entry.command_bytes = submission.command_bytes;
  entry.timeout_us = submission.timeout_us;
  std::memcpy(submissions_.bytes().data() + tail_ * sizeof(entry), &entry, sizeof(entry));
  running_[last_job_] = std::move(job);
  tail_ = (tail_ + 1) % kEntries;
  write(MAILBOX_HOST_SQ_TAIL(kQueue), tail_);
  return last_job_;
}

void InprocDevice::collect_completions() {
  bool any = false;
  for (;;) {
    npu_completion entry{};
    std::memcpy(&entry, completions_.bytes().data() + completion_head_ * sizeof(entry), sizeof(entry));
    if (entry.phase != phase_) break;
    any = true;
    card_head_ = entry.sq_head;
    finished_[entry.job] = {.status = entry.status,
                            .fault = entry.fault,
                            .fault_address = entry.fault_address,
                            .fault_command = entry.fault_command,
                            .commands = entry.commands,
                            .start_ns = entry.start_ns,
                            .end_ns = entry.end_ns};
    running_.erase(entry.job);
    completion_head_ = (completion_head_ + 1) % kEntries;
    if (completion_head_ == 0) phase_ ^= 1;
  }
  if (any) write(MAILBOX_HOST_CQ_HEAD(kQueue), completion_head_);
}

runtime::Completion InprocDevice::wait(runtime::JobId job, std::chrono::nanoseconds timeout) {
  const sc_time deadline = sc_core::sc_time_stamp() + to_sc_time(timeout);
  for (;;) {
    collect_completions();
    if (const auto found = finished_.find(job); found != finished_.end()) {
      const auto completion = found->second;
      finished_.erase(found);
      return completion;
    }
    if (!running_.contains(job)) throw DeviceError(fmt::format("job {} does not exist or was waited for already", job));
    const sc_time now = sc_core::sc_time_stamp();
    if (now >= deadline || !host_.wait_interrupt(first_vector_ + kQueueVector, deadline - now)) {
      throw DeviceError(fmt::format("job {} has not completed in {} ms of simulated time", job,
                                    std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()));
    }
  }
}

}  // namespace npuvp::host
