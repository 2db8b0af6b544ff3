// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/command_stream.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "firmware/abi/queue.h"

namespace npuvp::compiler {

Event CommandStream::copy(const Dispatch& dispatch, uint64_t source, uint64_t destination, uint32_t bytes) {
  npu_dma& dma = append(dispatch, NPU_DMA_COPY).u.dma;
  dma.source = source;
  dma.destination = destination;
  dma.rows = 1;
  dma.row_bytes = bytes;
  return signal(dispatch);
}

Event CommandStream::gemm(const Dispatch& dispatch, const npu_gemm& gemm) {
  append(dispatch, NPU_NE_GEMM).u.gemm = gemm;
  return signal(dispatch);
}

Event CommandStream::vector(const Dispatch& dispatch, const npu_vector& vector) {
  append(dispatch, NPU_NE_VECTOR).u.vector = vector;
  return signal(dispatch);
}

npu_command& CommandStream::append(const Dispatch& dispatch, uint8_t opcode) {
  if ((commands_.size() + 1) * sizeof(npu_command) > NPU_MAX_COMMAND_BYTES) {
    throw std::length_error("more commands than fit into one stream");
  }
  npu_command& command = commands_.emplace_back();
  command.kind = dispatch.kind;
  command.opcode = opcode;
  command.engine = dispatch.engine;
  command.tag = dispatch.tag;
  command.signal = dispatch.signal;
  std::fill(std::begin(command.wait), std::end(command.wait), npu_token_wait{NPU_TOKEN_NONE, 0});
  size_t used = 0;
  for (const Event& event : dispatch.waits) {
    if (event.token == NPU_TOKEN_NONE) {
      continue;
    }
    if (used == NPU_TOKEN_WAITS) {
      throw std::length_error("a command waits for too many tokens");
    }
    command.wait[used++] = {event.token, event.count};
  }
  return command;
}

Event CommandStream::signal(const Dispatch& dispatch) {
  if (dispatch.signal == NPU_TOKEN_NONE) {
    return {};
  }
  uint16_t& count = counts_.at(dispatch.signal);
  if (count == std::numeric_limits<uint16_t>::max()) {
    throw std::length_error("a token is signalled too often");
  }
  return {dispatch.signal, ++count};
}

}  // namespace npuvp::compiler
