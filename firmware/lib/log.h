// SPDX-License-Identifier: Apache-2.0
/* Console lines: "[    0.001234] cp: text", card time in seconds. */
#pragma once

/* Initialises the console; `source` names who speaks ("rom", "cp") and must outlive all calls. */
void log_init(const char* source);

/* One line, cut off after LOG_LINE_BYTES characters. Conversions as in format.h; no newline in `format`. */
__attribute__((format(printf, 1, 2))) void log_line(const char* format, ...);

#define LOG_LINE_BYTES 160u
