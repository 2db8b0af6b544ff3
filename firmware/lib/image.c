// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/image.h"

#include <stdbool.h>
#include <stddef.h>

#include "firmware/abi/memory_map.h"

/* Where an image may go: the TCM without the ROM's own part. */
static const uint64_t kAreaBytes = NPU_MAP_TCM_BYTES - NPU_MAP_TCM_ROM_BYTES;

static struct image_verdict refuse(enum npu_boot_code code, const char* reason) {
  return (struct image_verdict){code, reason};
}

static bool all_zero(const uint8_t* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

static struct image_verdict check_range(const struct npu_image_header* header) {
  uint64_t load = header->load_address, bytes = header->payload_bytes;
  if (load % 8 != 0) return refuse(NPU_BOOT_BAD_RANGE, "load address is not 8-byte aligned");
  if (load < NPU_MAP_TCM || bytes > kAreaBytes || load - NPU_MAP_TCM > kAreaBytes - bytes) {
    return refuse(NPU_BOOT_BAD_RANGE, "payload outside the TCM's image area");
  }
  if (header->entry % 4 != 0) return refuse(NPU_BOOT_BAD_RANGE, "entry is not 4-byte aligned");
  if (header->entry < load || header->entry - load >= bytes) {
    return refuse(NPU_BOOT_BAD_RANGE, "entry outside the payload");
  }
  return refuse(NPU_BOOT_NONE, NULL);
}

struct image_verdict image_check_header(const struct npu_image_header* header, uint32_t bytes,
                                        uint32_t host_abi_version) {
  if (header->magic != NPU_IMAGE_MAGIC) return refuse(NPU_BOOT_BAD_MAGIC, "not a firmware image (magic)");
  if (header->header_version != NPU_IMAGE_HEADER_VERSION) {
    return refuse(NPU_BOOT_BAD_HEADER, "unknown header version");
  }
  if (NPU_ABI_VERSION_MAJOR(header->abi_version) != NPU_ABI_MAJOR) {
    return refuse(NPU_BOOT_BAD_VERSION, "image is for another ABI major version than this card");
  }
  if (NPU_ABI_VERSION_MAJOR(header->abi_version) != NPU_ABI_VERSION_MAJOR(host_abi_version)) {
    return refuse(NPU_BOOT_BAD_VERSION, "image is for another ABI major version than the host");
  }
  if (!all_zero(header->reserved, sizeof(header->reserved))) {
    return refuse(NPU_BOOT_BAD_HEADER, "reserved bytes are not zero");
  }
  if (header->flags & ~NPU_IMAGE_FLAGS) return refuse(NPU_BOOT_BAD_HEADER, "unknown flags");
  if (header->payload_bytes == 0 || header->payload_bytes % 8 != 0) {
    return refuse(NPU_BOOT_BAD_HEADER, "payload size is zero or not a multiple of 8");
  }
  if (bytes < sizeof(*header) || header->payload_bytes > bytes - sizeof(*header)) {
    return refuse(NPU_BOOT_TRUNCATED, "fewer bytes than the header says");
  }
  return check_range(header);
}
