/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_CRASH_H_
#define _NPU_CRASH_H_

#include <linux/sysfs.h>

extern struct bin_attribute bin_attr_crash_dumps;

#endif
