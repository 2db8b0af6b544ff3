// SPDX-License-Identifier: Apache-2.0
#include "models/base/sparse_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

namespace npuvp::base {
namespace {

uint64_t page_bytes() {
  static const auto kPage = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return kPage;
}

}  // namespace

SparseMemory::SparseMemory(uint64_t bytes) : size_(bytes) {
  mapped_ = (std::max<uint64_t>(bytes, 1) + page_bytes() - 1) / page_bytes() * page_bytes();
  void* mapping = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<uint8_t*>(mapping);
}

SparseMemory::~SparseMemory() {
  munmap(data_, mapped_);
}

void SparseMemory::clear() {
  madvise(data_, mapped_, MADV_DONTNEED);
}

void SparseMemory::clear(uint64_t offset, uint64_t bytes) {
  const uint64_t end = offset + bytes;
  const uint64_t first_page = (offset + page_bytes() - 1) / page_bytes() * page_bytes();
  const uint64_t last_page = end / page_bytes() * page_bytes();
  if (first_page >= last_page) {
    std::memset(data_ + offset, 0, bytes);
    return;
  }
  std::memset(data_ + offset, 0, first_page - offset);
  madvise(data_ + first_page, last_page - first_page, MADV_DONTNEED);
  std::memset(data_ + last_page, 0, end - last_page);
}

uint64_t SparseMemory::resident_bytes() const {
  constexpr uint64_t kPagesAtOnce = 1U << 20;
  std::vector<unsigned char> map(std::min(mapped_ / page_bytes(), kPagesAtOnce));
  uint64_t resident = 0;
  for (uint64_t offset = 0; offset < mapped_; offset += kPagesAtOnce * page_bytes()) {
    const uint64_t bytes = std::min(mapped_ - offset, kPagesAtOnce * page_bytes());
    if (mincore(data_ + offset, bytes, map.data()) != 0) return 0;
    resident +=
        static_cast<uint64_t>(std::count_if(map.begin(), map.begin() + static_cast<int64_t>(bytes / page_bytes()),
                                            [](unsigned char page) { return (page & 1U) != 0; })) *
        page_bytes();
  }
  return resident;
}

}  // namespace npuvp::base
