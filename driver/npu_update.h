/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_UPDATE_H_
#define _NPU_UPDATE_H_

#include <linux/device.h>

struct npu_device;

extern struct device_attribute dev_attr_firmware_update;
extern struct device_attribute dev_attr_firmware_commit;

void npu_update_report(struct npu_device *ndev);

#endif
