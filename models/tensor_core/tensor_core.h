// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "models/base/clock.h"
#include "models/base/environment.h"
#include "models/base/scratchpad_port.h"
#include "models/base/tensor_core_port.h"

namespace npuvp::tensor_core {

/// Systolic array of one number format: weights of R steps of k by C columns of n stand still, rows of A stream
/// through.
struct ArrayShape {
  unsigned rows;     ///< R, along k.
  unsigned columns;  ///< C, along n.
};

struct Parameters {
  // The vendor publishes the peak of the card only; shapes are assumptions (u) that make it exact with 8 engines:
  // 8 engines x 2 x (128 x 64) x clock = 128 TOPS, 8 x 2 x (64 x 32) x clock = 32 TFLOPS.
  ArrayShape int8{128, 64};
  ArrayShape fp16{64, 32};
  double clock_hz = 32e12 / (8 * 2 * 2048);  ///< 976.5625 MHz, derived from the peak and the shape.
};

/// Weight-stationary systolic tensor core at transaction level: results by models/arithmetic/arithmetic.h, time by
/// tile.
///
/// Sockets: scratchpad (initiator; address = offset in the scratchpad).
/// Timing (README.md): ceil(k/R) * ceil(n/C) tiles of max(m, R) cycles each, since the next tile's weights load while
/// this one's rows stream; R cycles for the first weights, R + C to fill and drain. A tile also lasts until the
/// scratchpad has passed its traffic.
class TensorCore final : public sc_core::sc_module, public base::TensorCoreTarget {
 public:
  TensorCore(sc_core::sc_module_name name, base::Environment& environment, Parameters parameters);

  base::ScratchpadPort scratchpad;
  base::ClockInput clock;

  base::CommandOutcome execute(const npu_gemm& gemm, sc_core::sc_time& delay) override;
  [[nodiscard]] base::TensorCoreIdentification identification() const override;
  void reset() override {}

 private:
  base::CommandOutcome compute(const npu_gemm& gemm);
  base::CommandOutcome pass_time(const npu_gemm& gemm, const ArrayShape& shape, sc_core::sc_time& delay);
  [[nodiscard]] sc_core::sc_time cycles(uint64_t count) const;

  Parameters parameters_;
  double ticks_per_cycle_;
};

}  // namespace npuvp::tensor_core
