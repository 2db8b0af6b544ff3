// SPDX-License-Identifier: Apache-2.0
#include "models/flash/nor_content.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "models/base/file_error.h"

namespace npuvp::flash {
namespace {

constexpr uint8_t kErased = 0xff;

[[noreturn]] void fail(const std::string& file, const std::string& what) {
  throw base::FileError("flash file " + file + ": " + what);
}

/// A new file gets its contents before its name, so that there is never half a flash under it.
void create(const std::string& file, uint64_t bytes) {
  const std::string fresh = file + ".new";
  const int descriptor = open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) fail(file, std::strerror(errno));
  const std::vector<uint8_t> erased(bytes, kErased);
  const bool written = write(descriptor, erased.data(), erased.size()) == static_cast<ssize_t>(bytes);
  const int error = errno;
  close(descriptor);
  if (!written || rename(fresh.c_str(), file.c_str()) != 0) fail(file, std::strerror(written ? errno : error));
}

}  // namespace

NorContent::NorContent(uint64_t bytes, const std::string& file) : bytes_(bytes) {
  if (!file.empty()) {
    map_file(file);
    return;
  }
  memory_ = std::make_unique<base::SparseMemory>(bytes);
  cells_ = memory_->data();
  inverted_ = kErased;
}

void NorContent::map_file(const std::string& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) create(file, bytes_);
  descriptor_ = open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) fail(file, std::strerror(errno));
  std::string wrong;
  if (static_cast<uint64_t>(status.st_size) != bytes_) {
    wrong = "has " + std::to_string(status.st_size) + " bytes, the board's flash has " + std::to_string(bytes_);
  } else if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    wrong = "is in use by another card; give each card a file of its own";
  } else {
    void* mapping = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
    if (mapping != MAP_FAILED) {
      cells_ = static_cast<uint8_t*>(mapping);
      return;
    }
    wrong = std::strerror(errno);
  }
  close(descriptor_);
  fail(file, wrong);
}

NorContent::~NorContent() {
  if (descriptor_ < 0) return;
  munmap(cells_, bytes_);
  close(descriptor_);
}

void NorContent::erase(uint64_t offset, uint64_t bytes) {
  if (memory_) {
    memory_->clear(offset, bytes);
  } else {
    std::memset(cells_ + offset, kErased, bytes);
  }
}

}  // namespace npuvp::flash
