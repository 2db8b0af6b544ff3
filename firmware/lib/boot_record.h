// SPDX-License-Identifier: Apache-2.0
/* What the boot ROM left about this boot (firmware/abi/boot_record.h). */
#pragma once

#include "firmware/abi/boot_record.h"

/* The record, or NULL when no boot ROM of this ABI has written one (a debugger loaded the firmware). */
const struct npu_boot_record* boot_record(void);

/* Notes in it, if there is one, that the firmware has confirmed that it works. */
void boot_record_confirm(void);
