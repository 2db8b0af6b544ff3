/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One card: the state that the parts of the driver share.
 *
 * Locks, outermost first:
 *   device_lock()            the driver core's: probe, remove, sriov_configure and each of the error
 *                            handlers run under it, one at a time.
 *   npu_device.control_lock  mutex: contexts[], io, dead, vfs; creation and destruction of queues,
 *                            reset and recovery. Held over mailbox exchanges and while a queue
 *                            drains, therefore for seconds at worst; not over
 *                            pci_enable_sriov(), which probes other functions.
 *   npu_faults.lock          mutex: records of failed jobs; held while the card is asked for more.
 *   npu_device.space_lock    mutex: which device buffers each context reaches; held over mailbox
 *                            exchanges.
 *   npu_mailbox.lock         mutex: one message in flight.
 *   npu_device.bo_lock       mutex: lists of buffers that removal has to find.
 *   drm_gem_object.resv      reservation of a shared buffer: its mappings and whether it was
 *                            revoked. Our dma-buf callbacks are called with it and take nothing but
 *                            npu_import.lock.
 *   npu_dram.lock            mutex: allocator of card DRAM. A leaf.
 *   npu_file.contexts        the lock of the xarray: contexts of a file, accounts of those that ended.
 *   npu_queue.lock           spinlock, process context only (the completion interrupt is threaded):
 *                            rings, jobs and results of one queue.
 *   npu_import.lock          spinlock, likewise: jobs that use an imported buffer. A leaf.
 * Locks of two cards are never nested but for a reservation, which may be of another card's buffer.
 * A job waits for its completion and a submitter for room without any lock and outside of
 * drm_dev_enter(), so that neither holds up removal. References to buffers are dropped without
 * npu_queue.lock: the last one frees, which sleeps.
 *
 * Memory that the card was given (rings, segment tables, buffers of jobs, the firmware image) is
 * freed only after the card has given it back, has been reset, or has lost its bus mastering.
 */
#ifndef _NPU_DRV_H_
#define _NPU_DRV_H_

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>

#include <firmware/abi/memory_map.h>

#include "npu_fault.h"
#include "npu_gem.h"
#include "npu_mailbox.h"

#define NPU_DRIVER_NAME "npu"
#define NPU_DEVICE_SYNC_FLAGS 256 /* NPU_SYNC_FLAGS, as a number that a bitmap can have */

struct npu_context;
struct npu_hwmon;

/* How long the driver waits, by what the card is made of, in milliseconds. */
struct npu_timeouts {
	const char *platform;
	/* Card reset until the boot ROM waits or firmware runs, with a trial that fails before. */
	unsigned int reset_ms;
	unsigned int boot_ms; /* image handed over until verified; again until the firmware runs */
	unsigned int message_ms; /* message until reply */
	unsigned int clear_ms;	 /* the same where DRAM is cleared first: after it was divided */
	unsigned int drain_ms;	 /* QUEUE_DESTROY until each job of the queue has completed */
	unsigned int watch_ms;	 /* how often a waiter looks at the card's health */
};

/* May registers and queues be used? */
enum npu_io {
	NPU_IO_RUNNING,
	NPU_IO_STOPPED,	   /* no: a reset by the kernel is under way, or the card does not answer */
	NPU_IO_RESTARTING, /* registers only: the firmware runs again, the queues wait for resume() */
};

/* What the running firmware told in its HELLO, for this function. */
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
	bool is_vf;   /* a virtual function: the card belongs to another driver */
	bool leaving; /* removal has begun, recovery is pointless */
	char irq_name[32];
	struct npu_mailbox mailbox;
	struct npu_dram dram;
	struct npu_hwmon *hwmon; /* NULL: none */
	struct npu_faults faults;

	struct mutex space_lock; /* protects the mappings of all contexts and buffers */
	struct mutex bo_lock;	 /* protects the three lists and sync_flags */
	struct list_head host_bos;
	struct list_head peer_bos;
	struct list_head imports;
	DECLARE_BITMAP(sync_flags, NPU_DEVICE_SYNC_FLAGS); /* that somebody has */
	atomic_t peer_mappings;				   /* of our DRAM by other devices */
	wait_queue_head_t peer_wait;			   /* woken when peer_mappings becomes 0 */

	struct mutex control_lock; /* protects the fields below */
	unsigned int queue_limit;  /* queues that the card has and an interrupt vector exists for */
	struct npu_context *contexts[NPU_QUEUES]; /* by queue */
	u32 next_context; /* number that the card will know the next one by */
	enum npu_io
		io; /* also set to NPU_IO_STOPPED without the lock, to make its holder give up */
	unsigned long io_since; /* jiffies when `io` changed */
	bool dead;		/* recovery failed: no queue until the driver is bound again */
	bool partitioning;	/* the number of virtual functions changes: no new contexts */
	unsigned int vfs;	/* virtual functions that the DRAM is divided for */
	unsigned int recoveries;
	const char *suspect;	   /* why the card must be reset though it seems to work, or NULL */
	wait_queue_head_t io_wait; /* woken when `io` changes */
	struct work_struct reset_work;

	atomic_t correctable_errors;
	struct pci_saved_state *saved_state; /* before we became a bus master */
};

static inline struct npu_device *to_npu_device(struct drm_device *drm)
{
	return container_of(drm, struct npu_device, drm);
}

static inline struct device *npu_dev(struct npu_device *ndev)
{
	return &ndev->pdev->dev;
}

/* In messages. */
static inline const char *npu_card_name(struct npu_device *ndev)
{
	return ndev->is_vf ? "function" : "card";
}

/* Does the firmware know contexts and fault records? That of a virtual function may be older. */
static inline bool npu_has_contexts(struct npu_device *ndev)
{
	return (ndev->card.abi_version & 0xffff) >= 2;
}

/* Can the firmware keep the DRAM of contexts apart, and clear it? */
static inline bool npu_has_spaces(struct npu_device *ndev)
{
	return (ndev->card.abi_version & 0xffff) >= 3;
}

/* Taken out of its slot, as far as the kernel knows already. */
static inline bool npu_disconnected(struct npu_device *ndev)
{
	return READ_ONCE(ndev->pdev->error_state) == pci_channel_io_perm_failure;
}

/* For those who wait for the card: there is no point in waiting on. */
static inline bool npu_io_stopped(struct npu_device *ndev)
{
	return READ_ONCE(ndev->io) == NPU_IO_STOPPED || npu_disconnected(ndev);
}

/* In jiffies: longer than this no reset of the card takes, with all that follows it. */
static inline unsigned long npu_restart_limit(struct npu_device *ndev)
{
	const struct npu_timeouts *timeouts = ndev->timeouts;

	return msecs_to_jiffies(timeouts->reset_ms + 2 * timeouts->boot_ms + timeouts->clear_ms);
}

#endif
