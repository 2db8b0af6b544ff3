// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "models/dma/transfer.h"

namespace npuvp::dma {

/// `count` contiguous elements from the type of `from` to that of `to`, as models/arithmetic/README.md defines it.
void convert(const Transfer::End& from, const Transfer::End& to, const uint8_t* in, uint8_t* out, size_t count);

/// out[c][r] = in[r][c]: `columns` runs of `rows` elements of 1, 2 or 4 bytes.
void transpose(uint32_t element_bytes, const uint8_t* in, uint8_t* out, size_t rows, size_t columns);

/// Writes `count` elements of `element_bytes` whose bits are `element`.
void fill(uint32_t element_bytes, uint32_t element, uint8_t* out, size_t count);

}  // namespace npuvp::dma
