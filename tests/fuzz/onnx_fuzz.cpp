// SPDX-License-Identifier: Apache-2.0
// Fuzz target: the reader of ONNX models and the lowering to dense layers. Input: the file.
#include "sw/compiler/error.h"
#include "sw/compiler/network.h"
#include "sw/compiler/onnx_reader.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace npuvp;
  try {
    const auto network = compiler::lower(compiler::parse_onnx("input", std::as_bytes(std::span(data, size))));
    for (const auto& layer : network.layers) {
      const bool has_right_bias = layer.bias.empty() || layer.bias.size() == layer.n;
      if (layer.weight.size() != size_t{layer.k} * layer.n || !has_right_bias) {
        fuzz::report_finding("layer '" + layer.name + "': constants do not have the layer's shape");
      }
    }
  } catch (const compiler::InputError&) {
    // refused, as it should be
  }
  return 0;
}
