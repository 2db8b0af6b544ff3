// SPDX-License-Identifier: GPL-2.0
/*
 * Submission and completion rings of one queue: memory, interrupt, completions, life on the card.
 */

#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>

#include "npu_drv.h"
#include "npu_import.h"
#include "npu_queue.h"
#include "npu_regs.h"
#include "npu_space.h"

#define NPU_QUEUE_VECTOR(index) (NPU_VECTOR_MAILBOX + 1 + (index))

static_assert(NPU_QUEUE_LOG2 >= NPU_QUEUE_LOG2_MIN && NPU_QUEUE_LOG2 <= NPU_QUEUE_LOG2_MAX);
static_assert(NPU_QUEUE_RESULTS > NPU_QUEUE_ENTRIES && NPU_QUEUE_ENTRIES <= 256);

static size_t npu_queue_sq_bytes(struct npu_queue *queue)
{
	return NPU_QUEUE_ENTRIES * sizeof(*queue->sq);
}

static size_t npu_queue_cq_bytes(struct npu_queue *queue)
{
	return NPU_QUEUE_ENTRIES * sizeof(*queue->cq);
}

static size_t npu_queue_tables_bytes(struct npu_queue *queue)
{
	return NPU_QUEUE_ENTRIES * sizeof(*queue->tables);
}

/* Drops the buffers of completed jobs, then gives their slots back. Sleeps. */
static void npu_queue_release_jobs(struct npu_queue *queue, struct list_head *done)
{
	struct npu_job *job, *next;
	unsigned int i;

	list_for_each_entry(job, done, node) {
		npu_space_end_use(queue, job->bos, job->bo_count);
		npu_bos_end_use(job->bos, job->bo_count);
		for (i = 0; i < job->bo_count; i++)
			drm_gem_object_put(job->bos[i]);
	}
	spin_lock(&queue->lock);
	list_for_each_entry_safe(job, next, done, node) {
		list_del(&job->node);
		__clear_bit(job - queue->jobs, queue->busy);
		queue->outstanding--;
	}
	spin_unlock(&queue->lock);
	wake_up_all(&queue->wait);
}

static void npu_queue_count_end(struct npu_queue *queue, const struct npu_completion *completion)
{
	struct npu_counters *counters = &queue->counters;

	lockdep_assert_held(&queue->lock);
	if (completion->status == NPU_JOB_OK)
		counters->completed++;
	else if (completion->status == NPU_JOB_ABORTED)
		counters->aborted++;
	else
		counters->failed++;
	if (completion->end_ns > completion->start_ns)
		counters->device_ns += completion->end_ns - completion->start_ns;
}

/* What the queue's jobs have done. */
void npu_queue_count(struct npu_queue *queue, struct npu_counters *counters)
{
	spin_lock(&queue->lock);
	*counters = queue->counters;
	spin_unlock(&queue->lock);
}

/*
 * Records how a job ended. Return: the job, or NULL if the card does not have a job of that number.
 */
static struct npu_job *npu_queue_retire(struct npu_queue *queue,
					const struct npu_completion *completion)
{
	struct npu_job_result *result = &queue->results[completion->job % NPU_QUEUE_RESULTS];

	lockdep_assert_held(&queue->lock);
	if (!completion->job || result->job != completion->job || result->done)
		return NULL;
	result->completion = *completion;
	result->done = true;
	npu_queue_count_end(queue, completion);
	return &queue->jobs[result->slot];
}

/*
 * Takes the completions that the card has written. Safe to call at any time: it also makes up for a
 * lost interrupt.
 */
void npu_queue_reap(struct npu_queue *queue)
{
	struct npu_completion completion;
	unsigned int reaped = 0;
	bool failed = false;
	struct npu_job *job;
	LIST_HEAD(done);

	spin_lock(&queue->lock);
	while ((queue->state == NPU_QUEUE_RUNNING || queue->state == NPU_QUEUE_DRAINING) &&
	       reaped < NPU_QUEUE_ENTRIES &&
	       READ_ONCE(queue->cq[queue->cq_head].phase) == queue->phase) {
		dma_rmb(); /* the card writes the phase last */
		completion = queue->cq[queue->cq_head];
		failed |= completion.status != NPU_JOB_OK && completion.status != NPU_JOB_ABORTED;
		job = npu_queue_retire(queue, &completion);
		if (job)
			list_add_tail(&job->node, &done);
		else
			dev_err_ratelimited(
				npu_dev(queue->ndev),
				"queue %u: completion of job %llu, which is not running\n",
				queue->index, completion.job);
		if (++queue->cq_head == NPU_QUEUE_ENTRIES) {
			queue->cq_head = 0;
			queue->phase ^= 1;
		}
		reaped++;
	}
	if (reaped)
		npu_write(queue->ndev, CQ_HEAD(queue->index), queue->cq_head);
	spin_unlock(&queue->lock);

	if (failed)
		npu_faults_notice(queue->ndev);
	if (!list_empty(&done))
		npu_queue_release_jobs(queue, &done);
}

