// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/log.h"

#include <stdarg.h>
#include <stdint.h>

#include "firmware/lib/aclint.h"
#include "firmware/lib/format.h"
#include "firmware/lib/uart.h"

static const char* source_; /* not initialised: the ROM has no .data */

void log_init(const char* source) {
  source_ = source;
  uart_init();
}

void log_line(const char* format, ...) {
  char line[LOG_LINE_BYTES + 2];
  uint64_t now = aclint_time_ns();
  size_t length = format_text(line, LOG_LINE_BYTES, "[%5lu.%06lu] %s: ", (unsigned long)(now / ACLINT_NS_PER_S),
                              (unsigned long)(now % ACLINT_NS_PER_S / ACLINT_NS_PER_US), source_ ? source_ : "?");
  va_list arguments;
  va_start(arguments, format);
  length += format_text_list(line + length, LOG_LINE_BYTES - length, format, arguments);
  va_end(arguments);
  line[length++] = '\r';
  line[length++] = '\n';
  uart_write(line, length);
}
