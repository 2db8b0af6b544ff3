// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/service.h"

_Noreturn void cp_main(void);

/* Called by start.S. */
_Noreturn void cp_main(void) {
  service_init();
  for (;;) {
    if (!service_poll()) service_sleep();
  }
}
