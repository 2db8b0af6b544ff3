// SPDX-License-Identifier: Apache-2.0
// Two cards through the runtime, by the driver.
#include <cstdio>
#include <string>

#include "sw/runtime/device.h"
#include "tests/sw/two_cards.h"

int main(int argc, char** argv) {
  if (argc > 3 || (argc > 1 && argv[1][0] == '-')) {
    std::printf(
        "usage: npu_pair_test [CARD [PEER]]\n"
        "CARD (/dev/accel/accel0) sends a block to PEER (/dev/accel/accel1), by flags of Device Sync.\n"
        "Exit status: 0; 1 with a line for what is wrong; 2 when something could not be done.\n");
    return argc == 2 && argv[1] == std::string("--help") ? 0 : 2;
  }
  try {
    const auto card = npuvp::runtime::open_linux_device(argc > 1 ? argv[1] : "/dev/accel/accel0");
    const auto peer = npuvp::runtime::open_linux_device(argc > 2 ? argv[2] : "/dev/accel/accel1");
    const std::string wrong = npuvp::test::join_two_cards(*card, *peer);
    std::printf("npu_pair_test: %s\n", wrong.empty() ? "ok" : ("not so: " + wrong).c_str());
    return wrong.empty() ? 0 : 1;
  } catch (const npuvp::runtime::DeviceError& error) {
    std::printf("npu_pair_test: %s\n", error.what());
    return 2;
  }
}
