// SPDX-License-Identifier: GPL-2.0
/*
 * Fault records: who, where and what of each job that failed. The card keeps them; they are read
 * from it when a job has failed and when a program asks, and shown to the program that the job
 * belonged to (ioctl), to the administrator (debugfs), and as a device core dump.
 */

#include <linux/devcoredump.h>
#include <linux/dma-mapping.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include <driver/uapi/npu_accel.h>
#include <firmware/abi/command.h>

#include "npu_context.h"
#include "npu_drv.h"
#include "npu_fault.h"

#define NPU_DUMP_BYTES PAGE_SIZE

static void npu_faults_print(struct drm_printer *p, const struct npu_fault_entry *fault)
{
	const struct npu_fault_record *record = &fault->record;

	drm_printf(p, "fault %llu: context %u queue %u asid %u job %llu\n", fault->number,
		   record->context, record->queue, record->asid, record->job);
	drm_printf(p, "  status %u fault %u flags 0x%x\n", record->status, record->fault,
		   record->flags);
	drm_printf(p, "  block %u engine %u command %d address 0x%llx retired %u\n", record->block,
		   record->engine, (int)record->command, record->address, record->retired);
	if (record->flags & NPU_FAULT_RECORD_POSITION)
		drm_printf(p, "  position: %llu elements moved of descriptor %u\n",
			   NPU_DMA_POSITION_ELEMENTS(record->position),
			   NPU_DMA_POSITION_DESCRIPTOR(record->position));
	drm_printf(p, "  card time %llu ns, job started at %llu ns\n", record->time_ns,
		   record->start_ns);
}

/* The kernel keeps one dump at a time, for five minutes or until it is read, and drops others. */
static void npu_faults_dump(struct npu_device *ndev, const struct npu_fault_entry *fault)
{
	struct drm_print_iterator iterator = { .remain = NPU_DUMP_BYTES };
	struct drm_printer p;

	iterator.data = vzalloc(NPU_DUMP_BYTES);
	if (!iterator.data)
		return;
	p = drm_coredump_printer(&iterator);
	drm_printf(&p, "npu %s\nfirmware %u.%u.%u\nrecoveries %u\n", pci_name(ndev->pdev),
		   ndev->card.firmware_version >> 16, ndev->card.firmware_version >> 8 & 0xff,
		   ndev->card.firmware_version & 0xff, ndev->recoveries);
	npu_faults_print(&p, fault);
	dev_coredumpv(npu_dev(ndev), iterator.data, NPU_DUMP_BYTES - iterator.remain, GFP_KERNEL);
}

static void npu_faults_take(struct npu_device *ndev, const struct npu_fault_record *record)
{
	struct npu_faults *faults = &ndev->faults;
	struct npu_fault_entry *fault = &faults->ring[++faults->last % NPU_FAULT_RECORDS];

	lockdep_assert_held(&faults->lock);
	fault->number = faults->last;
	fault->record = *record;
	faults->kept = min(faults->kept + 1, NPU_FAULT_RECORDS);
	if (record->flags & NPU_FAULT_RECORD_ENGINE_RESET)
		dev_warn_ratelimited(
			npu_dev(ndev),
			"context %u: engine %u of kind %u hung in job %llu and was reset\n",
			record->context, record->engine, record->block, record->job);
}

/*
 * Return: 0 with all records that there are, -EBUSY while the card is being reset, or an error of
 * npu_mailbox_call().
 */
static int npu_faults_update(struct npu_device *ndev)
{
	struct npu_faults *faults = &ndev->faults;
	u32 count, i;

	lockdep_assert_held(&faults->lock);
	if (!npu_has_contexts(ndev) || READ_ONCE(ndev->dead))
		return 0;
	if (READ_ONCE(ndev->io) != NPU_IO_RUNNING)
		return -EBUSY;
	do {
		u32 words[NPU_MAILBOX_WORDS] = {
			[1] = faults->sequence,
			[2] = lower_32_bits(faults->buffer_address),
			[3] = upper_32_bits(faults->buffer_address),
			[4] = NPU_FAULT_RECORDS,
		};
		int err = npu_mailbox_call(ndev, NPU_MESSAGE_FAULT_READ, words);

		if (err)
			return err;
		count = min(words[1], NPU_FAULT_RECORDS);
		faults->sequence = words[2];
		if (words[4]) {
			faults->last += words[4];
			faults->kept = 0;
		}
		for (i = 0; i < count; i++)
			npu_faults_take(ndev, &faults->buffer[i]);
	} while (count == NPU_FAULT_RECORDS);
	return 0;
}

