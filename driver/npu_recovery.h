/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_RECOVERY_H_
#define _NPU_RECOVERY_H_

#include <linux/types.h>

struct attribute_group;
struct npu_context;
struct npu_device;
struct pci_error_handlers;
struct work_struct;

extern const struct pci_error_handlers npu_error_handlers;
extern const struct attribute_group *npu_recovery_groups[];

int npu_recovery_init(struct npu_device *ndev);
void npu_recovery_fini(struct npu_device *ndev);
bool npu_card_absent(struct npu_device *ndev);
void npu_recover(struct npu_device *ndev, const char *reason, const struct npu_context *except);
void npu_reset_work(struct work_struct *work);
void npu_check_health(struct npu_device *ndev);
long npu_wait_running(struct npu_device *ndev);

#endif
