// SPDX-License-Identifier: Apache-2.0
#include "models/dma/transfer.h"

#include <algorithm>
#include <iterator>

#include "firmware/abi/element.h"

namespace npuvp::dma {
namespace {

/// 0 for what is no type, or not whole bytes (INT4): elements have addresses.
uint32_t element_bytes(uint32_t type) {
  const uint32_t bits = npu_type_bits(type);
  return bits % 8 == 0 ? bits / 8 : 0;
}

}  // namespace

Transfer Transfer::line(uint64_t source, uint64_t destination, uint64_t bytes) {
  Transfer made;
  made.source.address = source;
  made.destination.address = destination;
  made.source.stride[0] = made.destination.stride[0] = 1;
  made.size[0] = bytes;
  return made;
}

uint64_t Transfer::bytes() const {
  uint64_t elements = 1;
  for (const uint64_t each : size) elements *= each;  // less than 2^64: command_check.h
  return elements * destination.element_bytes;
}

Transfer Transfer::from(const npu_dma& dma) {
  Transfer made = line(dma.source, dma.destination, dma.row_bytes);
  made.size[1] = dma.rows;
  if (dma.rows > 1) {
    made.source.stride[1] = static_cast<int64_t>(dma.source_stride);
    made.destination.stride[1] = static_cast<int64_t>(dma.destination_stride);
  }
  return made;
}

Transfer Transfer::from(const npu_dma_tensor& tensor) {
  Transfer made;
  made.source.address = tensor.source;
  made.destination.address = tensor.destination;
  std::copy(std::begin(tensor.size), std::end(tensor.size), made.size.begin());
  std::copy(std::begin(tensor.source_stride), std::end(tensor.source_stride), made.source.stride.begin());
  std::copy(std::begin(tensor.destination_stride), std::end(tensor.destination_stride),
            made.destination.stride.begin());
  made.source.type = static_cast<npu_type>(tensor.source_type);
  made.destination.type = static_cast<npu_type>(tensor.destination_type);
  made.source.element_bytes = element_bytes(tensor.source_type);
  made.destination.element_bytes = element_bytes(tensor.destination_type);
  if ((tensor.flags & NPU_DMA_GATHER) != 0) made.indexed = Indexed::kSource;
  if ((tensor.flags & NPU_DMA_SCATTER) != 0) made.indexed = Indexed::kDestination;
  made.index_dimension = tensor.index_dimension;
  made.indices = tensor.indices;
  made.index_limit = tensor.index_limit;
  if ((tensor.flags & NPU_DMA_FILL) != 0) made.fill = static_cast<uint32_t>(tensor.source);
  return made;
}

}  // namespace npuvp::dma