/* Completes each outstanding job with NPU_JOB_ABORTED. The card must have stopped before. */
void npu_queue_abort(struct npu_queue *queue)
{
	struct npu_completion aborted = { .status = NPU_JOB_ABORTED, .queue = queue->index };
	struct npu_job *job;
	unsigned int slot;
	LIST_HEAD(done);

	spin_lock(&queue->lock);
	for_each_set_bit(slot, queue->busy, NPU_QUEUE_ENTRIES) {
		aborted.job = queue->jobs[slot].id;
		job = npu_queue_retire(queue, &aborted);
		if (job) /* else a reaper is just releasing it */
			list_add_tail(&job->node, &done);
	}
	spin_unlock(&queue->lock);
	npu_queue_release_jobs(queue, &done);
}

void npu_queue_set_state(struct npu_queue *queue, enum npu_queue_state state)
{
	spin_lock(&queue->lock);
	if (queue->state != NPU_QUEUE_DEAD)
		queue->state = state;
	spin_unlock(&queue->lock);
	wake_up_all(&queue->wait);
}

bool npu_queue_running(struct npu_queue *queue)
{
	bool running;

	spin_lock(&queue->lock);
	running = queue->state == NPU_QUEUE_RUNNING;
	spin_unlock(&queue->lock);
	return running;
}

bool npu_queue_detached(struct npu_queue *queue)
{
	bool detached;

	spin_lock(&queue->lock);
	detached = queue->state == NPU_QUEUE_DETACHED;
	spin_unlock(&queue->lock);
	return detached;
}

static irqreturn_t npu_queue_interrupt(int irq, void *data)
{
	npu_queue_reap(data);
	return IRQ_HANDLED;
}

static int npu_queue_create_context(struct npu_queue *queue)
{
	const struct npu_rights *rights = &queue->rights;
	u32 own_space = npu_has_spaces(queue->ndev) ? NPU_CONTEXT_ADDRESS_SPACE : 0;
	u32 words[NPU_MAILBOX_WORDS] = {
		[1] = queue->context,
		[2] = NPU_CONTEXT_WORD(rights->priority, 0, rights->flags | own_space),
		[3] = rights->job_limit_us,
		[4] = rights->hang_limit_us,
	};

	/* Older firmware makes a context without special rights by itself. */
	if (!npu_has_contexts(queue->ndev))
		return 0;
	return npu_mailbox_call(queue->ndev, NPU_MESSAGE_CONTEXT_CREATE, words);
}

/* Also ends the queue, if there is one. */
static int npu_queue_destroy_context(struct npu_queue *queue)
{
	bool contexts = npu_has_contexts(queue->ndev);
	u32 words[NPU_MAILBOX_WORDS] = { 0, contexts ? queue->context : queue->index };

	return npu_mailbox_call(queue->ndev,
				contexts ? NPU_MESSAGE_CONTEXT_DESTROY : NPU_MESSAGE_QUEUE_DESTROY,
				words);
}

/**
 * npu_queue_attach - give empty rings to the card and start to take jobs
 * @queue: a detached queue without outstanding jobs
 *
 * Return: 0 or an error of npu_mailbox_call(). After -ETIMEDOUT the card may know the rings: reset
 * it.
 */
int npu_queue_attach(struct npu_queue *queue)
{
	u32 words[NPU_MAILBOX_WORDS] = {
		[1] = queue->index | NPU_QUEUE_LOG2 << 8 | NPU_QUEUE_VECTOR(queue->index) << 16,
		[2] = lower_32_bits(queue->sq_address),
		[3] = upper_32_bits(queue->sq_address),
		[4] = lower_32_bits(queue->cq_address),
		[5] = upper_32_bits(queue->cq_address),
		[6] = queue->context,
	};
	struct npu_device *ndev = queue->ndev;
	int err;

	mutex_lock(&ndev->space_lock);
	spin_lock(&queue->lock);
	queue->epoch++; /* the new context reaches nothing yet */
	spin_unlock(&queue->lock);
	err = npu_queue_create_context(queue);
	mutex_unlock(&ndev->space_lock);
	if (err)
		return err;
	memset(queue->cq, 0, npu_queue_cq_bytes(queue));
	npu_write(ndev, SQ_TAIL(queue->index), 0);
	npu_write(ndev, CQ_HEAD(queue->index), 0);
	err = npu_mailbox_call(ndev, NPU_MESSAGE_QUEUE_CREATE, words);
	if (err) {
		if (npu_has_contexts(ndev) && err != -ETIMEDOUT && err != -ENODEV &&
		    err != -ECONNRESET)
			npu_queue_destroy_context(queue);
		return err;
	}
	spin_lock(&queue->lock);
	queue->sq_tail = 0;
	queue->cq_head = 0;
	queue->phase = 1;
	queue->state = NPU_QUEUE_RUNNING;
	spin_unlock(&queue->lock);
	wake_up_all(&queue->wait);
	return 0;
}

