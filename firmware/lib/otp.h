// SPDX-License-Identifier: Apache-2.0
/* One-time programmable memory: life cycle, keys, rollback counter (firmware/abi/otp.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/otp.h"

uint32_t otp_word(uint32_t index);

/* As the hardware decodes the fuses. */
enum npu_lifecycle otp_lifecycle(void);
bool otp_debug_allowed(void);
uint32_t otp_rollback(void);

bool otp_key_revoked(uint32_t slot);

/* Copies what slot `slot`, below NPU_OTP_KEY_SLOTS, holds of its key; false: the slot is not used. */
bool otp_key_hash(uint32_t slot, uint32_t hash[NPU_OTP_KEY_HASH_WORDS]);

/* Closes regions (NPU_OTP_REGION_*) until the next card reset. */
void otp_lock(uint32_t regions);

/* Programs fuses and waits; false if the hardware refused or did not finish. */
bool otp_program(uint32_t word, uint32_t bits);

/* Raises the rollback counter to `version`; true if it is that high afterwards. Losing power leaves a value between. */
bool otp_raise_rollback(uint32_t version);
