// SPDX-License-Identifier: Apache-2.0
// runtime::Device over the Linux driver's ioctls (driver/uapi/npu_accel.h).
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include "driver/uapi/npu_accel.h"
#include "firmware/abi/abi.h"
#include "sw/runtime/device.h"

namespace npuvp::runtime {
namespace {

using Clock = std::chrono::steady_clock;

/// The open device file; buffers share it with the device, so either may be destroyed first.
class DeviceFile {
 public:
  explicit DeviceFile(std::string path) : path_(std::move(path)), fd_(::open(path_.c_str(), O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0) {
      fail("open", errno);
    }
  }
  ~DeviceFile() { ::close(fd_); }
  DeviceFile(const DeviceFile&) = delete;
  DeviceFile& operator=(const DeviceFile&) = delete;

  [[nodiscard]] int fd() const { return fd_; }

  /// One attempt; 0 or the error number.
  [[nodiscard]] int try_ioctl(unsigned long request, void* argument) const {
    return ::ioctl(fd_, request, argument) == 0 ? 0 : errno;
  }
  /// Repeats what a signal interrupted. Errors: DeviceError.
  void ioctl(unsigned long request, const char* name, void* argument) const {
    int error = 0;
    do {
      error = try_ioctl(request, argument);
    } while (error == EINTR);
    if (error != 0) {
      fail(name, error);
    }
  }
  [[noreturn]] void fail(const char* operation, int error) const {
    throw DeviceError(path_ + ": " + operation + ": " + std::strerror(error) + remedy(error));
  }
  [[noreturn]] void fail(const std::string& what) const { throw DeviceError(path_ + ": " + what); }

 private:
  static const char* remedy(int error) {
    switch (error) {
      case ENOENT:
        return "; is the npu module loaded and a card present (lsmod, dmesg)?";
      case EACCES:
      case EPERM:
        return "; run as root or join the group that owns the file (ls -l)";
      case ENODEV:
      case EIO:
        return "; the card is gone or has failed, see dmesg";
      case ENOTTY:
        return "; is this the file of another driver's device?";
      case ENOMEM:
      case ENOSPC:
        return "; not enough memory of this kind, use a smaller batch";
      case EBUSY:
        return "; the card is being reset or its virtual functions change, try again";
      case ETIME:
        return "; the job still runs, wait longer or see dmesg";
      default:
        return "; see dmesg";
    }
  }

  std::string path_;
  int fd_;
};
using File = std::shared_ptr<const DeviceFile>;

class LinuxBuffer final : public Buffer {
 public:
  LinuxBuffer(File file, size_t bytes, Placement placement)
      : file_(std::move(file)), placement_(placement), size_(bytes) {
    drm_npu_bo_create create{};
    create.size = std::max<size_t>(bytes, 1);
    create.placement = placement == Placement::kHost ? DRM_NPU_PLACEMENT_HOST : DRM_NPU_PLACEMENT_DEVICE;
    file_->ioctl(DRM_IOCTL_NPU_BO_CREATE, "DRM_IOCTL_NPU_BO_CREATE", &create);
    handle_ = create.handle;
    if (placement == Placement::kHost) {
      mapped_bytes_ = create.size;
      mapping_ = ::mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file_->fd(),
                        static_cast<off_t>(create.mmap_offset));
      if (mapping_ == MAP_FAILED) {
        const int error = errno;
        close_handle();
        file_->fail("mmap of a buffer", error);
      }
    }
  }
  ~LinuxBuffer() override {
    if (mapped_bytes_ != 0) {
      ::munmap(mapping_, mapped_bytes_);
    }
    close_handle();
  }
  LinuxBuffer(const LinuxBuffer&) = delete;
  LinuxBuffer& operator=(const LinuxBuffer&) = delete;

  [[nodiscard]] Placement placement() const override { return placement_; }
  [[nodiscard]] size_t size() const override { return size_; }
  [[nodiscard]] std::span<std::byte> bytes() override {
    return placement_ == Placement::kHost ? std::span(static_cast<std::byte*>(mapping_), size_)
                                          : std::span<std::byte>{};
  }
  [[nodiscard]] uint32_t handle() const { return handle_; }

 private:
  void close_handle() const {
    drm_gem_close close{};
    close.handle = handle_;
    (void)file_->try_ioctl(DRM_IOCTL_GEM_CLOSE, &close);  // nothing to be done about it in a destructor
  }

