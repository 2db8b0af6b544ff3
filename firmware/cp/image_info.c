// SPDX-License-Identifier: Apache-2.0
/* What sw/tools/npu-image puts into the image header; it looks for the section by name. */
#include <stdint.h>

#include "firmware/abi/abi.h"
#include "firmware/cp/version.h"

struct npu_image_info {
  uint32_t abi_version;
  uint32_t image_version;
};

__attribute__((section(".npu_image_info"), used)) static const struct npu_image_info info = {
    .abi_version = NPU_ABI_VERSION,
    .image_version = CP_VERSION,
};
