// SPDX-License-Identifier: Apache-2.0
// Fuzz target: the reader of .npy files. Input: the file.
#include "sw/compiler/error.h"
#include "sw/compiler/npy.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace npuvp;
  static fuzz::MemoryFile file;
  file.assign(data, size);
  try {
    const auto array = compiler::NpyArray::read(file.path());
    if (array.to_floats().size() != array.size()) fuzz::report_finding("to_floats() differs from size()");
    if (!array.is_floating() && array.to_integers().size() != array.size()) {
      fuzz::report_finding("to_integers() differs from size()");
    }
  } catch (const compiler::InputError&) {
    // refused, as it should be
  }
  return 0;
}
