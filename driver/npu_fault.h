/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_FAULT_H_
#define _NPU_FAULT_H_

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <firmware/abi/fault.h>

struct drm_npu_fault_read;
struct npu_device;
struct npu_file;

/* A record as the card wrote it, under the number that programs know it by. */
struct npu_fault_entry {
	u64 number;
	struct npu_fault_record record;
};

/* The latest fault records of the function. */
struct npu_faults {
	struct mutex lock;		 /* protects what follows; taken before the mailbox's */
	struct npu_fault_record *buffer; /* the card writes NPU_FAULT_RECORDS of them here */
	dma_addr_t buffer_address;
	u32 sequence; /* of the last record read from the card as it runs now */
	u64 last; /* number of the newest record; later ones, lost ones too, have higher numbers */
	unsigned int kept;
	struct npu_fault_entry ring[NPU_FAULT_RECORDS]; /* by number % NPU_FAULT_RECORDS */
	struct work_struct work;
};

int npu_faults_init(struct npu_device *ndev);
void npu_faults_fini(struct npu_device *ndev);
void npu_faults_notice(struct npu_device *ndev);
void npu_faults_restart(struct npu_device *ndev);
int npu_faults_read(struct npu_device *ndev, struct npu_file *file,
		    struct drm_npu_fault_read *args);

#endif
