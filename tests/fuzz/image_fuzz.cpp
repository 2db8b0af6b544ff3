// SPDX-License-Identifier: Apache-2.0
// Fuzz target: the boot ROM's checks of a firmware image, natively. Input: ABI version of the host (4 bytes), then the
// image. What passes must be inside the TCM, whatever the header says.
#include <cstring>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

extern "C" {
#include "firmware/abi/memory_map.h"
#include "firmware/lib/image.h"
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using npuvp::fuzz::report_finding;
  uint32_t host_abi = 0;
  npu_image_header header{};
  if (size < sizeof host_abi + sizeof header) return 0;
  std::memcpy(&host_abi, data, sizeof host_abi);
  // A heap block of exactly the image's size: the sanitizer sees any byte read beyond.
  const std::vector<uint8_t> image(data + sizeof host_abi, data + size);
  std::memcpy(&header, image.data(), sizeof header);
  const auto verdict = image_check_header(&header, static_cast<uint32_t>(image.size()), host_abi);
  if ((verdict.code == NPU_BOOT_NONE) != (verdict.reason == nullptr)) report_finding("code and reason disagree");
  if (verdict.code != NPU_BOOT_NONE) return 0;
  const uint64_t end = header.load_address + header.payload_bytes;
  if (header.load_address < NPU_MAP_TCM || end < header.load_address || end > NPU_MAP_TCM + NPU_MAP_TCM_BYTES) {
    report_finding("an image outside the TCM was accepted");
  }
  if (header.entry < header.load_address || header.entry >= end) report_finding("an entry outside the image");
  return 0;
}
