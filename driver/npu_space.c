// SPDX-License-Identifier: GPL-2.0
/*
 * What a context reaches of the card's DRAM: the device buffers that its jobs have named, as long as
 * its file has a handle or a job is under way. The firmware keeps the page tables; this file tells it
 * what to map and to unmap. The segment table of a job grants nothing that is not mapped: the card
 * checks both. Also clears memory for a new owner.
 *
 * A reset of the card takes all mappings with the contexts. npu_queue.epoch counts the lives of a
 * context on the card; a mapping of an earlier one is made anew by the next job that needs it.
 */

#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>

#include "npu_context.h"
#include "npu_drv.h"
#include "npu_recovery.h"
#include "npu_space.h"

#define NPU_SPACE_CHUNK_BYTES (NPU_CONTEXT_MAP_PAGES * NPU_CONTEXT_PAGE_BYTES)

/* A device buffer in a context. Protected by npu_device.space_lock. */
struct npu_mapping {
	struct list_head queue_node; /* in npu_queue.mappings */
	struct list_head bo_node;    /* in npu_device_bo.mappings */
	struct npu_queue *queue;
	struct npu_device_bo *bo;
	u32 epoch;	   /* of the queue when it was mapped; 0: never */
	unsigned int jobs; /* that use it */
	bool closed;	   /* goes with the last of them */
};

static void npu_mapping_free(struct npu_mapping *mapping)
{
	list_del(&mapping->queue_node);
	list_del(&mapping->bo_node);
	kfree(mapping);
}

/*
 * Sends a message about each chunk of a range. Return: 0, or the error of the first one that failed,
 * with `*done` bytes before it.
 */
static int npu_space_send(struct npu_device *ndev, u32 opcode, u32 context, u32 rights, u64 base,
			  u64 bytes, u64 *done)
{
	unsigned int timeout_ms = opcode == NPU_MESSAGE_DRAM_CLEAR ? ndev->timeouts->clear_ms
								   : ndev->timeouts->message_ms;

	for (*done = 0; *done < bytes;) {
		u64 chunk = min_t(u64, bytes - *done, NPU_SPACE_CHUNK_BYTES);
		u32 words[NPU_MAILBOX_WORDS] = {
			[1] = context,
			[2] = lower_32_bits(base + *done),
			[3] = upper_32_bits(base + *done),
			[4] = chunk / NPU_CONTEXT_PAGE_BYTES,
			[5] = rights,
		};
		int err = npu_mailbox_exchange(ndev, opcode, words, timeout_ms);

		if (err)
			return err;
		switch (NPU_MAILBOX_STATUS(words[0])) {
		case NPU_MAILBOX_OK:
			break;
		case NPU_MAILBOX_FULL:
			return -ENOSPC;
		default:
			return -EIO;
		}
		*done += chunk;
	}
	return 0;
}

/* Is the mapping in the context that the card has now? */
static bool npu_mapping_live(const struct npu_mapping *mapping)
{
	return mapping->epoch == mapping->queue->epoch && npu_queue_running(mapping->queue);
}

/*
 * Return: 0; -ENOSPC when the card has no room for page tables; -EAGAIN when it is being reset, or
 * will be because of what it answered.
 */
static int npu_mapping_map(struct npu_mapping *mapping)
{
	const struct drm_mm_node *node = &mapping->bo->node;
	struct npu_queue *queue = mapping->queue;
	u64 done, undone;
	int err;

	err = npu_space_send(queue->ndev, NPU_MESSAGE_CONTEXT_MAP, queue->context,
			     NPU_CONTEXT_MAP_READ | NPU_CONTEXT_MAP_WRITE, node->start, node->size,
			     &done);
	if (!err) {
		mapping->epoch = queue->epoch;
		return 0;
	}
	if (err == -ENOSPC && !npu_space_send(queue->ndev, NPU_MESSAGE_CONTEXT_UNMAP,
					      queue->context, 0, node->start, done, &undone))
		return err;
	if (npu_queue_running(queue))
		npu_request_reset(queue->ndev, "a buffer could not be mapped for its context");
	return -EAGAIN;
}

/* Nothing of the context reaches the buffer when this returns, or the card is about to be reset. */
static void npu_mapping_unmap(struct npu_mapping *mapping)
{
	const struct drm_mm_node *node = &mapping->bo->node;
	struct npu_queue *queue = mapping->queue;
	u64 done;
	int index;

	if (npu_mapping_live(mapping) && drm_dev_enter(&queue->ndev->drm, &index)) {
		if (npu_space_send(queue->ndev, NPU_MESSAGE_CONTEXT_UNMAP, queue->context, 0,
				   node->start, node->size, &done) &&
		    npu_queue_running(queue))
			npu_request_reset(queue->ndev,
					  "a buffer could not be taken from its context");
		drm_dev_exit(index);
	}
	npu_mapping_free(mapping);
}

static struct npu_mapping *npu_mapping_find(struct npu_queue *queue, struct npu_device_bo *bo)
{
	struct npu_mapping *mapping;

	list_for_each_entry(mapping, &bo->mappings, bo_node) {
		if (mapping->queue == queue)
			return mapping;
	}
	return NULL;
}

