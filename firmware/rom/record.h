// SPDX-License-Identifier: Apache-2.0
/* The boot record as the ROM writes it (firmware/abi/boot_record.h). */
#pragma once

#include <stdint.h>

#include "firmware/abi/boot_record.h"
#include "firmware/abi/image.h"
#include "firmware/abi/status.h"
#include "firmware/lib/boot_trial.h"

/* Empties the record and fills in what is known before anything is tried. */
void record_init(void);

/* What is known of the trial of the slot that is selected. */
void record_trial(const struct boot_trial* trial);

/* Code of an attempt to boot from `source`. */
void record_code(enum npu_boot_source source, enum npu_boot_code code);

/* Measures all that boots: ROM, policy, `header`, and the payload at its load address. */
void record_boot(enum npu_boot_source source, const struct npu_image_header* header);
