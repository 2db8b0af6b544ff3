/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_RECOVERY_H_
#define _NPU_RECOVERY_H_

#include <linux/types.h>

struct npu_context;
struct npu_device;
struct work_struct;

int npu_recovery_init(struct npu_device *ndev);
void npu_recovery_fini(struct npu_device *ndev);
bool npu_card_works(struct npu_device *ndev);
bool npu_card_absent(struct npu_device *ndev);
void npu_recover(struct npu_device *ndev, const char *reason, const struct npu_context *except);
void npu_reset_work(struct work_struct *work);
void npu_check_health(struct npu_device *ndev);
int npu_make_ready(struct npu_device *ndev);
void npu_request_reset(struct npu_device *ndev, const char *reason);
long npu_wait_running(struct npu_device *ndev);

void npu_stop_io(struct npu_device *ndev);
int npu_restart_io(struct npu_device *ndev);
void npu_resume_io(struct npu_device *ndev);
void npu_give_up(struct npu_device *ndev, int err);

#endif
