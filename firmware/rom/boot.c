// SPDX-License-Identifier: Apache-2.0
#include "firmware/rom/boot.h"

#include "firmware/lib/dma.h"
#include "firmware/lib/host_address.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mmio.h"
#include "firmware/rom/image.h"

static struct npu_image_header header_; /* static: a copy that timed out may still write it */

static enum npu_boot_code refuse(enum npu_boot_code code, const char* reason) {
  log_line("image refused (code %u): %s", (unsigned)code, reason);
  return code;
}

static enum npu_boot_code refuse_dma(const char* what, uint64_t bus, enum dma_result result) {
  log_line("image refused (code %u): %s at bus address %lx unreadable: %s", (unsigned)NPU_BOOT_DMA_ERROR, what,
           (unsigned long)bus, dma_result_name(result));
  return NPU_BOOT_DMA_ERROR;
}

static void log_image(const struct npu_image_header* header) {
  uint32_t version = header->image_version;
  log_line("image %u.%u.%u: %u bytes to %lx, entry %lx", version >> 16, version >> 8 & 0xffu, version & 0xffu,
           header->payload_bytes, (unsigned long)header->load_address, (unsigned long)header->entry);
}

enum npu_boot_code boot_load(const struct boot_request* request, uint64_t* entry) {
  if (request->bytes < sizeof(header_)) return refuse(NPU_BOOT_TRUNCATED, "shorter than an image header");
  if (request->bus_address % 8 != 0 || !host_range_valid(request->bus_address, request->bytes)) {
    return refuse(NPU_BOOT_DMA_ERROR, "bus address is misaligned or beyond the PCIe window");
  }
  uint64_t source = host_to_card(request->bus_address);
  enum dma_result result = dma_copy(0, dma_address(&header_), source, sizeof(header_));
  if (result != DMA_OK) return refuse_dma("header", request->bus_address, result);

  struct image_verdict verdict = image_check_header(&header_, request->bytes, request->host_abi_version);
  if (verdict.code != NPU_BOOT_NONE) return refuse(verdict.code, verdict.reason);
  log_image(&header_);

  result = dma_copy(0, header_.load_address, source + sizeof(header_), header_.payload_bytes);
  if (result != DMA_OK) return refuse_dma("payload", request->bus_address + sizeof(header_), result);
  if (!image_digest_matches(&header_, mmio_tcm(header_.load_address))) {
    return refuse(NPU_BOOT_BAD_DIGEST, "SHA-256 does not match");
  }
  *entry = header_.entry;
  return NPU_BOOT_BOOTED;
}
