// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "firmware/abi/crash.h"
#include "tests/platform/assembly/raw_function.h"

namespace npuvp::tests {

/// The newest dump in a card's flash, with what NPU_MESSAGE_CRASH_ARCHIVE answered about it.
struct ArchivedCrash {
  RawFunction::Message reply{};
  npu_crash_entry entry{};
  npu_crash_dump dump{};
  static constexpr uint32_t kBytes = sizeof(npu_crash_entry) + sizeof(npu_crash_dump);
};

/// `function`: the physical one of a card whose firmware runs.
inline ArchivedCrash newest_crash(host::InprocHost& host, RawFunction& function) {
  const host::HostBlock block(host.ram(), NPU_HOST_PAGE_BYTES);
  const uint64_t bus = block.bus_address();
  ArchivedCrash crash;
  crash.reply = function.call(NPU_MESSAGE_CRASH_ARCHIVE, {0, static_cast<uint32_t>(bus),
                                                          static_cast<uint32_t>(bus >> 32), ArchivedCrash::kBytes, 0});
  std::memcpy(&crash.entry, block.bytes().data(), sizeof crash.entry);
  std::memcpy(&crash.dump, block.bytes().data() + sizeof crash.entry, sizeof crash.dump);
  return crash;
}

}  // namespace npuvp::tests