static bool npu_queue_idle(struct npu_queue *queue)
{
	bool idle;

	spin_lock(&queue->lock);
	idle = !queue->outstanding;
	spin_unlock(&queue->lock);
	return idle;
}

/**
 * npu_queue_drain - take the queue from the card and wait until its jobs have completed
 * @queue: any queue; nothing happens unless it is running
 *
 * Return: 0 when the card no longer uses the rings or the buffers of the queue's jobs; else it must
 * be reset before they are freed.
 */
int npu_queue_drain(struct npu_queue *queue)
{
	struct npu_device *ndev = queue->ndev;
	unsigned long deadline;
	int err;

	spin_lock(&queue->lock);
	err = queue->state == NPU_QUEUE_RUNNING ? 0 : -EALREADY;
	if (!err)
		queue->state = NPU_QUEUE_DRAINING;
	spin_unlock(&queue->lock);
	if (err)
		return 0;
	wake_up_all(&queue->wait);

	err = npu_queue_destroy_context(queue);
	if (err)
		return err;
	deadline = jiffies + msecs_to_jiffies(ndev->timeouts->drain_ms);
	do {
		npu_queue_reap(queue);
		if (wait_event_timeout(queue->wait, npu_queue_idle(queue),
				       msecs_to_jiffies(min(ndev->timeouts->watch_ms,
							    ndev->timeouts->drain_ms))))
			return 0;
		if (npu_io_stopped(ndev) || npu_read(ndev, CARD_STATE) == NPU_REG_GONE)
			return -ENODEV;
	} while (time_before(jiffies, deadline));
	dev_err(npu_dev(ndev), "queue %u: jobs still outstanding %u ms after its end\n",
		queue->index, ndev->timeouts->drain_ms);
	return -ETIMEDOUT;
}

/**
 * npu_queue_init - allocate rings and interrupt of a detached queue
 * @queue: zeroed memory
 * @ndev: the card
 * @index: hardware queue
 * @rights: of its jobs
 *
 * Return: 0 or an error, after which nothing needs npu_queue_fini().
 */
int npu_queue_init(struct npu_queue *queue, struct npu_device *ndev, unsigned int index,
		   const struct npu_rights *rights)
{
	struct device *dev = npu_dev(ndev);
	int irq = pci_irq_vector(ndev->pdev, NPU_QUEUE_VECTOR(index));
	int err = -ENOMEM;

	if (irq < 0)
		return irq;
	queue->ndev = ndev;
	queue->index = index;
	queue->context = ++ndev->next_context;
	queue->rights = *rights;
	queue->state = NPU_QUEUE_DETACHED;
	queue->next_job = 1;
	INIT_LIST_HEAD(&queue->mappings);
	spin_lock_init(&queue->lock);
	init_waitqueue_head(&queue->wait);

	queue->results = kvcalloc(NPU_QUEUE_RESULTS, sizeof(*queue->results), GFP_KERNEL);
	if (!queue->results)
		return -ENOMEM;
	queue->sq =
		dma_alloc_coherent(dev, npu_queue_sq_bytes(queue), &queue->sq_address, GFP_KERNEL);
	if (!queue->sq)
		goto err_results;
	queue->cq =
		dma_alloc_coherent(dev, npu_queue_cq_bytes(queue), &queue->cq_address, GFP_KERNEL);
	if (!queue->cq)
		goto err_sq;
	queue->tables = dma_alloc_coherent(dev, npu_queue_tables_bytes(queue),
					   &queue->tables_address, GFP_KERNEL);
	if (!queue->tables)
		goto err_cq;
	snprintf(queue->irq_name, sizeof(queue->irq_name), "npu-%s-q%u", pci_name(ndev->pdev),
		 index);
	err = request_threaded_irq(irq, NULL, npu_queue_interrupt, IRQF_ONESHOT, queue->irq_name,
				   queue);
	if (err)
		goto err_tables;
	queue->irq = irq;
	return 0;

err_tables:
	dma_free_coherent(dev, npu_queue_tables_bytes(queue), queue->tables, queue->tables_address);
err_cq:
	dma_free_coherent(dev, npu_queue_cq_bytes(queue), queue->cq, queue->cq_address);
err_sq:
	dma_free_coherent(dev, npu_queue_sq_bytes(queue), queue->sq, queue->sq_address);
err_results:
	kvfree(queue->results);
	queue->results = NULL;
	return err;
}

/*
 * Frees interrupt and rings; the results stay for waiters until the context is freed. The card must
 * not use them.
 */
void npu_queue_fini(struct npu_queue *queue)
{
	struct device *dev = npu_dev(queue->ndev);

	free_irq(queue->irq, queue);
	npu_space_fini(queue);
	dma_free_coherent(dev, npu_queue_tables_bytes(queue), queue->tables, queue->tables_address);
	dma_free_coherent(dev, npu_queue_cq_bytes(queue), queue->cq, queue->cq_address);
	dma_free_coherent(dev, npu_queue_sq_bytes(queue), queue->sq, queue->sq_address);
}