static int npu_mapping_begin_use(struct npu_queue *queue, struct npu_device_bo *bo)
{
	struct npu_mapping *mapping = npu_mapping_find(queue, bo);
	int err = 0;

	if (!mapping) {
		mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
		if (!mapping)
			return -ENOMEM;
		mapping->queue = queue;
		mapping->bo = bo;
		list_add(&mapping->queue_node, &queue->mappings);
		list_add(&mapping->bo_node, &bo->mappings);
	}
	/* A queue that does not run takes no job either, which npu_job_push() finds out. */
	if (mapping->epoch != queue->epoch && npu_queue_running(queue))
		err = npu_mapping_map(mapping);
	if (!err) {
		mapping->jobs++;
		mapping->closed = false;
	} else if (!mapping->jobs) {
		npu_mapping_free(mapping);
	}
	return err;
}

static void npu_mapping_end_use(struct npu_queue *queue, struct npu_device_bo *bo)
{
	struct npu_mapping *mapping = npu_mapping_find(queue, bo);

	/* One that a dead context has left must not outlive it. */
	if (mapping && !--mapping->jobs && (mapping->closed || !npu_mapping_live(mapping)))
		npu_mapping_unmap(mapping);
}

static void npu_space_end_use_locked(struct npu_queue *queue, struct drm_gem_object *const *bos,
				     unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (npu_is_device_bo(bos[i]))
			npu_mapping_end_use(queue, to_npu_device_bo(bos[i]));
	}
}

/**
 * npu_space_begin_use - let the context of a queue reach the device buffers of a job
 * @queue: of the job
 * @bos: its buffers, with references
 * @count: how many
 * @epoch: out: the job can be pushed while npu_queue.epoch is this
 *
 * They stay mapped until npu_space_end_use(). Return: 0, -EAGAIN when the card is being reset,
 * -ENOSPC when it has no room for page tables, -ENODEV, -ENOMEM.
 */
int npu_space_begin_use(struct npu_queue *queue, struct drm_gem_object *const *bos,
			unsigned int count, u32 *epoch)
{
	struct npu_device *ndev = queue->ndev;
	unsigned int i;
	int err = 0;
	int index;

	*epoch = 0;
	if (!npu_has_spaces(ndev))
		return 0;
	if (!drm_dev_enter(&ndev->drm, &index))
		return -ENODEV;
	mutex_lock(&ndev->space_lock);
	*epoch = queue->epoch;
	for (i = 0; i < count && !err; i++) {
		if (npu_is_device_bo(bos[i]))
			err = npu_mapping_begin_use(queue, to_npu_device_bo(bos[i]));
	}
	if (err)
		npu_space_end_use_locked(queue, bos, i - 1);
	mutex_unlock(&ndev->space_lock);
	drm_dev_exit(index);
	return err;
}

/* The card no longer has the job. Before the references are dropped. Sleeps. */
void npu_space_end_use(struct npu_queue *queue, struct drm_gem_object *const *bos,
		       unsigned int count)
{
	if (!npu_has_spaces(queue->ndev))
		return;
	mutex_lock(&queue->ndev->space_lock);
	npu_space_end_use_locked(queue, bos, count);
	mutex_unlock(&queue->ndev->space_lock);
}

/* drm_gem_object_funcs.close of device buffers: a file has lost its handle. */
void npu_space_close(struct drm_gem_object *obj, struct drm_file *file)
{
	struct npu_device *ndev = to_npu_device(obj->dev);
	struct npu_mapping *mapping, *next;

	mutex_lock(&ndev->space_lock);
	list_for_each_entry_safe(mapping, next, &to_npu_device_bo(obj)->mappings, bo_node) {
		if (mapping->queue->file != file->driver_priv)
			continue;
		if (mapping->jobs)
			mapping->closed = true;
		else
			npu_mapping_unmap(mapping);
	}
	mutex_unlock(&ndev->space_lock);
}

/* No context reaches the buffer any more: its memory may have a new owner. */
void npu_space_forget_bo(struct npu_device_bo *bo)
{
	struct npu_device *ndev = to_npu_device(bo->base.dev);
	struct npu_mapping *mapping, *next;

	mutex_lock(&ndev->space_lock);
	list_for_each_entry_safe(mapping, next, &bo->mappings, bo_node)
		npu_mapping_unmap(mapping);
	mutex_unlock(&ndev->space_lock);
}

/* The context is gone from the card. */
void npu_space_fini(struct npu_queue *queue)
{
	struct npu_mapping *mapping, *next;

	mutex_lock(&queue->ndev->space_lock);
	list_for_each_entry_safe(mapping, next, &queue->mappings, queue_node)
		npu_mapping_free(mapping);
	mutex_unlock(&queue->ndev->space_lock);
}

/**
 * npu_space_clear - write zeros to a range of the card's DRAM
 * @ndev: the card, running
 * @base: card physical address, a multiple of NPU_CONTEXT_PAGE_BYTES like @bytes
 * @bytes: size
 *
 * Older firmware cannot: then the memory stays as it is. Return: 0 or an error.
 */
int npu_space_clear(struct npu_device *ndev, u64 base, u64 bytes)
{
	u64 done;

	lockdep_assert_held(&ndev->control_lock);
	if (!npu_has_spaces(ndev))
		return 0;
	return npu_space_send(ndev, NPU_MESSAGE_DRAM_CLEAR, 0, 0, base, bytes, &done);
}
