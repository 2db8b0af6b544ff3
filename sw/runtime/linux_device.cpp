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
#include "firmware/abi/memory_map.h"
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

/// A buffer object of the driver, closed with the C++ object.
class Handle {
 public:
  Handle(File file, uint32_t handle) : file_(std::move(file)), handle_(handle) {}
  ~Handle() {
    drm_gem_close close{};
    close.handle = handle_;
    (void)file_->try_ioctl(DRM_IOCTL_GEM_CLOSE, &close);  // nothing to be done about it in a destructor
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  [[nodiscard]] const File& file() const { return file_; }
  [[nodiscard]] uint32_t number() const { return handle_; }

  /// The same object for `file`, that of another card. Errors: DeviceError.
  [[nodiscard]] std::unique_ptr<Handle> import_to(const File& file) const {
    if (file == file_) {
      file->fail("what is the card's own cannot be imported");
    }
    drm_prime_handle prime{};
    prime.handle = handle_;
    prime.flags = DRM_CLOEXEC | DRM_RDWR;
    file_->ioctl(DRM_IOCTL_PRIME_HANDLE_TO_FD, "DRM_IOCTL_PRIME_HANDLE_TO_FD", &prime);
    int error = 0;
    do {
      error = file->try_ioctl(DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
    } while (error == EINTR);
    ::close(prime.fd);
    if (error != 0) {
      file->fail("DRM_IOCTL_PRIME_FD_TO_HANDLE for another card's object", error);
    }
    return std::make_unique<Handle>(file, prime.handle);
  }

 private:
  File file_;
  uint32_t handle_;
};

class LinuxBuffer final : public Buffer {
 public:
  LinuxBuffer(const File& file, size_t bytes, Placement placement) : placement_(placement), size_(bytes) {
    drm_npu_bo_create create{};
    create.size = std::max<size_t>(bytes, 1);
    create.placement = placement == Placement::kHost ? DRM_NPU_PLACEMENT_HOST : DRM_NPU_PLACEMENT_DEVICE;
    create.flags = placement == Placement::kPeer ? DRM_NPU_BO_PEER : 0;
    file->ioctl(DRM_IOCTL_NPU_BO_CREATE, "DRM_IOCTL_NPU_BO_CREATE", &create);
    handle_ = std::make_unique<Handle>(file, create.handle);
    if (placement == Placement::kHost) {
      mapping_ = ::mmap(nullptr, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd(),
                        static_cast<off_t>(create.mmap_offset));
      if (mapping_ == MAP_FAILED) {
        file->fail("mmap of a buffer", errno);
      }
      mapped_bytes_ = create.size;
    }
  }
  /// What was imported.
  LinuxBuffer(std::unique_ptr<Handle> handle, size_t bytes)
      : handle_(std::move(handle)), placement_(Placement::kPeer), size_(bytes) {}
  ~LinuxBuffer() override {
    if (mapped_bytes_ != 0) {
      ::munmap(mapping_, mapped_bytes_);
    }
  }
  LinuxBuffer(const LinuxBuffer&) = delete;
  LinuxBuffer& operator=(const LinuxBuffer&) = delete;

  [[nodiscard]] Placement placement() const override { return placement_; }
  [[nodiscard]] size_t size() const override { return size_; }
  [[nodiscard]] std::span<std::byte> bytes() override {
    return placement_ == Placement::kHost ? std::span(static_cast<std::byte*>(mapping_), size_)
                                          : std::span<std::byte>{};
  }
  [[nodiscard]] const Handle& handle() const { return *handle_; }

 private:
  std::unique_ptr<Handle> handle_;
  Placement placement_;
  size_t size_;
  size_t mapped_bytes_ = 0;
  void* mapping_ = nullptr;
};

class LinuxFlags final : public Flags {
 public:
  LinuxFlags(const File& file, uint32_t count) {
    create_.count = count;
    file->ioctl(DRM_IOCTL_NPU_SYNC_CREATE, "DRM_IOCTL_NPU_SYNC_CREATE", &create_);
    handle_ = std::make_unique<Handle>(file, create_.handle);
  }
  [[nodiscard]] uint32_t first() const override { return create_.first; }
  [[nodiscard]] uint32_t count() const override { return create_.count; }
  [[nodiscard]] const Handle& handle() const { return *handle_; }

 private:
  drm_npu_sync_create create_{};
  std::unique_ptr<Handle> handle_;
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

  [[nodiscard]] std::unique_ptr<Flags> allocate_flags(uint32_t count) override {
    return std::make_unique<LinuxFlags>(file_, count);
  }

  [[nodiscard]] std::unique_ptr<Buffer> import(const Buffer& theirs) override {
    if (theirs.placement() != Placement::kPeer) {
      file_->fail("only a buffer of placement kPeer can be imported");
    }
    return import_as<LinuxBuffer>(theirs, theirs.size());
  }

  [[nodiscard]] std::unique_ptr<Buffer> import(const Flags& theirs) override {
    return import_as<LinuxFlags>(theirs, NPU_DEVICE_SYNC_WINDOW_BYTES);
  }

  JobId submit(const Submission& submission) override {
    if (submission.segments.empty() || submission.segments.size() > max_segments_) {
      file_->fail("a job has 1 to " + std::to_string(max_segments_) + " segments, this one " +
                  std::to_string(submission.segments.size()));
    }
    std::vector<drm_npu_segment> segments;
    for (const Segment& segment : submission.segments) {
      const auto* const buffer = dynamic_cast<const LinuxBuffer*>(segment.buffer);
      if (buffer == nullptr || buffer->handle().file() != file_) {
        file_->fail("a segment's buffer belongs to another device: import it");
      }
      segments.push_back(
          {.handle = buffer->handle().number(), .flags = segment.writable ? DRM_NPU_SEGMENT_WRITABLE : 0u});
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
  template <class Ours, class Any>
  [[nodiscard]] std::unique_ptr<Buffer> import_as(const Any& theirs, size_t bytes) const {
    const auto* const object = dynamic_cast<const Ours*>(&theirs);
    if (object == nullptr) {
      file_->fail("what is to be imported belongs to no card behind the driver");
    }
    return std::make_unique<LinuxBuffer>(object->handle().import_to(file_), bytes);
  }

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
