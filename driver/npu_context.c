// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts: creation, destruction, and the end of all of them on removal.
 */

#include <linux/moduleparam.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "npu_boot.h"
#include "npu_context.h"
#include "npu_drv.h"
#include "npu_recovery.h"
#include "npu_regs.h"
#include "npu_sriov.h"

static void npu_context_free(struct kref *refcount)
{
	struct npu_context *context = container_of(refcount, struct npu_context, refcount);

	kvfree(context->queue.results);
	kvfree(context);
}

void npu_context_put(struct npu_context *context)
{
	kref_put(&context->refcount, npu_context_free);
}

/* Return: the file's context of that number with a reference, or NULL. */
struct npu_context *npu_context_get(struct npu_file *file, u32 id)
{
	struct npu_context *context;

	xa_lock(&file->contexts);
	context = xa_load(&file->contexts, id);
	if (context)
		kref_get(&context->refcount);
	xa_unlock(&file->contexts);
	return context;
}

/* Return: the file's number of the context that the card knows by `number`, or 0. */
u32 npu_context_find(struct npu_file *file, u32 number)
{
	struct npu_context *context;
	unsigned long id;
	u32 found = 0;

	xa_lock(&file->contexts);
	xa_for_each(&file->contexts, id, context) {
		if (context->queue.context == number)
			found = id;
	}
	xa_unlock(&file->contexts);
	return found;
}

/* All of them */

bool npu_contexts_exist(struct npu_device *ndev)
{
	unsigned int i;

	lockdep_assert_held(&ndev->control_lock);
	for (i = 0; i < NPU_QUEUES; i++) {
		if (ndev->contexts[i])
			return true;
	}
	return false;
}

void npu_queues_set_state(struct npu_device *ndev, enum npu_queue_state state)
{
	unsigned int i;

	for (i = 0; i < NPU_QUEUES; i++) {
		if (ndev->contexts[i])
			npu_queue_set_state(&ndev->contexts[i]->queue, state);
	}
}

void npu_queues_abort(struct npu_device *ndev)
{
	unsigned int i;

	for (i = 0; i < NPU_QUEUES; i++) {
		if (ndev->contexts[i])
			npu_queue_abort(&ndev->contexts[i]->queue);
	}
}

/* Gives each detached queue but that of `except`, which is on its way out, to the card again. */
int npu_queues_attach(struct npu_device *ndev, const struct npu_context *except)
{
	unsigned int i;
	int err;

	for (i = 0; i < NPU_QUEUES; i++) {
		if (!ndev->contexts[i] || ndev->contexts[i] == except ||
		    !npu_queue_detached(&ndev->contexts[i]->queue))
			continue;
		err = npu_queue_attach(&ndev->contexts[i]->queue);
		if (err)
			return err;
	}
	return 0;
}

static void npu_context_release_queue(struct npu_device *ndev, struct npu_context *context)
{
	lockdep_assert_held(&ndev->control_lock);
	npu_queue_set_state(&context->queue, NPU_QUEUE_DEAD);
	npu_queue_abort(&context->queue);
	npu_queue_fini(&context->queue);
	ndev->contexts[context->queue.index] = NULL;
	context->stopped = true;
}

static void npu_context_stop(struct npu_device *ndev, struct npu_context *context)
{
	mutex_lock(&ndev->control_lock);
	if (!context->stopped) {
		if (npu_queue_drain(&context->queue))
			npu_recover(ndev, "a queue could not be destroyed", context);
		npu_context_release_queue(ndev, context);
	}
	mutex_unlock(&ndev->control_lock);
}

/* Takes all queues from a card that works, and leaves it, or the function, as after a reset. */
static void npu_card_quiesce(struct npu_device *ndev)
{
	unsigned int i;

	for (i = 0; i < NPU_QUEUES; i++) {
		if (ndev->contexts[i] && npu_queue_drain(&ndev->contexts[i]->queue))
			break; /* the reset below ends them all */
	}
	npu_queues_set_state(ndev, NPU_QUEUE_DETACHED);
	if (ndev->is_vf)
		npu_vf_reset(ndev);
	else
		npu_boot_enter_rom(ndev);
}

