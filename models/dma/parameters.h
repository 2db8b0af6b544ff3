// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "firmware/abi/command.h"

namespace npuvp::dma {

/// Of one DMA engine; (u) marks figures that are not public: README.md.
struct Parameters {
  npu_command_kind kind = NPU_COMMAND_EXTERNAL_HDMA;  ///< EXTERNAL_HDMA, NEURAL_DMA or TASK_DMA.
  unsigned channels = 1;  ///< Command inputs: 2 for External HDMA, one a Neural Engine for Neural DMA, 1 for Task DMA.
  unsigned outstanding_bursts = 16;  ///< (u) Of one command; 16 x 4 KiB hide 1 us at line rate of PCIe Gen5 x16.
  uint64_t burst_bytes = 4096;       ///< At most 4096.
  sc_core::sc_time start_latency{100, sc_core::SC_NS};  ///< (u) From a command's arrival to its first read.
  double channel_bytes_per_second = 0;                  ///< (u) Limit of one channel; 0: only the bus limits.
};

}  // namespace npuvp::dma
