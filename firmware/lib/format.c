// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/format.h"

#include <stdbool.h>
#include <stdint.h>

struct output {
  char* buffer;
  size_t size;
  size_t length;
};

struct conversion {
  bool zero_pad;
  bool is_long;
  size_t width;
};

enum { kMaxDigits = 20, kMaxWidth = 64 };

static void put(struct output* out, char c) {
  if (out->length + 1 < out->size) out->buffer[out->length++] = c;
}

static void put_padded(struct output* out, const char* text, size_t length, const struct conversion* conversion) {
  for (size_t i = length; i < conversion->width; ++i) put(out, conversion->zero_pad ? '0' : ' ');
  for (size_t i = 0; i < length; ++i) put(out, text[i]);
}

static void put_number(struct output* out, uint64_t value, unsigned base, bool negative,
                       struct conversion* conversion) {
  char digits[kMaxDigits + 1];
  size_t first = sizeof(digits);
  do {
    digits[--first] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  if (negative && conversion->zero_pad) {
    put(out, '-');
    if (conversion->width > 0) --conversion->width;
  } else if (negative) {
    digits[--first] = '-';
  }
  put_padded(out, digits + first, sizeof(digits) - first, conversion);
}

static void put_text(struct output* out, const char* text, struct conversion* conversion) {
  size_t length = 0;
  while (text[length] != '\0') ++length;
  conversion->zero_pad = false;
  put_padded(out, text, length, conversion);
}

/* Parses flags, width and length modifier after '%'; returns the conversion character's position. */
static const char* parse(const char* format, struct conversion* conversion) {
  *conversion = (struct conversion){0};
  if (*format == '0') conversion->zero_pad = true;
  for (; *format >= '0' && *format <= '9'; ++format) {
    conversion->width = conversion->width * 10 + (size_t)(*format - '0');
    if (conversion->width > kMaxWidth) conversion->width = kMaxWidth;
  }
  for (; *format == 'l'; ++format) conversion->is_long = true;
  return format;
}

size_t format_text_list(char* buffer, size_t size, const char* format, va_list arguments) {
  struct output out = {buffer, size, 0};
  for (; *format != '\0'; ++format) {
    if (*format != '%') {
      put(&out, *format);
      continue;
    }
    struct conversion conversion;
    const char* end = parse(format + 1, &conversion);
    if (*end == 's') {
      put_text(&out, va_arg(arguments, const char*), &conversion);
    } else if (*end == 'c') {
      put(&out, (char)va_arg(arguments, int));
    } else if (*end == 'd') {
      int64_t value = conversion.is_long ? va_arg(arguments, long) : va_arg(arguments, int);
      put_number(&out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, value < 0, &conversion);
    } else if (*end == 'u' || *end == 'x') {
      uint64_t value = conversion.is_long ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);
      put_number(&out, value, *end == 'u' ? 10 : 16, false, &conversion);
    } else if (*end == '%') {
      put(&out, '%');
    } else {
      put(&out, '%');
      continue; /* the rest appears as text, so the mistake shows */
    }
    format = end;
  }
  buffer[out.length] = '\0';
  return out.length;
}

size_t format_text(char* buffer, size_t size, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t length = format_text_list(buffer, size, format, arguments);
  va_end(arguments);
  return length;
}
