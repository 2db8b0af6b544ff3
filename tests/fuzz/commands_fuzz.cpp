// SPDX-License-Identifier: Apache-2.0
// Fuzz target: command streams through Task Manager, DMA engines and Device Sync. Input: how many commands the first
// job has (1 byte; the second one has the rest), options (1 byte), then commands of 128 bytes.
#include <algorithm>
#include <cstring>
#include <vector>

#include "firmware/abi/queue.h"
#include "tests/fuzz/commands_card.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kHeader = 2;
  constexpr size_t kMostCommands = 256;
  if (size < kHeader) return 0;
  std::vector<npu_command> all(std::min((size - kHeader) / sizeof(npu_command), kMostCommands));
  if (!all.empty()) std::memcpy(all.data(), data + kHeader, all.size() * sizeof(npu_command));
  const auto split = all.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(data[0], all.size()));
  const std::vector<std::vector<npu_command>> jobs{{all.begin(), split}, {split, all.end()}};
  npuvp::fuzz::CommandsCard::instance().run(jobs, (data[1] & 1) != 0);
  return 0;
}

#ifdef NPUVP_FUZZ
/// The leak detector does not find its roots on the stacks of SystemC's coroutines.
extern "C" const char* __asan_default_options();
const char* __asan_default_options() {
  return "detect_leaks=0:quarantine_size_mb=16";
}
#endif
