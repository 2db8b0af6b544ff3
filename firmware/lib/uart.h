// SPDX-License-Identifier: Apache-2.0
/* The console. Transmits polled: a stuck transmitter loses characters and never hangs the card. */
#pragma once

#include <stddef.h>

/* 8 data bits, no parity, 1 stop bit, FIFOs on, fastest rate, no interrupts. */
void uart_init(void);

/* Sends `length` characters; gives up after UART_TIMEOUT_NS without room in the transmitter. */
void uart_write(const char* text, size_t length);

/* From now on characters that come raise NPU_IRQ_UART until they are read. */
void uart_enable_receive(void);

/* The next character that came, or -1. */
int uart_read(void);

#define UART_TIMEOUT_NS 2000000ull
