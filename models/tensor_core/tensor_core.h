// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <systemc>

#include "models/base/clock.h"
#include "models/base/environment.h"
#include "models/base/power_meter.h"
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
  // 8 engines x 2 x (128 x 64) x clock = 128 TOPS, 8 x 2 x (64 x 32) x clock = 32 TFLOPS, INT4 twice INT8.
  ArrayShape int4{256, 64};
  ArrayShape int8{128, 64};                  ///< FP8 too.
  ArrayShape fp16{64, 32};                   ///< BF16 too.
  double clock_hz = 32e12 / (8 * 2 * 2048);  ///< 976.5625 MHz, derived from the peak and the shape.
  double joules_per_mac_int8 = 0;            ///< FP8 too; INT4 half of it (u).
  double joules_per_mac_fp16 = 0;            ///< BF16 too.
  bool compute = true;                       ///< False: time only, contents are not touched.
};

/// Weight-stationary systolic tensor core at transaction level: results by models/arithmetic/arithmetic.h, time by
/// tile.
///
/// Sockets: scratchpad (initiator; address = offset in the scratchpad).
/// Timing (README.md), a product: ceil(k/R) * ceil(n/C) tiles of max(m, R) cycles each, since the next tile's weights
/// load while this one's rows stream; R cycles for the first weights, R + C to fill and drain. A tile also lasts until
/// the scratchpad has passed its traffic. The products of a batch and the groups of a convolution follow each other
/// like tiles.
class TensorCore final : public sc_core::sc_module, public base::TensorCoreTarget {
 public:
  TensorCore(sc_core::sc_module_name name, base::Environment& environment, Parameters parameters);

  base::ScratchpadPort scratchpad;
  base::PowerTap power;
  base::ClockInput clock;  ///< Stretches the array's cycles.

  base::CommandOutcome execute(const npu_gemm& gemm, sc_core::sc_time& delay) override;
  base::CommandOutcome convolve(const npu_convolution& convolution, sc_core::sc_time& delay) override;
  [[nodiscard]] base::TensorCoreIdentification identification() const override;
  void reset() override {}

 private:
  /// One matrix product as the array sees it.
  struct Product {
    uint8_t type;
    bool accumulate;
    uint64_t m, n, k;
    base::ScratchpadPort::Stream a, b, c;
  };

  base::CommandOutcome compute(const npu_gemm& gemm);
  base::CommandOutcome compute(const npu_convolution& convolution);
  /// The weights of the first tile; `end` is when they have come.
  base::CommandOutcome load_first(Product product, sc_core::sc_time begin, sc_core::sc_time& end);
  /// All tiles of one product from `end` on, while the weights of `next` load during the last one.
  base::CommandOutcome stream(const Product& product, const Product* next, sc_core::sc_time& end);
  base::CommandOutcome pass_time(std::span<const Product> products, sc_core::sc_time& delay);
  void spend(std::span<const Product> products, sc_core::sc_time begin, sc_core::sc_time end) const;
  [[nodiscard]] double joules_per_mac(uint8_t type) const;
  [[nodiscard]] const ArrayShape& array(uint8_t type) const;
  [[nodiscard]] sc_core::sc_time cycles(uint64_t count) const;

  Parameters parameters_;
  double ticks_per_cycle_;
};

}  // namespace npuvp::tensor_core
