/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One card: the state that the parts of the driver share.
 *
 * Locks, outermost first:
 *   npu_device.control_lock  mutex: contexts[], dead; creation and destruction of queues, reset and
 *                            recovery. Held over mailbox exchanges and while a queue drains,
 *                            therefore for seconds at worst.
 *   npu_mailbox.lock         mutex: one message in flight.
 *   npu_device.bo_lock       mutex: host buffers with DMA mappings.
 *   npu_dram.lock            mutex: allocator of card DRAM. A leaf.
 *   npu_queue.lock           spinlock, process context only (the completion interrupt is threaded):
 *                            rings, jobs and results of one queue. A leaf.
 * A job waits for its completion and a submitter for room without any lock and outside of
 * drm_dev_enter(), so that neither holds up removal. References to buffers are dropped without
 * npu_queue.lock: the last one frees, which sleeps.
 *
 * Memory that the card was given (rings, segment tables, buffers of jobs, the firmware image) is
 * freed only after the card has given it back, has been reset, or has lost its bus mastering.
 */
#ifndef _NPU_DRV_H_
#define _NPU_DRV_H_

#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>

#include <firmware/abi/memory_map.h>

#include "npu_gem.h"
#include "npu_mailbox.h"

#define NPU_DRIVER_NAME "npu"

struct npu_context;

/* How long the driver waits, by what the card is made of, in milliseconds. */
struct npu_timeouts {
	const char *platform;
	unsigned int reset_ms; /* card reset until the boot ROM runs */
	unsigned int boot_ms;  /* image handed over until verified; again until the firmware runs */
	unsigned int message_ms; /* message until reply */
	unsigned int drain_ms;	 /* QUEUE_DESTROY until each job of the queue has completed */
	unsigned int watch_ms;	 /* how often a waiter looks at the card's health */
};

/* What the running firmware told in its HELLO. */
struct npu_card {
	u32 abi_version;
	u32 firmware_version;
	u32 neural_engines;
	u32 queues;
	u64 dram_base;	/* card physical address */
	u64 dram_bytes; /* for jobs */
};

struct npu_device {
	struct drm_device drm;
	struct pci_dev *pdev;
	void __iomem *regs; /* BAR0 */
	const struct npu_timeouts *timeouts;
	struct npu_card card;
	struct npu_mailbox mailbox;
	struct npu_dram dram;

	struct mutex bo_lock; /* protects host_bos */
	struct list_head host_bos;

	struct mutex control_lock; /* protects the fields below */
	unsigned int queue_limit;  /* queues that the card has and an interrupt vector exists for */
	struct npu_context *contexts[NPU_QUEUES]; /* by queue */
	bool dead; /* recovery failed: no queue until the driver is bound again */
	struct work_struct reset_work;
};

static inline struct npu_device *to_npu_device(struct drm_device *drm)
{
	return container_of(drm, struct npu_device, drm);
}

static inline struct device *npu_dev(struct npu_device *ndev)
{
	return &ndev->pdev->dev;
}

#endif
