/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_HWMON_H_
#define _NPU_HWMON_H_

struct npu_device;

void npu_hwmon_init(struct npu_device *ndev);

#endif
