// SPDX-License-Identifier: Apache-2.0
#include "firmware/rom/boot.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "firmware/abi/boot_record.h"
#include "firmware/abi/flash_layout.h"
#include "firmware/abi/image.h"
#include "firmware/lib/boot_trial.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/flash.h"
#include "firmware/lib/host_address.h"
#include "firmware/lib/image_authority.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mmio.h"
#include "firmware/rom/record.h"

static struct npu_image_header header_; /* static: a copy that timed out may still write it */

/* Where an image comes from. */
struct source {
  enum npu_boot_source kind;
  uint64_t at;    /* card physical address of the host's memory, or address in the flash */
  uint32_t bytes; /* that are there */
  uint32_t host_abi_version;
  const struct boot_selection* trial; /* null: not on trial */
};

static const char* source_name(const struct source* source) {
  static const char* const names[] = {"nowhere", "slot A", "slot B", "the host"};
  return names[source->kind];
}

static enum npu_boot_code refuse(const struct source* source, enum npu_boot_code code, const char* reason) {
  log_line("image refused (code %u): from %s: %s", (unsigned)code, source_name(source), reason);
  record_code(source->kind, code);
  return code;
}

/* Copies a part of the image into the TCM. */
static enum npu_boot_code fetch(const struct source* source, const char* what, uint32_t offset, uint64_t to,
                                uint32_t bytes) {
  uint64_t from = source->at + offset;
  if (source->kind != NPU_BOOT_SOURCE_HOST) {
    /* The header is a variable, the payload has its place: natively only the latter is an address of the card. */
    void* here = to == dma_address(&header_) ? (void*)&header_ : mmio_tcm(to);
    flash_read((uint32_t)from, here, bytes);
    return NPU_BOOT_NONE;
  }
  enum dma_result result = dma_copy(0, to, from, bytes);
  if (result == DMA_OK) return NPU_BOOT_NONE;
  log_line("image refused (code %u): %s at bus address %lx unreadable: %s", (unsigned)NPU_BOOT_DMA_ERROR, what,
           (unsigned long)(from & NPU_MAP_HOST_ADDRESS_MASK), dma_result_name(result));
  record_code(source->kind, NPU_BOOT_DMA_ERROR);
  return NPU_BOOT_DMA_ERROR;
}

static void log_image(const struct source* source) {
  uint32_t version = header_.image_version;
  log_line("image %u.%u.%u from %s, security version %u: %u bytes to %lx, entry %lx", version >> 16,
           version >> 8 & 0xffu, version & 0xffu, source_name(source), header_.security_version, header_.payload_bytes,
           (unsigned long)header_.load_address, (unsigned long)header_.entry);
}

static struct image_verdict check_payload(void) {
  if (!crypto_hash(image_hash(&header_), CRYPTO_FIRST | CRYPTO_LAST, header_.load_address, header_.payload_bytes)) {
    return (struct image_verdict){NPU_BOOT_CRYPTO_ERROR, "the payload could not be hashed"};
  }
  return image_check_digest(&header_);
}

static bool erased(const struct npu_image_header* header) {
  const uint8_t* bytes = (const uint8_t*)header;
  for (uint32_t i = 0; i < sizeof(*header); ++i) {
    if (bytes[i] != 0xff) return false;
  }
  return true;
}

/* The header is checked in the ROM's own copy; nothing is placed before its signature has passed. */
static enum npu_boot_code boot(const struct source* source, uint64_t* entry) {
  enum npu_boot_code code = fetch(source, "header", 0, dma_address(&header_), sizeof(header_));
  if (code != NPU_BOOT_NONE) return code;
  if (source->kind != NPU_BOOT_SOURCE_HOST && erased(&header_)) {
    record_code(source->kind, NPU_BOOT_SLOT_EMPTY);
    return NPU_BOOT_SLOT_EMPTY;
  }
  struct image_verdict verdict = image_check_header(&header_, source->bytes, source->host_abi_version);
  if (verdict.code == NPU_BOOT_NONE) verdict = image_check_authority(&header_);
  if (verdict.code != NPU_BOOT_NONE) return refuse(source, verdict.code, verdict.reason);
  log_image(source);

  code = fetch(source, "payload", sizeof(header_), header_.load_address, header_.payload_bytes);
  if (code != NPU_BOOT_NONE) return code;
  verdict = check_payload();
  if (verdict.code != NPU_BOOT_NONE) {
    memset(mmio_tcm(header_.load_address), 0, header_.payload_bytes);
    return refuse(source, verdict.code, verdict.reason);
  }
  /* An attempt that is not counted could be made for ever. */
  if (source->trial != NULL && !boot_trial_begin(source->trial)) {
    return refuse(source, NPU_BOOT_FLASH_ERROR, "the flash does not take note of its trial");
  }
  record_code(source->kind, NPU_BOOT_BOOTED);
  record_boot(source->kind, &header_);
  *entry = header_.entry;
  return NPU_BOOT_BOOTED;
}

enum npu_boot_code boot_load(const struct boot_request* request, uint64_t* entry) {
  struct source source = {
      .kind = NPU_BOOT_SOURCE_HOST,
      .at = host_to_card(request->bus_address),
      .bytes = request->bytes,
      .host_abi_version = request->host_abi_version,
  };
  if (request->bytes < sizeof(header_)) return refuse(&source, NPU_BOOT_TRUNCATED, "shorter than an image header");
  if (request->bus_address % 8 != 0 || !host_range_valid(request->bus_address, request->bytes)) {
    return refuse(&source, NPU_BOOT_DMA_ERROR, "bus address is misaligned or beyond the PCIe window");
  }
  return boot(&source, entry);
}

enum npu_boot_code boot_slot(uint32_t slot, const struct boot_selection* trial, uint64_t* entry) {
  struct source source = {
      .kind = slot == 0 ? NPU_BOOT_SOURCE_SLOT_A : NPU_BOOT_SOURCE_SLOT_B,
      .at = NPU_FLASH_SLOT(slot),
      .bytes = NPU_FLASH_SLOT_BYTES,
      .host_abi_version = NPU_ABI_VERSION,
      .trial = trial,
  };
  return boot(&source, entry);
}
