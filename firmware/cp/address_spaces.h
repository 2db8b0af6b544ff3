// SPDX-License-Identifier: Apache-2.0
/*
 * Address spaces of contexts that were created with NPU_CONTEXT_ADDRESS_SPACE: what the engines reach of the DRAM for
 * them, kept by the device MMU (firmware/lib/mmu.h). Virtual addresses are physical ones: only the rights differ. Page
 * tables lie in the system reserve, an equal part of NPU_DRAM_PAGE_TABLES for each context.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/status.h"
#include "firmware/cp/validate.h"

/* No context has one; whatever the tables held is forgotten. */
void address_spaces_init(void);

/* An address space that maps nothing. */
void address_space_create(uint32_t context);

/* Nothing happens if it has none. Commands that still run in it end with NPU_FAULT_TRANSLATION. */
void address_space_destroy(uint32_t context);

bool address_space_exists(uint32_t context);

/* ASID for the Task Manager; 0 if the context has no address space. */
uint32_t address_space_of(uint32_t context);

/* Give and take rights (NPU_CONTEXT_MAP_*) to a validated range; all of it or nothing. */
enum npu_mailbox_status address_space_map(uint32_t context, const struct page_range* range, uint32_t rights);
enum npu_mailbox_status address_space_unmap(uint32_t context, const struct page_range* range);

/* Whether the context may read all of [address, address + bytes); true if it has no address space. */
bool address_space_readable(uint32_t context, uint64_t address, uint64_t bytes);
