// SPDX-License-Identifier: Apache-2.0
// main() of every GoogleTest program. SystemC's library refers to sc_main; a TEST elaborates and starts by itself.
#include <gtest/gtest.h>

#include <systemc>

int sc_main(int /*argc*/, char** /*argv*/) {
  return 0;
}

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // A warning of the kernel is a mistake of ours: it fails the test that caused it.
  sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_DISPLAY | sc_core::SC_THROW);
  return RUN_ALL_TESTS();
}
