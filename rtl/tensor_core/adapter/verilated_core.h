// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "firmware/abi/command.h"

class Vtensor_core;

namespace npuvp::rtl_tensor_core {

/// The Verilated rtl/tensor_core/tensor_core.sv with its default parameters, its memory ports and its clock. Plain C++:
/// Verilator's headers and SystemC's do not go into the same translation unit.
class VerilatedCore {
 public:
  static constexpr unsigned kRows = 16;  ///< Parameters of the top module.
  static constexpr unsigned kColumns = 16;

  /// Bytes [begin, begin + bytes) of the scratchpad, at `data` in the host.
  struct Operand {
    uint8_t* data;
    uint64_t begin;
    uint64_t bytes;
  };
  struct Operands {
    Operand a, b, c;
  };

  /// A waveform is written to `fst_file` unless it is empty or the build has no NPUVP_RTL_TRACE.
  explicit VerilatedCore(const std::string& fst_file);
  ~VerilatedCore();
  VerilatedCore(const VerilatedCore&) = delete;
  VerilatedCore& operator=(const VerilatedCore&) = delete;

  /// Clocks the core through one checked INT8 command; returns the clock cycles from its acceptance to done inclusive.
  /// Throws std::logic_error when the RTL reaches outside an operand or hangs.
  uint64_t run(const npu_gemm& gemm, const Operands& operands);

  void reset();

  /// Bytes of A and B read by the last command.
  [[nodiscard]] uint64_t bytes_read() const { return bytes_read_; }

 private:
  class Waveform;

  void present(const npu_gemm& gemm);
  void clock_cycle(const Operands& operands);

  std::unique_ptr<Vtensor_core> model_;
  std::unique_ptr<Waveform> waveform_;
  uint64_t cycle_ = 0;  // since construction, the waveform's time
  uint64_t bytes_read_ = 0;
};

}  // namespace npuvp::rtl_tensor_core
