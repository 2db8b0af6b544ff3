// SPDX-License-Identifier: Apache-2.0
#include "platform/host/vfio_user/dma_map.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "platform/host/vfio_user/protocol.h"

namespace npuvp::host::vfio_user {
namespace {

bool is_aligned(const void* pointer, uint64_t bytes) {
  return reinterpret_cast<uintptr_t>(pointer) % bytes == 0;
}

/// One access of the processor on the side that the guest shares; our own side need not be aligned.
template <typename Word>
void copy_word(uint8_t* to, const uint8_t* from) {
  Word value = 0;
  if (is_aligned(from, sizeof(Word))) {
    value = __atomic_load_n(reinterpret_cast<const Word*>(from), __ATOMIC_ACQUIRE);
  } else {
    std::memcpy(&value, from, sizeof(Word));
  }
  if (is_aligned(to, sizeof(Word))) {
    __atomic_store_n(reinterpret_cast<Word*>(to), value, __ATOMIC_RELEASE);
  } else {
    std::memcpy(to, &value, sizeof(Word));
  }
}

/// Longest copy that keeps the order of its words: descriptors and completions, whose last word says that the rest is
/// there. Bulk data has no such word.
constexpr uint64_t kOrderedBytes = 256;

/// memcpy, but as the guest's processors see it: an aligned word is never half written, and a short block of words
/// appears in order of address.
void copy(uint8_t* to, const uint8_t* from, uint64_t bytes) {
  if (bytes == 2) return copy_word<uint16_t>(to, from);
  if (bytes == 4) return copy_word<uint32_t>(to, from);
  if (bytes > kOrderedBytes || bytes % 8 != 0) {
    std::memcpy(to, from, bytes);
    return;
  }
  for (uint64_t done = 0; done < bytes; done += 8) copy_word<uint64_t>(to + done, from + done);
}

/// True if all of [offset, offset + bytes) exists in the file: a mapping beyond its end would kill us with SIGBUS.
bool covers(const UniqueFd& fd, uint64_t offset, uint64_t bytes) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  const auto size = static_cast<uint64_t>(status.st_size);
  return offset <= size && bytes <= size - offset;
}

}  // namespace

int DmaMap::map(const Region& region, const UniqueFd& fd, uint64_t file_offset) {
  const bool aligned = region.address % kPageBytes == 0 && region.bytes % kPageBytes == 0;
  if (region.bytes == 0 || region.bytes - 1 > ~uint64_t{0} - region.address || !aligned) return EINVAL;
  const auto next =
      std::upper_bound(regions_.begin(), regions_.end(), region.address,
                       [](uint64_t address, const Mapping& other) { return address < other.region.address; });
  const bool overlaps_next = next != regions_.end() && next->region.address - region.address < region.bytes;
  const bool overlaps_previous =
      next != regions_.begin() && region.address - std::prev(next)->region.address < std::prev(next)->region.bytes;
  if (overlaps_next || overlaps_previous) return EEXIST;
  if (regions_.size() >= kMaxDmaMaps) return ENOSPC;

  uint8_t* host = nullptr;
  if (fd) {
    if (file_offset % kPageBytes != 0 || !covers(fd, file_offset, region.bytes)) return EINVAL;
    const int protection = (region.readable ? PROT_READ : 0) | (region.writable ? PROT_WRITE : 0);
    void* mapped = ::mmap(nullptr, region.bytes, protection, MAP_SHARED, fd.get(), static_cast<off_t>(file_offset));
    if (mapped == MAP_FAILED) return errno;
    host = static_cast<uint8_t*>(mapped);
  }
  regions_.insert(next, {region, host});
  return 0;
}

int DmaMap::unmap(uint64_t address, uint64_t bytes) {
  const auto found = std::find_if(regions_.begin(), regions_.end(), [&](const Mapping& each) {
    return each.region.address == address && each.region.bytes == bytes;
  });
  if (found == regions_.end()) return ENOENT;
  if (found->host != nullptr) ::munmap(found->host, bytes);
  regions_.erase(found);
  return 0;
}

void DmaMap::clear() {
  for (const auto& each : regions_) {
    if (each.host != nullptr) ::munmap(each.host, each.region.bytes);
  }
  regions_.clear();
}

const DmaMap::Mapping* DmaMap::lookup(uint64_t address) const {
  const auto holds = [address](const Mapping& each) { return address - each.region.address < each.region.bytes; };
  if (last_hit_ < regions_.size() && holds(regions_[last_hit_])) return &regions_[last_hit_];
  const auto next = std::upper_bound(regions_.begin(), regions_.end(), address,
                                     [](uint64_t at, const Mapping& other) { return at < other.region.address; });
  if (next == regions_.begin() || !holds(*std::prev(next))) return nullptr;
  last_hit_ = static_cast<size_t>(std::prev(next) - regions_.begin());
  return &*std::prev(next);
}

const DmaMap::Region* DmaMap::find(uint64_t address) const {
  const auto* mapping = lookup(address);
  return mapping == nullptr ? nullptr : &mapping->region;
}

bool DmaMap::is_unshared(uint64_t address) const {
  const auto* mapping = lookup(address);
  return mapping != nullptr && mapping->host == nullptr;
}

template <typename Copy>
bool DmaMap::for_each_piece(uint64_t address, uint64_t bytes, bool write, Copy copy_piece) const {
  if (bytes > 0 && bytes - 1 > ~uint64_t{0} - address) return false;
  while (bytes > 0) {
    const auto* mapping = lookup(address);
    if (mapping == nullptr || mapping->host == nullptr) return false;
    const auto& region = mapping->region;
    if (!(write ? region.writable : region.readable)) return false;
    const uint64_t offset = address - region.address;
    const uint64_t piece = std::min(bytes, region.bytes - offset);
    copy_piece(mapping->host + offset, piece);
    address += piece;
    bytes -= piece;
  }
  return true;
}

bool DmaMap::read(uint64_t address, std::span<uint8_t> data) const {
  uint8_t* to = data.data();
  return for_each_piece(address, data.size(), false, [&to](const uint8_t* host, uint64_t bytes) {
    copy(to, host, bytes);
    to += bytes;
  });
}

bool DmaMap::write(uint64_t address, std::span<const uint8_t> data) {
  const uint8_t* from = data.data();
  return for_each_piece(address, data.size(), true, [&from](uint8_t* host, uint64_t bytes) {
    copy(host, from, bytes);
    from += bytes;
  });
}

}  // namespace npuvp::host::vfio_user
