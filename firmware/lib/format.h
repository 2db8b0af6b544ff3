// SPDX-License-Identifier: Apache-2.0
/*
 * A printf for firmware: integers and strings only, no heap, no locale, a few hundred bytes of code.
 * Knows %c %s %d %u %x with optional l, width and zero padding, and %%. Anything else is copied as it stands.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Writes at most `size` - 1 characters and a NUL; returns how many characters stand in `buffer`. `size` > 0. */
size_t format_text_list(char* buffer, size_t size, const char* format, va_list arguments);

__attribute__((format(printf, 3, 4))) size_t format_text(char* buffer, size_t size, const char* format, ...);
