// SPDX-License-Identifier: Apache-2.0
// What the parts of the fake card have in common.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>

namespace npuvp::firmware_test {

constexpr uint32_t kBusy = 1, kDone = 2, kError = 4;  // STATUS of both DMA channel and Task Manager

inline bool inside(uint64_t address, uint64_t base, uint64_t bytes) {
  return address >= base && address - base < bytes;
}

/// An access that registers.yaml does not allow is a failure of the test, wherever it happens.
inline void fail_access(const char* what, uint64_t address, uint64_t value = 0) {
  ADD_FAILURE() << what << std::hex << " at 0x" << address << ", value 0x" << value;
}

}  // namespace npuvp::firmware_test
