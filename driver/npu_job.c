// SPDX-License-Identifier: GPL-2.0
/* Submitting a job to a queue and waiting for its result. */

#include <linux/ktime.h>

#include "npu_context.h"
#include "npu_drv.h"
#include "npu_import.h"
#include "npu_job.h"
#include "npu_recovery.h"
#include "npu_regs.h"
#include "npu_space.h"

static bool npu_job_has_room(struct npu_queue *queue)
{
	const struct npu_job_result *result = &queue->results[queue->next_job % NPU_QUEUE_RESULTS];

	lockdep_assert_held(&queue->lock);
	return queue->outstanding < NPU_QUEUE_JOBS && (!result->job || result->done);
}

static void npu_job_fill_table(struct npu_segment *table, const struct npu_job_request *request)
{
	unsigned int i;

	memset(table, 0, sizeof(*table) * NPU_MAX_SEGMENTS);
	for (i = 0; i < request->bo_count; i++) {
		npu_bo_describe(request->bos[i], &table[i]);
		table[i].flags = request->segment_flags[i];
	}
}

/*
 * Return: 0 with the job on the card, -EAGAIN when it has to wait for room, -ENOENT or -EIO when
 * there will be none, -ESTALE when an imported buffer was revoked.
 */
static int npu_job_push(struct npu_queue *queue, const struct npu_job_request *request, u32 epoch,
			u64 *id)
{
	struct npu_submission *submission = &queue->sq[queue->sq_tail];
	struct npu_job_result *result;
	struct npu_job *job;
	unsigned int slot;
	int err;

	lockdep_assert_held(&queue->lock);
	if (queue->state == NPU_QUEUE_DRAINING)
		return -ENOENT;
	if (queue->state == NPU_QUEUE_DEAD)
		return -EIO;
	if (queue->state == NPU_QUEUE_DETACHED || !npu_job_has_room(queue) ||
	    (npu_has_spaces(queue->ndev) && queue->epoch != epoch))
		return -EAGAIN;
	err = npu_bos_begin_use(request->bos, request->bo_count);
	if (err)
		return err;

	slot = find_first_zero_bit(queue->busy, NPU_QUEUE_ENTRIES);
	__set_bit(slot, queue->busy);
	queue->outstanding++;
	queue->counters.submitted++;
	job = &queue->jobs[slot];
	job->id = queue->next_job++;
	job->bo_count = request->bo_count;
	memcpy(job->bos, request->bos, sizeof(job->bos));

	result = &queue->results[job->id % NPU_QUEUE_RESULTS];
	result->job = job->id;
	result->done = false;
	result->slot = slot;

	npu_job_fill_table(queue->tables[slot], request);
	*submission = (struct npu_submission){
		.opcode = NPU_SUBMIT_EXECUTE,
		.context = queue->context,
		.job = job->id,
		.segment_table = queue->tables_address + slot * sizeof(*queue->tables),
		.segment_count = request->bo_count,
		.command_segment = request->command_segment,
		.command_offset = request->command_offset,
		.command_bytes = request->command_bytes,
		.timeout_us = request->timeout_us,
	};
	queue->sq_tail = (queue->sq_tail + 1) % NPU_QUEUE_ENTRIES;
	/* writel() orders the entry and the table before the doorbell. */
	npu_write(queue->ndev, SQ_TAIL(queue->index), queue->sq_tail);
	*id = job->id;
	return 0;
}

static int npu_job_try(struct npu_queue *queue, const struct npu_job_request *request, u64 *id)
{
	u32 epoch;
	int err = npu_space_begin_use(queue, request->bos, request->bo_count, &epoch);

	if (err)
		return err;
	spin_lock(&queue->lock);
	err = npu_job_push(queue, request, epoch, id);
	spin_unlock(&queue->lock);
	if (err)
		npu_space_end_use(queue, request->bos, request->bo_count);
	return err;
}

static bool npu_job_may_push(struct npu_queue *queue)
{
	bool may;

	spin_lock(&queue->lock);
	may = queue->state == NPU_QUEUE_RUNNING ? npu_job_has_room(queue)
						: queue->state != NPU_QUEUE_DETACHED;
	spin_unlock(&queue->lock);
	return may;
}

/**
 * npu_job_submit - put a job on a context's queue, waiting for room
 * @context: with a reference
 * @request: what to run; on success the queue owns the references to its buffers
 * @nonblock: fail with -EAGAIN instead of waiting
 * @id: out: number of the job
 *
 * Return: 0; -EAGAIN; -ERESTARTSYS; -ENOENT when the context is being destroyed; -EIO when the card
 * is dead; -ESTALE when the exporter of an imported buffer has taken it back.
 */
int npu_job_submit(struct npu_context *context, const struct npu_job_request *request,
		   bool nonblock, u64 *id)
{
	struct npu_queue *queue = &context->queue;
	unsigned long slice = msecs_to_jiffies(queue->ndev->timeouts->watch_ms);
	long err;

	for (;;) {
		err = npu_job_try(queue, request, id);
		if (err != -EAGAIN || nonblock)
			return err;
		err = wait_event_interruptible_timeout(queue->wait, npu_job_may_push(queue), slice);
		if (err < 0)
			return err;
		if (!err) {
			npu_queue_reap(queue);
			npu_check_health(queue->ndev);
		}
	}
}

/*
 * Return: 0 with the result, -EINPROGRESS, -ENOENT for a job that never was, -ESTALE if its result
 * is no longer kept.
 */
static int npu_job_result(struct npu_queue *queue, u64 id, struct npu_completion *completion)
{
	const struct npu_job_result *result = &queue->results[id % NPU_QUEUE_RESULTS];
	int err = 0;

	spin_lock(&queue->lock);
	if (!id || id >= queue->next_job)
		err = -ENOENT;
	else if (result->job != id)
		err = -ESTALE;
	else if (!result->done)
		err = -EINPROGRESS;
	else if (completion)
		*completion = result->completion;
	spin_unlock(&queue->lock);
	return err;
}

/**
 * npu_job_wait - wait for a job's result
 * @context: with a reference
 * @id: number of the job
 * @timeout_ns: relative; <= 0: only look. With -ERESTARTSYS it is set to what is left, so that a
 *   restart goes on.
 * @completion: out
 *
 * Return: 0, -ETIME, -ERESTARTSYS, -ENOENT, -ESTALE.
 */
int npu_job_wait(struct npu_context *context, u64 id, s64 *timeout_ns,
		 struct npu_completion *completion)
{
	struct npu_queue *queue = &context->queue;
	ktime_t slice = ms_to_ktime(queue->ndev->timeouts->watch_ms);
	ktime_t deadline = ktime_add_safe(ktime_get(), max_t(s64, *timeout_ns, 0));
	ktime_t left;
	int err;

	for (;;) {
		npu_queue_reap(queue);
		err = npu_job_result(queue, id, completion);
		if (err != -EINPROGRESS)
			return err;
		left = ktime_sub(deadline, ktime_get());
		if (left <= 0)
			return -ETIME;
		err = wait_event_interruptible_hrtimeout(
			queue->wait, npu_job_result(queue, id, NULL) != -EINPROGRESS,
			min(left, slice));
		if (err == -ERESTARTSYS) {
			*timeout_ns = max_t(s64, ktime_sub(deadline, ktime_get()), 1);
			return err;
		}
		if (err == -ETIME)
			npu_check_health(queue->ndev);
	}
}