/*
 * On removal, after drm_dev_unplug(): no context can be created any more, and no job submitted when
 * this returns.
 */
void npu_contexts_stop(struct npu_device *ndev)
{
	unsigned int i;

	mutex_lock(&ndev->control_lock);
	if (ndev->io != NPU_IO_STOPPED && !npu_card_absent(ndev))
		npu_card_quiesce(ndev);
	npu_queues_set_state(ndev, NPU_QUEUE_DETACHED);
	pci_clear_master(ndev->pdev);
	for (i = 0; i < NPU_QUEUES; i++) {
		if (ndev->contexts[i])
			npu_context_release_queue(ndev, ndev->contexts[i]);
	}
	WRITE_ONCE(ndev->dead, true);
	mutex_unlock(&ndev->control_lock);
}

/* Creation and destruction */

static unsigned int npu_job_limit_ms = 60000;
module_param_named(job_limit_ms, npu_job_limit_ms, uint, 0644);
MODULE_PARM_DESC(job_limit_ms,
		 "Longest job of contexts without a limit, card time (default: 60000; 0: none)");

static int npu_context_start(struct npu_device *ndev, struct npu_context *context,
			     const struct npu_rights *rights)
{
	struct npu_rights granted;
	unsigned int index;
	int err;

	lockdep_assert_held(&ndev->control_lock);
	if (ndev->partitioning)
		return -EBUSY;
	err = npu_make_ready(ndev);
	if (err)
		return err;
	if (!npu_has_contexts(ndev) && (rights->priority != NPU_PRIORITY_NORMAL || rights->flags ||
					rights->job_limit_us || rights->hang_limit_us))
		return -EOPNOTSUPP;
	for (index = 0; index < ndev->queue_limit; index++) {
		if (!ndev->contexts[index])
			break;
	}
	if (index == ndev->queue_limit)
		return -ENOSPC;
	granted = *rights;
	if (npu_has_contexts(ndev) && !granted.job_limit_us)
		granted.job_limit_us = min(READ_ONCE(npu_job_limit_ms), U32_MAX / 1000) * 1000;
	err = npu_queue_init(&context->queue, ndev, index, &granted);
	if (err)
		return err;
	err = npu_queue_attach(&context->queue);
	if (err) {
		/* The card may know the rings all the same. */
		if (err == -ETIMEDOUT || err == -ENODEV || err == -ECONNRESET ||
		    npu_io_stopped(ndev))
			npu_recover(ndev, "a queue could not be created", NULL);
		npu_queue_fini(&context->queue);
		return err;
	}
	ndev->contexts[index] = context;
	return 0;
}

/**
 * npu_context_create - give a file a hardware queue
 * @ndev: the card
 * @file: who gets it
 * @rights: of its jobs
 * @id: out: number of the context in that file
 *
 * Call it inside drm_dev_enter(). Return: 0, -ENOSPC when all queues are in use, -EIO when the card
 * is dead, -EBUSY while it is being reset or divided, -EOPNOTSUPP when the firmware does not know
 * such rights, -ENOMEM, or an error of the mailbox.
 */
int npu_context_create(struct npu_device *ndev, struct npu_file *file,
		       const struct npu_rights *rights, u32 *id)
{
	struct npu_context *context = kvzalloc(sizeof(*context), GFP_KERNEL);
	int err;

	if (!context)
		return -ENOMEM;
	kref_init(&context->refcount);
	context->queue.file = file;
	mutex_lock(&ndev->control_lock);
	err = npu_context_start(ndev, context, rights);
	mutex_unlock(&ndev->control_lock);
	if (err)
		goto err_put;
	err = xa_alloc(&file->contexts, id, context, XA_LIMIT(1, U16_MAX), GFP_KERNEL);
	if (err) {
		npu_context_stop(ndev, context);
		goto err_put;
	}
	return 0;

err_put:
	npu_context_put(context);
	return err;
}

