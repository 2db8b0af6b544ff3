// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/uart.h"

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/memory_map.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/uart.h"

enum {
  kFormat8N1 = 0x03,
  kFifoEnableAndClear = 0x07, /* NS16550A FCR: enable, clear receiver, clear transmitter */
  kFifoDepth = 16,
};

static void write_register(uint32_t offset, uint8_t value) {
  mmio_write8(NPU_MAP_UART + offset, value);
}

void uart_init(void) {
  write_register(UART_LCR, UART_LCR_DLAB_MASK | kFormat8N1);
  write_register(UART_RBR_THR_DLL, 1); /* no strap tells the UART's clock: take the fastest rate */
  write_register(UART_IER_DLM, 0);
  write_register(UART_LCR, kFormat8N1);
  write_register(UART_IER_DLM, 0);
  write_register(UART_IIR_FCR, kFifoEnableAndClear);
}

static bool transmitter_empty(void) {
  if (mmio_read8(NPU_MAP_UART + UART_LSR) & UART_LSR_THRE_MASK) return true;
  uint64_t deadline = aclint_time_ns() + UART_TIMEOUT_NS;
  do {
    if (mmio_read8(NPU_MAP_UART + UART_LSR) & UART_LSR_THRE_MASK) return true;
  } while (aclint_time_ns() < deadline);
  return false;
}

void uart_write(const char* text, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    if (i % kFifoDepth == 0 && !transmitter_empty()) return;
    write_register(UART_RBR_THR_DLL, (uint8_t)text[i]);
  }
}

void uart_enable_receive(void) {
  write_register(UART_IER_DLM, UART_IER_DLM_ERBFI_MASK);
}

int uart_read(void) {
  if (!(mmio_read8(NPU_MAP_UART + UART_LSR) & UART_LSR_DR_MASK)) return -1;
  return mmio_read8(NPU_MAP_UART + UART_RBR_THR_DLL);
}
