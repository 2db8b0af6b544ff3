// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>

namespace npuvp::firmware_test {

/// Memory that exists only where a test has put it, in 4 KiB pages; everything else answers with a bus error.
class FakeMemory {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  /// Makes the pages around [address, address + bytes) exist.
  void map(uint64_t address, uint64_t bytes) {
    for (uint64_t page = address / kPageBytes; page <= (address + bytes - 1) / kPageBytes; ++page) pages_[page];
  }

  /// False, with nothing done, if a page is missing.
  [[nodiscard]] bool read(uint64_t address, std::span<uint8_t> out) {
    return walk(address, out.size(),
                [&](uint8_t* page, size_t done, size_t part) { std::memcpy(out.data() + done, page, part); });
  }
  [[nodiscard]] bool write(uint64_t address, std::span<const uint8_t> in) {
    return walk(address, in.size(),
                [&](uint8_t* page, size_t done, size_t part) { std::memcpy(page, in.data() + done, part); });
  }

  /// Zeros what exists of [address, address + bytes), whole pages.
  void clear(uint64_t address, uint64_t bytes) {
    for (auto& [page, data] : pages_) {
      if (page * kPageBytes >= address && page * kPageBytes - address < bytes) data.fill(0);
    }
  }

  /// Maps and writes an object; for tests.
  template <typename T>
  void put(uint64_t address, const T& object) {
    map(address, sizeof(T));
    (void)write(address, {reinterpret_cast<const uint8_t*>(&object), sizeof(T)});
  }
  /// Reads an object; zeros where there is no memory.
  template <typename T>
  [[nodiscard]] T get(uint64_t address) {
    T object{};
    (void)read(address, {reinterpret_cast<uint8_t*>(&object), sizeof(T)});
    return object;
  }

 private:
  template <typename Visit>
  bool walk(uint64_t address, size_t bytes, const Visit& visit) {
    for (size_t done = 0; done < bytes; done = next(address, done, bytes)) {
      if (!pages_.contains((address + done) / kPageBytes)) return false;
    }
    for (size_t done = 0; done < bytes;) {
      uint64_t at = address + done;
      size_t end = next(address, done, bytes);
      visit(pages_[at / kPageBytes].data() + at % kPageBytes, done, end - done);
      done = end;
    }
    return true;
  }
  static size_t next(uint64_t address, size_t done, size_t bytes) {
    return std::min<size_t>(bytes, done + kPageBytes - (address + done) % kPageBytes);
  }

  std::map<uint64_t, std::array<uint8_t, kPageBytes>> pages_;
};

}  // namespace npuvp::firmware_test