/* Adds what `now` counts more than `before`, which may be NULL. */
static void npu_counters_add(struct npu_counters *total, const struct npu_counters *now,
			     const struct npu_counters *before)
{
	static const struct npu_counters none;

	if (!before)
		before = &none;
	total->submitted += now->submitted - before->submitted;
	total->completed += now->completed - before->completed;
	total->failed += now->failed - before->failed;
	total->aborted += now->aborted - before->aborted;
	total->device_ns += now->device_ns - before->device_ns;
}

int npu_context_destroy(struct npu_device *ndev, struct npu_file *file, u32 id)
{
	struct npu_counters before = {}, after = {};
	struct npu_context *context;

	/* The sum over the file never falls: what the context has done moves in one step. */
	xa_lock(&file->contexts);
	context = __xa_erase(&file->contexts, id);
	if (context) {
		npu_queue_count(&context->queue, &before);
		npu_counters_add(&file->ended, &before, NULL);
	}
	xa_unlock(&file->contexts);
	if (!context)
		return -ENOENT;
	npu_context_stop(ndev, context);
	npu_queue_count(&context->queue, &after);
	xa_lock(&file->contexts);
	npu_counters_add(&file->ended, &after, &before);
	xa_unlock(&file->contexts);
	npu_context_put(context);
	return 0;
}

static void npu_context_show(struct drm_printer *p, const char *prefix,
			     const struct npu_counters *counters)
{
	drm_printf(p, "%sjobs-submitted:\t%llu\n", prefix, counters->submitted);
	drm_printf(p, "%sjobs-completed:\t%llu\n", prefix, counters->completed);
	drm_printf(p, "%sjobs-failed:\t%llu\n", prefix, counters->failed);
	drm_printf(p, "%sjobs-aborted:\t%llu\n", prefix, counters->aborted);
}

/* /proc/PID/fdinfo/FD; keys as in the kernel's drm-usage-stats. */
void npu_file_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct npu_file *priv = file->driver_priv;
	struct npu_context *context;
	struct npu_counters total;
	unsigned long id;
	char prefix[24];

	xa_lock(&priv->contexts);
	total = priv->ended;
	xa_for_each(&priv->contexts, id, context) {
		struct npu_counters own = {};

		npu_queue_count(&context->queue, &own);
		npu_counters_add(&total, &own, NULL);
		snprintf(prefix, sizeof(prefix), "npu-context%lu-", id);
		npu_context_show(p, prefix, &own);
		drm_printf(p, "%sdevice-time:\t%llu ns\n", prefix, own.device_ns);
	}
	xa_unlock(&priv->contexts);
	npu_context_show(p, "npu-", &total);
	drm_printf(p, "drm-engine-npu:\t%llu ns\n", total.device_ns);
	drm_show_memory_stats(p, file);
}

int npu_file_open(struct drm_device *drm, struct drm_file *file)
{
	struct npu_file *priv = kzalloc(sizeof(*priv), GFP_KERNEL);

	if (!priv)
		return -ENOMEM;
	xa_init_flags(&priv->contexts, XA_FLAGS_ALLOC1);
	file->driver_priv = priv;
	return 0;
}

/* Also runs after removal, when npu_contexts_stop() has ended the contexts already. */
void npu_file_close(struct drm_device *drm, struct drm_file *file)
{
	struct npu_file *priv = file->driver_priv;
	struct npu_context *context;
	unsigned long id;

	xa_for_each(&priv->contexts, id, context) {
		npu_context_stop(to_npu_device(drm), context);
		npu_context_put(context);
	}
	xa_destroy(&priv->contexts);
	kfree(priv);
}
