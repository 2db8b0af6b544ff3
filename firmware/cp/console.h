// SPDX-License-Identifier: Apache-2.0
/*
 * A prompt on the UART for who sits at the card: shows what the firmware knows and changes nothing. Silent until
 * somebody types; a line ends with CR or LF. Closed where debug access to the card is (firmware/abi/boot_record.h).
 */
#pragma once

#include "firmware/lib/system_controller.h"

/* `board` must outlive all calls. */
void console_init(const struct board* board);

/* The UART has interrupted (NPU_IRQ_UART): takes what came, and answers a line that is complete. */
void console_serve(void);
