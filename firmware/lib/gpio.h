// SPDX-License-Identifier: Apache-2.0
/* The board's straps. */
#pragma once

#include <stdbool.h>

/* Strapped for recovery: firmware comes from the host, whatever is in flash. */
bool gpio_strapped_for_recovery(void);