static void npu_faults_work(struct work_struct *work)
{
	struct npu_device *ndev = container_of(work, struct npu_device, faults.work);
	struct npu_faults *faults = &ndev->faults;
	int index;
	u64 before;

	if (!drm_dev_enter(&ndev->drm, &index))
		return;
	mutex_lock(&faults->lock);
	before = faults->last;
	npu_faults_update(ndev);
	if (faults->kept && faults->last != before)
		npu_faults_dump(ndev, &faults->ring[faults->last % NPU_FAULT_RECORDS]);
	mutex_unlock(&faults->lock);
	drm_dev_exit(index);
}

/* A job has failed: its record is read soon. */
void npu_faults_notice(struct npu_device *ndev)
{
	schedule_work(&ndev->faults.work);
}

/* The card was reset and numbers its records from 1 again. */
void npu_faults_restart(struct npu_device *ndev)
{
	mutex_lock(&ndev->faults.lock);
	ndev->faults.sequence = 0;
	mutex_unlock(&ndev->faults.lock);
}

static int npu_faults_show(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct npu_device *ndev = to_npu_device(entry->dev);
	struct npu_faults *faults = &ndev->faults;
	struct drm_printer p = drm_seq_file_printer(m);
	int index;
	u64 number;

	mutex_lock(&faults->lock);
	if (drm_dev_enter(&ndev->drm, &index)) {
		npu_faults_update(ndev);
		drm_dev_exit(index);
	}
	for (number = faults->last - faults->kept + 1; number <= faults->last; number++)
		npu_faults_print(&p, &faults->ring[number % NPU_FAULT_RECORDS]);
	mutex_unlock(&faults->lock);
	return 0;
}

static struct drm_npu_fault npu_faults_describe(const struct npu_fault_entry *fault, u32 context)
{
	const struct npu_fault_record *record = &fault->record;

	return (struct drm_npu_fault){
		.number = fault->number,
		.job = record->job,
		.address = record->address,
		.start_ns = record->start_ns,
		.time_ns = record->time_ns,
		.context = context,
		.status = record->status,
		.fault = record->fault,
		.block = record->block,
		.engine = record->engine,
		.command = record->command,
		.retired = record->retired,
		.flags = record->flags,
		.position = record->position,
	};
}

/**
 * npu_faults_read - give a program the faults of its contexts
 * @ndev: the card
 * @file: whose contexts
 * @args: as in the ioctl
 *
 * Call it inside drm_dev_enter(). Return: 0, -EFAULT, -EBUSY while the card is being reset, or an error
 * of npu_mailbox_call().
 */
int npu_faults_read(struct npu_device *ndev, struct npu_file *file, struct drm_npu_fault_read *args)
{
	struct drm_npu_fault __user *user = u64_to_user_ptr(args->faults);
	struct npu_faults *faults = &ndev->faults;
	u32 room = args->count, id;
	u64 number, oldest;
	int err;

	args->count = 0;
	mutex_lock(&faults->lock);
	err = npu_faults_update(ndev);
	oldest = faults->last - faults->kept + 1;
	args->lost = oldest > args->after + 1 ? min(oldest - 1 - args->after, U32_MAX) : 0;
	for (number = max(oldest, args->after + 1);
	     !err && number <= faults->last && args->count < room; number++) {
		const struct npu_fault_entry *fault = &faults->ring[number % NPU_FAULT_RECORDS];
		struct drm_npu_fault out;

		id = npu_context_find(file, fault->record.context);
		if (!id)
			continue;
		out = npu_faults_describe(fault, id);
		if (copy_to_user(&user[args->count++], &out, sizeof(out)))
			err = -EFAULT;
	}
	mutex_unlock(&faults->lock);
	return err;
}

/* The buffer lives until after removal, when the card is no bus master any more. */
int npu_faults_init(struct npu_device *ndev)
{
	struct npu_faults *faults = &ndev->faults;
	int err = drmm_mutex_init(&ndev->drm, &faults->lock);

	if (err)
		return err;
	INIT_WORK(&faults->work, npu_faults_work);
	faults->buffer =
		dmam_alloc_coherent(npu_dev(ndev), NPU_FAULT_RECORDS * sizeof(*faults->buffer),
				    &faults->buffer_address, GFP_KERNEL);
	if (!faults->buffer)
		return -ENOMEM;
	drm_debugfs_add_file(&ndev->drm, "faults", npu_faults_show, NULL);
	return 0;
}

/* After the last job has ended. */
void npu_faults_fini(struct npu_device *ndev)
{
	cancel_work_sync(&ndev->faults.work);
}
