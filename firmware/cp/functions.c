// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/functions.h"

#include <stdarg.h>
#include <string.h>

#include "firmware/lib/aclint.h"
#include "firmware/lib/aperture.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/format.h"
#include "firmware/lib/log.h"

/* Parts begin at multiples of this, for hosts that map windows with large pages. */
static const uint64_t kPartBytes = 2ull << 20;
/* The others wait as long as this takes: 4 MiB are 66 us at 64 GB/s. */
static const uint64_t kClearBytes = 4ull << 20;

enum { kLogBurst = 16 };
static const uint64_t kLogLineNs = 10 * ACLINT_NS_PER_MS;

struct function {
  struct share share;
  uint64_t cleared; /* bytes of the share so far, while it is being cleared */
  /* Lines it may print, refilled with time. */
  uint32_t log_lines;
  uint32_t log_left_out;
  uint64_t log_refilled_ns;
};

static struct function functions_[FUNCTIONS_MAX];
static struct share card_; /* what there is to divide */
static uint32_t clearing_; /* bit n: function n */
static uint32_t last_cleared_;

void functions_init(const struct board* board) {
  memset(functions_, 0, sizeof(functions_));
  for (uint32_t function = 0; function < FUNCTIONS_MAX; ++function) functions_[function].log_lines = kLogBurst;
  card_ = (struct share){board->job_base, board->job_bytes};
  functions_[0].share = card_;
  clearing_ = 0;
  last_cleared_ = 0;
  aperture_open(0, card_.base, card_.bytes);
}

static void start_clearing(uint32_t function) {
  aperture_close(function);
  functions_[function].cleared = 0;
  uint32_t bit = 1u << function;
  clearing_ = functions_[function].share.bytes != 0 ? clearing_ | bit : clearing_ & ~bit;
}

bool functions_partition(uint32_t vfs) {
  uint64_t part = vfs == 0 ? 0 : card_.bytes / (vfs + 1) / kPartBytes * kPartBytes;
  if (vfs != 0 && part == 0) return false;
  uint64_t end = vfs == 0 ? card_.bytes : card_.bytes / kPartBytes * kPartBytes;
  functions_[0].share.bytes = end - vfs * part;
  for (uint32_t function = 1; function < FUNCTIONS_MAX; ++function) {
    bool exists = function <= vfs;
    functions_[function].share.base = exists ? card_.base + functions_[0].share.bytes + (function - 1) * part : 0;
    functions_[function].share.bytes = exists ? part : 0;
  }
  for (uint32_t function = 0; function < FUNCTIONS_MAX; ++function) start_clearing(function);
  return true;
}

void function_reset(uint32_t function) {
  start_clearing(function);
}

const struct share* function_share(uint32_t function) {
  return &functions_[function].share;
}

uint32_t function_queues(uint32_t function) {
  return function == 0 ? NPU_QUEUES : NPU_VF_QUEUES;
}

uint32_t function_vectors(uint32_t function) {
  return function == 0 ? NPU_MSIX_VECTORS : NPU_VF_MSIX_VECTORS;
}

bool function_clearing(uint32_t function) {
  return clearing_ >> function & 1u;
}

bool functions_clearing(void) {
  return clearing_ != 0;
}

bool function_clear_piece(uint32_t function, uint64_t* base, uint64_t* bytes) {
  uint64_t piece = *bytes < kClearBytes ? *bytes : kClearBytes;
  enum dma_result result = dma_fill(*base, (uint32_t)piece);
  if (result != DMA_OK) {
    function_log(function, "DRAM at %lx cannot be cleared: %s", (unsigned long)*base, dma_result_name(result));
    return false;
  }
  *base += piece;
  *bytes -= piece;
  return true;
}

/* Memory that cannot be cleared is nobody's any more. */
static void clear_piece(uint32_t function) {
  struct function* f = &functions_[function];
  uint64_t base = f->share.base + f->cleared, left = f->share.bytes - f->cleared;
  if (!function_clear_piece(function, &base, &left)) {
    f->share.bytes = 0;
    clearing_ &= ~(1u << function);
    return;
  }
  f->cleared = f->share.bytes - left;
  if (left != 0) return;
  clearing_ &= ~(1u << function);
  aperture_open(function, f->share.base, f->share.bytes);
}

bool functions_serve_clearing(void) {
  if (clearing_ == 0) return false;
  for (uint32_t step = 1; step <= FUNCTIONS_MAX; ++step) {
    uint32_t function = (last_cleared_ + step) % FUNCTIONS_MAX;
    if (!function_clearing(function)) continue;
    last_cleared_ = function;
    clear_piece(function);
    return true;
  }
  return false;
}

/* Takes a line from the function's allowance. */
static bool may_log(struct function* f) {
  uint64_t now = aclint_time_ns();
  uint64_t earned = (now - f->log_refilled_ns) / kLogLineNs;
  if (earned != 0) {
    f->log_lines = earned < kLogBurst - f->log_lines ? f->log_lines + (uint32_t)earned : kLogBurst;
    f->log_refilled_ns = now;
  }
  if (f->log_lines == 0) {
    ++f->log_left_out;
    return false;
  }
  --f->log_lines;
  return true;
}

static void print(uint32_t function, const char* text) {
  if (function == 0) {
    log_line("%s", text);
  } else {
    log_line("vf %u: %s", function, text);
  }
}

void function_log(uint32_t function, const char* format, ...) {
  struct function* f = &functions_[function];
  if (!may_log(f)) return;
  char text[LOG_LINE_BYTES];
  if (f->log_left_out != 0) {
    format_text(text, sizeof(text), "%u lines left out", f->log_left_out);
    print(function, text);
    f->log_left_out = 0;
  }
  va_list arguments;
  va_start(arguments, format);
  format_text_list(text, sizeof(text), format, arguments);
  va_end(arguments);
  print(function, text);
}
