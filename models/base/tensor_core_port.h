// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "firmware/abi/command.h"
#include "models/base/command_port.h"

namespace npuvp::base {

/// What a Neural Engine knows of the tensor core behind it.
struct TensorCoreIdentification {
  unsigned rows;     ///< Of the array for INT8, along k.
  unsigned columns;  ///< Of the array for INT8, along n.
  bool fp16;         ///< FP16 GEMM is supported.
  /// All types, transposed operands, batches and convolutions are. False: plain GEMM of INT8, and of FP16 if `fp16`.
  bool extended = false;
};

/// A tensor core as its Neural Engine sees it; implemented by models/tensor_core (TLM) and rtl/tensor_core/adapter.
/// It reaches the engine's scratchpad through a port of its own.
class TensorCoreTarget : public virtual sc_core::sc_interface {
 public:
  /// Does one GEMM, which the engine has checked (models/ne/command_check.h), without waiting: results are in the
  /// scratchpad on return. `delay` is the start relative to sc_time_stamp() and grows to the completion.
  /// One command at a time: the engine does not start the next before this one has completed.
  virtual CommandOutcome execute(const npu_gemm& gemm, sc_core::sc_time& delay) = 0;

  /// The same for one CONVOLUTION; only asked of a core that is `extended`.
  virtual CommandOutcome convolve(const npu_convolution& /*convolution*/, sc_core::sc_time& /*delay*/) {
    return {NPU_FAULT_ILLEGAL_COMMAND, 0};
  }

  [[nodiscard]] virtual TensorCoreIdentification identification() const = 0;

  /// Forgets running work and counters.
  virtual void reset() = 0;
};

using TensorCorePort = sc_core::sc_port<TensorCoreTarget>;

}  // namespace npuvp::base
