// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/pstate.h"

#include "firmware/lib/aclint.h"
#include "firmware/lib/system_controller.h"

enum { kNominal = 2, kNominalGen4 = 4, kHalf = 6, kIdle = 14 };

static uint32_t now_; /* state the card is in */
static uint32_t request_;
static uint32_t limit_;
static uint64_t idle_at_ns_; /* when it counts as idle, unless a job starts before */
static bool busy_;

static void enter(uint32_t state) {
  if (state == now_) return;
  now_ = state;
  system_controller_set_pstate(state);
}

/* States are numbered by falling performance. */
static uint32_t active_state(void) {
  uint32_t state = request_ != 0 ? request_ : kNominal;
  return limit_ > state ? limit_ : state;
}

void pstate_init(uint64_t now_ns) {
  now_ = system_controller_pstate();
  request_ = limit_ = 0;
  busy_ = false;
  idle_at_ns_ = now_ns;
  pstate_serve(now_ns, false);
}

void pstate_wake(uint64_t now_ns) {
  idle_at_ns_ = now_ns + PSTATE_IDLE_NS;
  enter(active_state());
}

bool pstate_request(uint32_t state) {
  if (state != 0 && state != kNominal && state != kNominalGen4 && state != kHalf) return false;
  request_ = state;
  return true;
}

uint32_t pstate_requested(void) {
  return request_;
}

void pstate_limit(uint32_t state) {
  limit_ = state;
}

void pstate_serve(uint64_t now_ns, bool busy) {
  busy_ = busy;
  if (busy) idle_at_ns_ = now_ns + PSTATE_IDLE_NS;
  enter(now_ns >= idle_at_ns_ ? kIdle : active_state());
}

uint64_t pstate_deadline(void) {
  return busy_ || now_ == kIdle ? ACLINT_NEVER : idle_at_ns_;
}
