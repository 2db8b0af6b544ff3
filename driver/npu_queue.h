/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_QUEUE_H_
#define _NPU_QUEUE_H_

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <firmware/abi/context.h>
#include <firmware/abi/queue.h>

struct drm_gem_object;
struct npu_device;

#define NPU_QUEUE_LOG2 6
#define NPU_QUEUE_ENTRIES (1u << NPU_QUEUE_LOG2)
#define NPU_QUEUE_JOBS \
	(NPU_QUEUE_ENTRIES - 1) /* on the card at a time: neither ring can overflow */
#define NPU_QUEUE_RESULTS 1024u /* results kept for DRM_IOCTL_NPU_WAIT */

enum npu_queue_state {
	NPU_QUEUE_DETACHED, /* the card does not know the rings: before creation and during a reset */
	NPU_QUEUE_RUNNING,
	NPU_QUEUE_DRAINING, /* completes jobs, takes no new ones */
	NPU_QUEUE_DEAD,	    /* for good */
};

/* A job that the card has. Owns references to its buffers. */
struct npu_job {
	struct list_head node;
	u64 id;
	unsigned int bo_count;
	struct drm_gem_object *bos[NPU_MAX_SEGMENTS];
};

struct npu_job_result {
	u64 job; /* 0: none yet */
	bool done;
	u8 slot; /* in npu_queue.jobs until done */
	struct npu_completion completion;
};

/* What the jobs of a queue may do, for the card. */
struct npu_rights {
	u32 priority; /* enum npu_priority */
	u32 flags;    /* NPU_CONTEXT_* */
	u32 job_limit_us;
	u32 hang_limit_us;
};

/* Each job counts once more in exactly one of the others when it has ended. */
struct npu_counters {
	u64 submitted;
	u64 completed;
	u64 failed;
	u64 aborted;
	u64 device_ns; /* that the card worked for them */
};

/* A pair of rings. */
struct npu_queue {
	struct npu_device *ndev;
	unsigned int index;
	u32 context;	  /* number that the card knows its context by, never used again */
	const void *file; /* struct npu_file of its context */
	struct npu_rights rights;
	int irq; /* 0: not requested */
	char irq_name[32];
	wait_queue_head_t wait; /* woken when jobs complete and when the state changes */

	struct npu_submission *sq;
	struct npu_completion *cq;
	struct npu_segment (*tables)[NPU_MAX_SEGMENTS]; /* one segment table per job slot */
	dma_addr_t sq_address, cq_address, tables_address;

	struct list_head mappings; /* of device buffers; protected by npu_device.space_lock */
	/* Counts the contexts that the card has had for it; written with both locks held. */
	u32 epoch;

	spinlock_t lock; /* protects what follows */
	enum npu_queue_state state;
	u32 sq_tail, cq_head, phase;
	u64 next_job; /* job numbers start at 1 */
	unsigned int outstanding;
	struct npu_counters counters;
	DECLARE_BITMAP(busy, NPU_QUEUE_ENTRIES);
	struct npu_job jobs[NPU_QUEUE_ENTRIES];
	struct npu_job_result *results; /* by job % NPU_QUEUE_RESULTS */
};

int npu_queue_init(struct npu_queue *queue, struct npu_device *ndev, unsigned int index,
		   const struct npu_rights *rights);
void npu_queue_fini(struct npu_queue *queue);
int npu_queue_attach(struct npu_queue *queue);
int npu_queue_drain(struct npu_queue *queue);
bool npu_queue_running(struct npu_queue *queue);
bool npu_queue_detached(struct npu_queue *queue);
void npu_queue_set_state(struct npu_queue *queue, enum npu_queue_state state);
void npu_queue_abort(struct npu_queue *queue);
void npu_queue_reap(struct npu_queue *queue);
void npu_queue_count(struct npu_queue *queue, struct npu_counters *counters);

#endif
