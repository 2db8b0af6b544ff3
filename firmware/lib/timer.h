// SPDX-License-Identifier: Apache-2.0
/* General timers (NPU_IRQ_TIMER), beside the alarm of aclint.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Timer `timer`, below TIMER_CONTROL_COUNT, expires once after `cycles` of the command processor's clock; interrupts.
 */
void timer_start_once(uint32_t timer, uint32_t cycles);

/* Whether it has expired; takes the interrupt away if so. */
bool timer_take_expired(uint32_t timer);
void timer_stop(uint32_t timer);