  File file_;
  Placement placement_;
  size_t size_;
  size_t mapped_bytes_ = 0;
  void* mapping_ = nullptr;
  uint32_t handle_ = 0;
};

class LinuxDevice final : public Device {
 public:
  explicit LinuxDevice(const std::string& path) : file_(std::make_shared<DeviceFile>(path)) {
    drm_npu_get_info info{};
    file_->ioctl(DRM_IOCTL_NPU_GET_INFO, "DRM_IOCTL_NPU_GET_INFO", &info);
    if (NPU_ABI_VERSION_MAJOR(info.abi_version) != NPU_ABI_MAJOR) {
      file_->fail("the card speaks ABI " + std::to_string(NPU_ABI_VERSION_MAJOR(info.abi_version)) + ", this program " +
                  std::to_string(NPU_ABI_MAJOR) + "; install programs and firmware of one release");
    }
    info_ = {.abi_version = info.abi_version,
             .firmware_version = info.firmware_version,
             .neural_engines = info.neural_engines,
             .dram_bytes = info.dram_bytes};
    max_segments_ = info.max_segments;
    drm_npu_context context{};
    file_->ioctl(DRM_IOCTL_NPU_CONTEXT_CREATE, "DRM_IOCTL_NPU_CONTEXT_CREATE", &context);
    context_ = context.id;
  }
  ~LinuxDevice() override {
    drm_npu_context context{};
    context.id = context_;
    (void)file_->try_ioctl(DRM_IOCTL_NPU_CONTEXT_DESTROY, &context);
  }
  LinuxDevice(const LinuxDevice&) = delete;
  LinuxDevice& operator=(const LinuxDevice&) = delete;

  [[nodiscard]] const DeviceInfo& info() const override { return info_; }

  [[nodiscard]] std::unique_ptr<Buffer> allocate(size_t bytes, Placement placement) override {
    return std::make_unique<LinuxBuffer>(file_, bytes, placement);
  }

  JobId submit(const Submission& submission) override {
    if (submission.segments.empty() || submission.segments.size() > max_segments_) {
      file_->fail("a job has 1 to " + std::to_string(max_segments_) + " segments, this one " +
                  std::to_string(submission.segments.size()));
    }
    std::vector<drm_npu_segment> segments;
    for (const Segment& segment : submission.segments) {
      const auto* const buffer = dynamic_cast<const LinuxBuffer*>(segment.buffer);
      if (buffer == nullptr) {
        file_->fail("a segment's buffer belongs to another device");
      }
      segments.push_back({.handle = buffer->handle(), .flags = segment.writable ? DRM_NPU_SEGMENT_WRITABLE : 0u});
    }
    drm_npu_submit submit{};
    submit.context = context_;
    submit.segment_count = static_cast<uint32_t>(segments.size());
    submit.segments = reinterpret_cast<uintptr_t>(segments.data());
    submit.command_segment = submission.command_segment;
    submit.command_bytes = submission.command_bytes;
    submit.command_offset = submission.command_offset;
    submit.timeout_us = submission.timeout_us;
    submit_when_there_is_room(submit);
    return submit.job;
  }

  Completion wait(JobId job, std::chrono::nanoseconds timeout) override {
    const Clock::time_point start = Clock::now();
    drm_npu_wait wait{};
    int error = 0;
    do {  // an interrupted wait continues with the time that is left
      const std::chrono::nanoseconds left = timeout - (Clock::now() - start);
      wait = {};
      wait.context = context_;
      wait.job = job;
      wait.timeout_ns = std::max<int64_t>(left.count(), 0);
      error = file_->try_ioctl(DRM_IOCTL_NPU_WAIT, &wait);
    } while (error == EINTR);
    if (error != 0) {
      file_->fail(("DRM_IOCTL_NPU_WAIT for job " + std::to_string(job)).c_str(), error);
    }
    return {.status = wait.status,
            .fault = wait.fault,
            .fault_address = wait.fault_address,
            .fault_command = wait.fault_command,
            .commands = wait.commands,
            .start_ns = wait.start_ns,
            .end_ns = wait.end_ns};
  }

 private:
  /// The driver may block or answer EAGAIN while the queue is full.
  void submit_when_there_is_room(drm_npu_submit& submit) const {
    constexpr std::chrono::milliseconds kPoll{1};
    constexpr std::chrono::minutes kPatience{10};
    const Clock::time_point deadline = Clock::now() + kPatience;
    int error = 0;
    while ((error = file_->try_ioctl(DRM_IOCTL_NPU_SUBMIT, &submit)) == EINTR || error == EAGAIN) {
      if (Clock::now() > deadline) {
        file_->fail("the job queue has been full for 10 minutes; the card hangs, see dmesg");
      }
      if (error == EAGAIN) {
        std::this_thread::sleep_for(kPoll);
      }
    }
    if (error != 0) {
      file_->fail("DRM_IOCTL_NPU_SUBMIT", error);
    }
  }

  File file_;
  DeviceInfo info_{};
  uint32_t max_segments_ = 0;
  uint32_t context_ = 0;
};

}  // namespace

std::unique_ptr<Device> open_linux_device(const std::string& path) {
  return std::make_unique<LinuxDevice>(path);
}

}  // namespace npuvp::runtime
