// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "firmware/abi/command.h"

namespace npuvp::dma {

/// Of one DMA engine; (u) marks figures that are not public: README.md.
struct Parameters {
  npu_command_kind kind = NPU_COMMAND_EXTERNAL_HDMA;  ///< EXTERNAL_HDMA, DEVICE_HDMA, NEURAL_DMA or TASK_DMA.
  unsigned channels = 1;  ///< Command inputs: 2 for the HDMAs, one a Neural Engine for Neural DMA, 1 for Task DMA.
  unsigned outstanding_bursts = 16;  ///< (u) Of one command; 16 x 4 KiB hide 1 us at line rate of PCIe Gen5 x16.
  /// (u) Of all commands together, shared by the channels in turn; 0: no limit but each one's own.
  unsigned engine_outstanding_bursts = 0;
  uint64_t burst_bytes = 4096;                          ///< 64 to 4096.
  sc_core::sc_time start_latency{100, sc_core::SC_NS};  ///< (u) From a command's arrival to its first read.
  sc_core::sc_time misaligned_penalty{1,
                                      sc_core::SC_NS};  ///< (u) For an access that touches one beat more than it needs.
  /// Commands' transfers of more bytes pass in their time and leave contents where they are (`data: none`). Lists and
  /// descriptors that commands read are data like others to who moves them: they are real up to this size.
  uint64_t kept_bytes = UINT64_MAX;
  double channel_bytes_per_second = 0;  ///< (u) Limit of one channel; 0: only the bus limits.
};

/// (u) Bytes of the data path's beat, to which the penalty refers.
inline constexpr uint64_t kBeatBytes = 64;

}  // namespace npuvp::dma
