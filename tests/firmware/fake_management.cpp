// SPDX-License-Identifier: Apache-2.0
#include "tests/firmware/fake_management.h"

#include <gtest/gtest.h>

#include "firmware/abi/cp_dma.h"
#include "firmware/abi/memory_map.h"
#include "npu/registers/cp_dma.h"
#include "npu/registers/log_manager.h"
#include "npu/registers/sensors.h"
#include "npu/registers/system_controller.h"
#include "npu/registers/timer.h"
#include "npu/registers/watchdog.h"

namespace npuvp::firmware_test {
namespace {

constexpr uint64_t kPState = NPU_MAP_SYSTEM_CONTROLLER + SYSTEM_CONTROLLER_PSTATE;
constexpr uint64_t kReset = NPU_MAP_SYSTEM_CONTROLLER + SYSTEM_CONTROLLER_RESET;
constexpr uint64_t kClocks = NPU_MAP_SYSTEM_CONTROLLER + SYSTEM_CONTROLLER_CLOCK_KHZ(0);

}  // namespace

const uint64_t FakeManagement::kTimerExpired = NPU_MAP_TIMER + TIMER_EXPIRED;

bool FakeManagement::handles(uint64_t address) const {
  for (const uint64_t block : {NPU_MAP_WATCHDOG, NPU_MAP_TIMER, NPU_MAP_SENSORS, NPU_MAP_LOG_MANAGER, NPU_MAP_CP_DMA}) {
    if (address - block < NPU_MAP_BLOCK_BYTES) return true;
  }
  return address == kPState || address == kReset || address - kClocks < 4 * SYSTEM_CONTROLLER_CLOCK_KHZ_COUNT;
}

uint64_t FakeManagement::read(uint64_t address) {
  switch (address) {
    case kPState:
      return pstates.empty() ? 2 : pstates.back();
    case NPU_MAP_SENSORS + SENSORS_TEMPERATURE:
      return static_cast<uint32_t>(temperature_mc_);
    case NPU_MAP_SENSORS + SENSORS_ALARMS:
      return alarms_;
    case NPU_MAP_LOG_MANAGER + LOG_MANAGER_WRITTEN:
      return events.size();
    default:
      return value(address);
  }
}

void FakeManagement::write(uint64_t address, uint64_t written) {
  switch (address) {
    case kPState:
      pstates.push_back(static_cast<uint32_t>(written));
      return;
    case kReset:
      powered_off |= (written & SYSTEM_CONTROLLER_RESET_POWER_OFF_MASK) != 0;
      return;
    case NPU_MAP_WATCHDOG + WATCHDOG_KICK:
      EXPECT_TRUE(written == WATCHDOG_KICK_KEY_KICK || written == WATCHDOG_KICK_KEY_SLEEP);
      watchdog_asleep = written == WATCHDOG_KICK_KEY_SLEEP;
      ++kicks;
      return;
    case NPU_MAP_SENSORS + SENSORS_ALARMS:
      alarms_ &= ~static_cast<uint32_t>(written);
      return;
    case NPU_MAP_LOG_MANAGER + LOG_MANAGER_EVENT:
      events.push_back({static_cast<uint32_t>(written),
                        {value(NPU_MAP_LOG_MANAGER + LOG_MANAGER_ARGUMENT(0)),
                         value(NPU_MAP_LOG_MANAGER + LOG_MANAGER_ARGUMENT(1))}});
      return;
    case NPU_MAP_TIMER + TIMER_EXPIRED:
      values_[address] &= ~written;
      return;
    case NPU_MAP_TIMER + TIMER_CONTROL(0):
      if ((written & TIMER_CONTROL_ENABLE_MASK) != 0) values_[kTimerExpired] |= 1;
      return;
    case NPU_MAP_CP_DMA + CP_DMA_CONTROL:
      if ((written & CP_DMA_CONTROL_START_MASK) != 0) follow_list(value(NPU_MAP_CP_DMA + CP_DMA_DESCRIPTOR));
      return;
    case NPU_MAP_CP_DMA + CP_DMA_STATUS:
      values_[address] &= ~written;
      return;
    default:
      values_[address] = written;
      evaluate();
  }
}

void FakeManagement::set_temperature(int32_t temperature_mc) {
  temperature_mc_ = temperature_mc;
  evaluate();
}

void FakeManagement::evaluate() {
  for (uint32_t alarm = 0; alarm < met_.size(); ++alarm) {
    const uint64_t control = value(NPU_MAP_SENSORS + SENSORS_ALARM(alarm));
    const auto threshold = static_cast<int32_t>(value(NPU_MAP_SENSORS + SENSORS_THRESHOLD(alarm)));
    const bool below = (control & SENSORS_ALARM_BELOW_MASK) != 0;
    const bool met = (control & SENSORS_ALARM_ENABLE_MASK) != 0 &&
                     (below ? temperature_mc_ <= threshold : temperature_mc_ >= threshold);
    if (met && !met_[alarm]) alarms_ |= 1u << alarm;
    met_[alarm] = met;
  }
}

void FakeManagement::follow_list(uint64_t address) {
  bool ok = !dma_fails;
  while (ok && address != 0) {
    npu_cp_dma_descriptor descriptor{};
    ok = copy_(address, &descriptor, sizeof(descriptor), false);
    std::vector<uint8_t> data(descriptor.bytes);
    ok = ok && copy_(descriptor.source, data.data(), data.size(), false) &&
         copy_(descriptor.destination, data.data(), data.size(), true);
    if (ok) dma_lists.push_back({descriptor.source, descriptor.destination, descriptor.bytes});
    address = descriptor.next;
  }
  values_[NPU_MAP_CP_DMA + CP_DMA_STATUS] = CP_DMA_STATUS_DONE_MASK | (ok ? 0 : CP_DMA_STATUS_ERROR_MASK);
}

}  // namespace npuvp::firmware_test
