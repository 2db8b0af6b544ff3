/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_UPDATE_H_
#define _NPU_UPDATE_H_

#include <linux/device.h>

extern struct device_attribute dev_attr_firmware_update;

#endif
