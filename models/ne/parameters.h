// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace npuvp::ne {

struct Parameters {
  uint8_t index = 0;                            ///< Number of this engine on its card.
  uint64_t scratchpad_bytes = 4 * 1024 * 1024;  ///< 64 MB on chip = 8 x 4 MB + 32 MB shared (published for ATOM).
  double clock_hz = 976'562'500;                ///< As the tensor core's, models/tensor_core/tensor_core.h.
  unsigned vector_lanes = 64;                   ///< (u) Elements per cycle of the vector unit.
  unsigned vector_pipeline_cycles = 16;         ///< (u) From the first element read to its result written.
  uint64_t cache_bytes = 128 * 1024;            ///< (u) L1 neural cache; that there is one is published.
  double joules_per_vector_element = 0;         ///< Of a lane's cycle, for the rail kNeural.
  bool compute = true;                          ///< False: time only, contents are not touched.
};

}  // namespace npuvp::ne
